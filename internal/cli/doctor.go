package cli

import (
	"errors"
	"fmt"

	"deployer/internal/awsconfig"
	"deployer/internal/doctor"
	"deployer/internal/environment"
)

// doctor is `deployer doctor`: is the environment fit to be deployed to.
func (c *cli) doctor() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	asJSON := c.flags.Bool("json", false, "print the report as JSON")
	services, err := c.parse("SERVICE*")
	if err != nil {
		return err
	}
	report, err := c.examine(*file, services)
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(c.out, report)
	} else {
		err = c.printReport(report)
	}
	if err == nil && report.Count(doctor.Problem) > 0 {
		return errNotDone
	}
	return err
}

// examine returns the doctor's report on an environment; a file that is wrong
// is a report too.
func (c *cli) examine(file string, services []string) (*doctor.Report, error) {
	if file == "" {
		return nil, errNoFile
	}
	env, err := environment.Load(file)
	var faults environment.Faults
	if errors.As(err, &faults) {
		return doctor.InvalidFile(file, faults), nil
	} else if err != nil {
		return nil, err
	}
	for _, name := range services {
		if _, err := serviceOf(env, name); err != nil {
			return nil, err
		}
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	config, err := awsconfig.Load(ctx, env.Region)
	if err != nil {
		return nil, err
	}
	return doctor.Examine(ctx, env, config, services)
}

// printReport shows a person the report: a line for each finding, and what to
// do below it.
func (c *cli) printReport(r *doctor.Report) error {
	service := ""
	for _, f := range r.Findings {
		if f.Service != service {
			service = f.Service
			fmt.Fprintf(c.out, "\n%s\n", service)
		}
		fmt.Fprintf(c.out, "%-8s %s: %s\n", f.Level, f.Check, f.Seen)
		if f.Fix != "" {
			fmt.Fprintf(c.out, "         → %s\n", f.Fix)
		}
	}
	_, err := fmt.Fprintf(c.out, "\nok: %d, warnings: %d, problems: %d, unknown: %d\n",
		r.Count(doctor.OK), r.Count(doctor.Warning), r.Count(doctor.Problem), r.Count(doctor.Unknown))
	return err
}
