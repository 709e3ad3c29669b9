package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// deployFlags are the flags that deploy and rollback share.
type deployFlags struct {
	dryRun, asJSON, follow bool
	reason                 string
}

func (f *deployFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "report what would change, change nothing")
	flags.BoolVar(&f.asJSON, "json", false, "print the result as JSON, as the function returns it")
	flags.BoolVar(&f.follow, "follow", false, "wait until the rollout has ended; exit code 1 unless it succeeded")
	flags.StringVar(&f.reason, "reason", "", "why: `TEXT` for the revision's journal")
}

// deployActions are the IAM actions that a deployment needs.
var deployActions = []string{
	"ecr:BatchGetImage", "ecs:DescribeServices", "ecs:DescribeTaskDefinition",
	"ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService",
	"iam:PassRole (for the roles of the task definition)",
}

// platformActions are the IAM actions with which deployments check more.
var platformActions = []string{
	"ecr:GetDownloadUrlForLayer (optional: checks the platform of an image that is not an index)",
}

// stageActions are the IAM actions that --follow needs on top.
var stageActions = []string{
	"ecs:DescribeServiceDeployments (with --follow: stages, pauses, blue/green)",
	"ecs:ListServiceDeployments (with --follow, for blue/green, linear and canary deployments)",
	"ecs:ListTasks (with --follow; optional: shows why tasks stop)",
	"ecs:DescribeTasks (with --follow; optional: shows why tasks stop)",
}

func (a *app) deployCommand() *cobra.Command {
	var how deployFlags
	var force bool
	cmd := &cobra.Command{
		Use:   "deploy -e ENV SERVICE TAG",
		Short: "Deploy the image under TAG to SERVICE",
		Long: `The command does what the function does for a DEPLOY event, with your own
credentials. It looks the image up in ECR, registers a new revision of the task
definition with the image's digest, and updates the service to it. A service that
runs the image already is not changed, unless its task definition family has a
newer configuration.

With --follow, the rollout's progress is shown on standard error.`,
		Example: `deployer deploy -e prod backend git-abc123f --dry-run
deployer deploy -e prod backend git-abc123f --follow --reason "fix the login"`,
		Annotations: permissions(slices.Concat(deployActions, platformActions, stageActions)...),
		Args:        serviceAndTag,
	}
	file := fileFlag(cmd)
	how.add(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "roll out a new revision even if the service runs this image")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, w, tag, err := a.loadServiceAndTag(*file, args)
		if err != nil {
			return err
		}
		return a.deploy(cmd.Context(), env, event.Request{Workload: w, Tag: tag, Force: force}, how)
	}
	return cmd
}

// serviceAndTag checks the arguments of deploy. Without a tag, two other commands may be
// what is meant.
func serviceAndTag(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return wrongUsage("TAG is missing: name one, or use deployer redeploy for the image that runs, or " +
			"deployer rollback for the last one that succeeded")
	}
	return arguments("SERVICE", "TAG")(cmd, args)
}

// deploy carries out a request with the caller's credentials, and prints the result.
func (a *app) deploy(ctx context.Context, env *environment.Environment, request event.Request, how deployFlags) error {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	config, err := a.config(limited, env)
	if err != nil {
		return err
	}
	request.Cause.ID, request.Cause.Time, request.Cause.Source = "cli-"+rand.Text(), time.Now().UTC(), "deployer.cli"
	request.Cause.Reason, request.DryRun = how.reason, how.dryRun
	s, result, err := deployAs(limited, env, config, request)
	if err != nil {
		return err
	}
	if how.asJSON {
		if err := printJSON(a.out, result); err != nil {
			return err
		}
	} else {
		for _, d := range result.Deployments {
			printDeployment(a.out, d)
		}
	}
	switch result.Status {
	case ecsdeploy.Deployed, ecsdeploy.Unchanged: // an unchanged service may still be rolling out
		if !how.follow {
			return nil
		}
		target := ecsservice.TargetOf(s.env, request.Workload)
		return a.follow(ctx, s.rollouts(), target, result.Deployments[0].TaskDefinition)
	case ecsdeploy.Planned:
		return nil
	}
	return errNotDone
}

// deployAs carries out a request. If the file names the account, STS is asked whose the
// credentials are while the deployment is read, and only the first change waits for the
// answer.
func deployAs(ctx context.Context, env *environment.Environment, config aws.Config, request event.Request) (
	*session, pipeline.Result, error,
) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var caller arn.ARN
	var unknown error
	known := make(chan struct{})
	go func(env *environment.Environment) {
		defer close(known)
		if caller, unknown = identify(ctx, env, config); unknown != nil {
			cancel(unknown) // what is read does not matter
		}
	}(env)
	if env.AccountID == "" {
		if <-known; unknown != nil {
			return nil, pipeline.Result{}, unknown
		}
		env = env.In(caller.AccountID)
	}
	result, err := pipeline.New(env, config).DeployAs(ctx, func() (string, error) {
		<-known
		return caller.Resource, unknown
	}, request)
	if <-known; unknown != nil {
		return nil, pipeline.Result{}, unknown
	}
	return &session{env, config, caller}, result, err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printDeployment prints the result for one service.
func printDeployment(w io.Writer, d ecsdeploy.Deployment) {
	fmt.Fprintf(w, "%s: %s: %s\n", d.Service, d.Status, d.Reason)
	for _, line := range [][2]string{
		{"cluster", d.Cluster}, {"service", d.ECSService}, {"tag", d.Tag}, {"image", d.Image},
		{"revision", d.TaskDefinition}, {"before", d.PreviousTaskDefinition}, {"rollout", d.DeploymentID},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
}
