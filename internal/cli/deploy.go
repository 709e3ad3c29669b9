package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
	"deployer/internal/resolve"
)

// deployFlags are the flags that deploy and rollback share.
type deployFlags struct {
	dryRun, asJSON, follow bool
	reason                 string
	reportFlags
}

func (f *deployFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "report what would change, change nothing")
	flags.BoolVar(&f.asJSON, "json", false, "print the result as JSON, as the function returns it")
	flags.BoolVar(&f.follow, "follow", false, "wait until the rollout has ended; exit code 4 if it failed")
	flags.StringVar(&f.reason, "reason", "", "why: `TEXT` for the revision's journal")
	f.reportFlags.add(flags)
}

// deployActions are the IAM actions that a deployment needs.
var deployActions = []string{
	"ecr:BatchGetImage", "ecs:DescribeServices", "ecs:DescribeTaskDefinition",
	"ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService",
	"iam:PassRole (for the roles of the task definition, and for the role that starts a task)",
	pointerReads[0], pointerReads[1], "scheduler:UpdateSchedule (of a task)",
	"events:PutTargets (of a task that rules start)",
	"iam:SimulatePrincipalPolicy (optional: whether the role of a task's schedule may start it)",
}

// pointerReads are the IAM actions that read what starts a task.
var pointerReads = [2]string{"scheduler:GetSchedule (of a task)",
	"events:ListTargetsByRule (of a task that rules start)"}

// platformActions are the IAM actions with which deployments check more.
var platformActions = []string{
	"ecr:GetDownloadUrlForLayer (optional: checks the platform of an image that is not an index)",
	"ecs:DescribeServiceRevisions (optional: finds rollouts that ECS rolled back, where the journals do not say)",
}

// stageActions are the IAM actions that --follow needs on top.
var stageActions = []string{
	"ecs:DescribeServiceDeployments (with --follow: stages, pauses, blue/green)",
	"ecs:ListServiceDeployments (with --follow, for blue/green, linear and canary deployments)",
	"ecs:ListTasks (with --follow; optional: shows why tasks stop)",
	"ecs:DescribeTasks (with --follow; optional: shows why tasks stop)",
	"logs:GetLogEvents (with --follow; optional: the last lines of a container that failed)",
}

// withoutFollow returns [stageActions] for a command that always follows.
func withoutFollow(actions []string) (all []string) {
	words := strings.NewReplacer("with --follow: ", "", "with --follow, ", "", "with --follow; ", "")
	for _, action := range actions {
		all = append(all, words.Replace(action))
	}
	return all
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

` + severalHelp + `
'*' (in quotes) is all services and tasks whose repository has the tag.

With --follow, the rollout's progress is shown on standard error, and if it failed why
its tasks stopped, the last lines of the container, and the service's events.`,
		Example: `deployer deploy -e prod backend git-abc123f --dry-run
deployer deploy -e prod backend git-abc123f --follow --reason "fix the login"
deployer deploy -e prod worker,web-api v2 --follow
deployer deploy -e prod '*' v2 --dry-run`,
		Annotations: permissions(slices.Concat(deployActions, platformActions, tagActions, stageActions)...),
		Args:        a.serviceAndTag,
	}
	file := fileFlag(cmd)
	how.add(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "roll out a new revision even if the service runs this image")
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, c, tag, err := a.loadChosenAndTag(*file, args)
		if err != nil {
			return err
		}
		return a.deploy(cmd.Context(), env, c.requests(event.Request{Tag: tag, Force: force}), how)
	}
	return cmd
}

// serviceAndTag checks the arguments of deploy. Without a tag, two other commands may be
// what is meant.
func (a *app) serviceAndTag(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return &usageError{"TAG is missing: name one, or use deployer redeploy for the image that runs, or deployer " +
			"rollback for the last one that succeeded", a.withTag(args[0])}
	}
	return severalAndTag(cmd, args)
}

// deploy carries out requests with the caller's credentials, prints the results, and writes
// the report that is wanted. The requests are those of one event.
func (a *app) deploy(ctx context.Context, env *environment.Environment, requests []event.Request,
	how deployFlags) error {
	r := newReport(env, how.reportFlags, how.dryRun)
	a.reports = true
	err := a.deployFor(ctx, env, requests, how, r)
	var names []string
	for _, request := range requests {
		names = append(names, request.Workload.Label())
	}
	r.fail(names, requests[0].Tag, notDone, err)
	if failed := r.write(a.commands); failed != nil {
		a.note("%v", failed)
	}
	return err
}

// deployFor carries out requests and prints the results. What becomes of them is added to the
// report.
func (a *app) deployFor(ctx context.Context, env *environment.Environment, requests []event.Request,
	how deployFlags, r *report) error {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	config, err := a.config(limited, env)
	if err != nil {
		return err
	}
	cause := event.Cause{ID: "cli-" + rand.Text(), Time: time.Now().UTC(), Source: event.CommandSource,
		Reason: how.reason}
	for i := range requests {
		requests[i].Cause, requests[i].DryRun = cause, how.dryRun
	}
	s, result, err := deployAs(limited, env, config, requests)
	if err != nil && len(result.Deployments) == 0 {
		return err
	}
	following := how.follow && err == nil
	if !how.asJSON || !following {
		if printed := a.printResult(result, how.asJSON); printed != nil {
			return errors.Join(err, printed)
		}
	}
	rollouts, missing, failed := sortResults(s.env, requests, result.Deployments)
	if len(missing) > 0 && requests[0].Tag != "" {
		a.noteTags(limited, s, requests, missing)
	}
	var ends []error // of the rollouts, if they are followed
	if how.follow && len(rollouts) > 0 {
		ends = a.followAll(ctx, s, rollouts)
	}
	r.addResults(ctx, s, cause, requests, result, ends)
	if ends != nil {
		err = errors.Join(append(ends, err)...)
		if how.asJSON && following {
			err = errors.Join(err, printJSON(a.out, endOf(result, rollouts, ends)))
		}
	} else if how.asJSON && following {
		err = errors.Join(err, printJSON(a.out, result))
	}
	if err == nil {
		return failed
	}
	return err
}

// sortResults returns the rollouts that may be going on, the workloads whose image is not there, and the error for what
// was not done.
func sortResults(env *environment.Environment, requests []event.Request, deployments []ecsdeploy.Deployment) (
	rollouts []followed, missing []environment.Workload, failed error,
) {
	for i, d := range deployments {
		switch {
		case d.Status == ecsdeploy.Deployed, d.Status == ecsdeploy.Unchanged: // that may still be rolling out
			target := ecsservice.TargetOf(env, requests[i].Workload)
			rollouts = append(rollouts, followed{target, d.TaskDefinition})
		case d.Status == ecsdeploy.Planned, d.Status == ecsdeploy.Ignored && requests[i].Optional:
		case d.Status == ecsdeploy.Rejected:
			failed = errRejected
			if strings.Contains(d.Reason, ": "+resolve.NotFound) {
				missing = append(missing, requests[i].Workload)
			}
		case failed == nil:
			failed = errNotDone
		}
	}
	return rollouts, missing, failed
}

// printResult prints a result as JSON, or for people what is known of each deployment.
func (a *app) printResult(result pipeline.Result, asJSON bool) error {
	if asJSON {
		return printJSON(a.out, result)
	}
	for _, d := range result.Deployments {
		if d.Status != "" {
			printDeployment(a.out, d)
		}
	}
	a.noteRuns(result.Deployments)
	return nil
}

// deployAs carries out requests. If the file names the account, STS is asked whose the
// credentials are while the deployment is read, and only the first change waits for the
// answer.
func deployAs(ctx context.Context, env *environment.Environment, config aws.Config, requests []event.Request) (
	*session, pipeline.Result, error,
) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var caller arn.ARN
	var unknown error
	known := make(chan struct{})
	go func(env *environment.Environment) {
		defer close(known)
		caller, unknown = identify(ctx, env, config)
		if unknown != nil {
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
	}, requests...)
	if <-known; unknown != nil {
		return nil, pipeline.Result{}, unknown
	}
	return &session{env, config, caller}, result, err
}

// printDeployment prints the result for one service.
func printDeployment(w io.Writer, d ecsdeploy.Deployment) {
	fmt.Fprint(w, newCanvas(w).item("", fmt.Sprintf("%s: %s: %s", d.Service, d.Status, d.Reason), 2))
	for _, line := range [][2]string{
		{"cluster", d.Cluster}, {"service", d.ECSService}, {"starts by", strings.Join(d.Pointers, ", ")},
		{"tag", d.Tag}, {"image", d.Image},
		{"revision", d.TaskDefinition}, {"before", d.PreviousTaskDefinition}, {"rollout", d.DeploymentID},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
	if d.Recorded != "" {
		fmt.Fprintf(w, "  %-9s %s, only as a record of this event\n", "recorded", d.Recorded)
	}
}
