package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/doctor"
	"deployer/internal/environment"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "doctor -e ENV [SERVICE...]",
		Short: "Check whether an environment can be deployed to, and how to fix it",
		Long: `The services and tasks, their images, policies and roles, and the event rules are
checked; of a task, what starts it too. Nothing is changed. Problems are printed
first, then warnings, then what could not be checked: a check that the credentials
have no permission for is unknown. The exit code is 1 if there is a problem.`,
		Example: `deployer doctor -e prod
deployer doctor -e prod --quiet
deployer doctor -e prod backend --json`,
		Annotations: permissions(doctorPermissions...),
		Args:        arguments("[SERVICE...]"),
	}
	file := fileFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print problems only, and nothing if there is none")
	cmd.ValidArgsFunction = completeServices(file, 0)
	cmd.RunE = func(cmd *cobra.Command, services []string) error {
		report, err := a.examine(cmd.Context(), *file, services)
		if err != nil {
			return err
		}
		if quiet {
			report.Findings = slices.DeleteFunc(report.Findings, func(f doctor.Finding) bool {
				return f.Level != doctor.Problem
			})
		}
		switch on := newCanvas(a.out); {
		case asJSON:
			err = printJSON(a.out, report)
		case quiet:
			err = a.printProblems(on, report)
		default:
			err = a.printReport(on, report)
		}
		if err == nil && report.Count(doctor.Problem) > 0 {
			return errNotDone
		}
		return err
	}
	return cmd
}

// doctorPermissions are what all checks need.
var doctorPermissions = []string{
	"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:ListTasks", "ecs:DescribeTasks",
	"ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments",
	"ecr:BatchGetImage", "ecr:BatchGetRepositoryScanningConfiguration", "ecr:DescribeImages",
	"ecr:GetDownloadUrlForLayer",
	"ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy",
	"events:DescribeEventBus", "events:DescribeRule", "events:ListRules", "events:ListTargetsByRule",
	"events:TestEventPattern",
	"scheduler:GetSchedule (of tasks)", "iam:SimulatePrincipalPolicy", "kms:DescribeKey", "lambda:GetFunction",
	"lambda:GetFunctionConfiguration",
	"secretsmanager:DescribeSecret", "sns:GetTopicAttributes", "sqs:GetQueueAttributes", "ssm:DescribeParameters",
}

// examine returns the doctor's report on an environment. The faults of an
// invalid file are a report too.
func (a *app) examine(ctx context.Context, file string, services []string) (*doctor.Report, error) {
	if file == "" {
		return nil, a.errNoEnvironment()
	}
	env, err := environment.Load(file)
	if err != nil {
		err = a.wrongEnvironment(file, err)
	}
	var faults environment.Faults
	if errors.As(err, &faults) {
		return doctor.InvalidFile(file, faults), nil
	} else if err != nil {
		return nil, err
	}
	env.ByName = a.byName[file] == env.Name
	for _, name := range services {
		if _, err := a.service(env, name); err != nil {
			return nil, err
		}
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	config, err := a.config(ctx, env)
	if err != nil {
		return nil, err
	}
	return doctor.Examine(ctx, env, config, services)
}

// levelColors are the colors of the doctor's levels; unknown has none.
var levelColors = map[doctor.Level]color{doctor.Problem: red, doctor.Warning: amber, doctor.OK: green}

// printReport prints what is wrong first, the worst before the others, each with how to fix
// it; then what is as it should be, by service.
func (a *app) printReport(c canvas, r *doctor.Report) error {
	var b strings.Builder
	for _, level := range []doctor.Level{doctor.Problem, doctor.Warning, doctor.Unknown} {
		for _, f := range r.Of(level) {
			b.WriteString(c.finding(f, f.Service))
		}
	}
	first, service := true, ""
	for _, f := range r.Findings {
		if f.Level != doctor.OK {
			continue
		}
		if first && b.Len() > 0 || f.Service != service {
			b.WriteByte('\n')
		}
		first = false
		if f.Service != service {
			service = f.Service
			b.WriteString(service + "\n")
		}
		b.WriteString(c.finding(f, ""))
	}
	counts := fmt.Sprintf("ok: %d, warnings: %d, problems: %d, unknown: %d",
		r.Count(doctor.OK), r.Count(doctor.Warning), r.Count(doctor.Problem), r.Count(doctor.Unknown))
	_, err := fmt.Fprintf(a.out, "%s\n%s", &b, c.item("", counts, 2))
	return err
}

// printProblems prints the problems alone, each with how to fix it.
func (a *app) printProblems(c canvas, r *doctor.Report) error {
	for _, f := range r.Of(doctor.Problem) {
		if _, err := fmt.Fprint(a.out, c.finding(f, f.Service)); err != nil {
			return err
		}
	}
	return nil
}

// findingIndent is where the text of a finding begins.
const findingIndent = 9

// finding returns the lines of a finding, with the service that it is about unless that is
// in a heading.
func (c canvas) finding(f doctor.Finding, service string) string {
	if service != "" {
		service += ": "
	}
	level := c.paint(string(f.Level), levelColors[f.Level]) + strings.Repeat(" ", findingIndent-len(f.Level))
	text := c.item(level, service+f.Text(), findingIndent)
	if f.Fix != "" {
		text += c.item(strings.Repeat(" ", findingIndent)+"→ ", f.Fix, findingIndent+2)
	}
	return text
}
