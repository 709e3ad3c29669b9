package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"deployer/internal/doctor"
	"deployer/internal/environment"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor -e ENV [SERVICE...]",
		Short: "Check whether an environment can be deployed to, and how to fix it",
		Long: `The services, their images, policies and roles, and the event rules are checked.
Nothing is changed. A check that the credentials have no permission for is
reported as unknown. The exit code is 1 if there is a problem.`,
		Example: `deployer doctor -e prod
deployer doctor -e prod backend --json`,
		Annotations: permissions(doctorPermissions...),
		Args:        arguments("[SERVICE...]"),
	}
	file := fileFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.ValidArgsFunction = completeServices(file, 0)
	cmd.RunE = func(cmd *cobra.Command, services []string) error {
		report, err := a.examine(cmd.Context(), *file, services)
		if err != nil {
			return err
		}
		if asJSON {
			err = printJSON(a.out, report)
		} else {
			err = a.printReport(report)
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
	"iam:SimulatePrincipalPolicy", "kms:DescribeKey", "lambda:GetFunction", "lambda:GetFunctionConfiguration",
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

// printReport prints a line for each finding, and below it how to fix it.
func (a *app) printReport(r *doctor.Report) error {
	service := ""
	for _, f := range r.Findings {
		if f.Service != service {
			service = f.Service
			fmt.Fprintf(a.out, "\n%s\n", service)
		}
		fmt.Fprintf(a.out, "%-8s %s: %s\n", f.Level, f.Check, f.Seen)
		if f.Fix != "" {
			fmt.Fprintf(a.out, "         → %s\n", f.Fix)
		}
	}
	_, err := fmt.Fprintf(a.out, "\nok: %d, warnings: %d, problems: %d, unknown: %d\n",
		r.Count(doctor.OK), r.Count(doctor.Warning), r.Count(doctor.Problem), r.Count(doctor.Unknown))
	return err
}
