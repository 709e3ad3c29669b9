package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/spf13/cobra"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/failure"
	"deployer/internal/fault"
	"deployer/internal/taskrun"
)

// runFlags are the flags of run.
type runFlags struct {
	tag, input             string
	dryRun, asJSON, follow bool
	timeout                time.Duration
}

func (a *app) runCommand() *cobra.Command {
	var how runFlags
	cmd := &cobra.Command{
		Use:   "run -e ENV task:NAME",
		Short: "Run a task now, once, as its schedule or rule would",
		Long: `ECS starts one task of the revision that the schedule or the rule's target holds, in its
cluster and network, on its capacity, and with its input. What starts the task is not
changed. Retries of a lost answer start no second task. Of several schedules and rules
of the task, the first is taken.

With --tag, it is the newest revision with the image under that tag, as a deployment
registered it, or one that names the image by that tag; the newest 50 are looked at. An
image that was not deployed cannot be run: a revision would have to be registered, which
is a deployment, and a schedule that holds no revision would run it too. Deploy it to
another environment to try it.

With --follow, the command waits for the end: exit code 0 if the containers of the image
exited with 0, else 4. Why the task stopped, what its containers exited with, and the last
lines of the log are shown on standard error.`,
		Example: `deployer run -e dev task:nightly-report --follow
deployer run -e dev task:nightly-report --tag v1.2.3 --dry-run
deployer run -e dev task:resize --input '{"containerOverrides":[{"name":"app","command":["resize","a.png"]}]}'`,
		Annotations: permissions("scheduler:GetSchedule (of a task with a schedule)",
			"events:ListTargetsByRule (of a task that rules start)", "ecs:DescribeTaskDefinition", "ecs:RunTask",
			"iam:PassRole (for the roles of the task definition)",
			"ecs:TagResource (if the schedule or the target gives the task tags)",
			"ecr:BatchGetImage (with --tag)", "ecs:ListTaskDefinitions (with --tag)",
			"ecs:DescribeTasks (with --follow)",
			"logs:GetLogEvents (with --follow; optional: the last lines of the log)"),
		Args: arguments("task:NAME"),
	}
	file := fileFlag(cmd)
	cmd.Flags().StringVar(&how.tag, "tag", "", "run the revision with the image under `TAG`")
	cmd.Flags().StringVar(&how.input, "input", "", "the task's overrides as `JSON`, in place of what starts it")
	cmd.Flags().BoolVar(&how.dryRun, "dry-run", false, "say what would be run, run nothing")
	cmd.Flags().BoolVar(&how.asJSON, "json", false, "print the result as JSON")
	cmd.Flags().BoolVar(&how.follow, "follow", false, "wait until the task has stopped; exit code 4 if it failed")
	cmd.Flags().DurationVar(&how.timeout, "timeout", followTimeout, "with --follow, give up after this `TIME`")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if wrong := event.CheckTag(how.tag); how.tag != "" && wrong != "" {
			return wrongUsage("%s", wrong)
		}
		env, w, err := a.loadService(*file, args[0])
		if err != nil {
			return err
		}
		if w.HasService() {
			return wrongUsage("%s is a service: only a task can be run, and %s", w.Name, tasksOf(env))
		}
		return a.run(cmd.Context(), env, w, how)
	}
	return cmd
}

// tasksOf says which tasks an environment has.
func tasksOf(env *environment.Environment) string {
	tasks := slices.DeleteFunc(labels(env), func(label string) bool {
		return !strings.HasPrefix(label, environment.TaskPrefix)
	})
	if len(tasks) == 0 {
		return env.Name + " has none"
	}
	return env.Name + " has " + listed(tasks)
}

// ranTask is the result of run, as --json prints it.
type ranTask struct {
	Task           string         `json:"task"`
	Environment    string         `json:"environment"`
	Status         string         `json:"status"` // planned, started, succeeded, failed, or "not ended"
	StartsBy       string         `json:"starts_by"`
	TaskDefinition string         `json:"task_definition"`
	Image          string         `json:"image"`         // as the revision names it
	Tag            string         `json:"tag,omitempty"` // of the image, as history has it
	Cluster        string         `json:"cluster"`
	TaskARN        string         `json:"task_arn,omitempty"`
	StopCode       string         `json:"stop_code,omitempty"`
	StoppedReason  string         `json:"stopped_reason,omitempty"`
	Containers     []containerEnd `json:"containers,omitempty"`

	Left *failure.Report `json:"left_behind,omitempty"` // with --follow
}

// containerEnd is how a container of a task ended.
type containerEnd struct {
	Name     string `json:"name"`
	ExitCode *int32 `json:"exit_code"` // nil if it never ran
	Reason   string `json:"reason,omitempty"`
}

// run runs a task.
func (a *app) run(ctx context.Context, env *environment.Environment, w environment.Workload, how runFlags) error {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	s, err := a.connect(limited, env)
	if err != nil {
		return err
	}
	services, target := ecsservice.New(s.config), ecsservice.TargetOf(s.env, s.env.Current(w))
	pointers, err := services.Pointers(limited, target)
	if err != nil {
		return err
	}
	p := pointers[0]
	revision, err := a.revisionToRun(limited, s, services, target, p, how.tag)
	if err != nil {
		return err
	}
	in, err := taskrun.Input(p, revision.ARN(), how.input, "deployer-"+rand.Text(), time.Now())
	switch {
	case fault.IsMisconfigured(err):
		return err
	case err != nil:
		return wrongUsage("%v (--input)", err)
	}
	result := ranTask{Task: target.Workload, Environment: s.env.Name, Status: "planned", StartsBy: p.String(),
		TaskDefinition: revision.ARN(), Cluster: target.Cluster}
	record := target.Record(revision)
	result.Image, result.Tag = record.Image, record.Tag
	if how.dryRun {
		return a.printRun(result, how)
	}
	task, err := taskrun.Start(limited, services.SDK(), p, in)
	if err != nil {
		return err
	}
	result.Status, result.TaskARN = "started", aws.ToString(task.TaskArn)
	if !how.follow {
		return a.printRun(result, how)
	}
	if !how.asJSON {
		_ = a.printRun(result, how)
	}
	return a.followRun(ctx, s, services, target, revision, task, result, how)
}

// followRun waits for the end of a task, and reports it.
func (a *app) followRun(ctx context.Context, s *session, services *ecsservice.Client, t ecsservice.Target,
	revision ecsservice.Revision, task types.Task, result ranTask, how runFlags) error {
	whole := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, how.timeout, &notEnded{fmt.Errorf("the task has not stopped in %s",
		shortDuration(how.timeout))})
	defer cancel()
	task, err := taskrun.Wait(ctx, services.SDK(), task, func(now types.Task) {
		a.note("%s: %s", t.Workload, strings.ToLower(aws.ToString(now.LastStatus)))
	})
	if err != nil {
		if ctx.Err() != nil {
			result.Status = unfinished
			look := fmt.Sprintf("aws ecs describe-tasks --region %s --cluster %s --tasks %s", s.env.Region, t.Cluster,
				result.TaskARN)
			err = &notEnded{hinted(look, "%s: the task goes on", endReason(whole, how.timeout))}
		}
		if how.asJSON {
			err = errors.Join(err, printJSON(a.out, result))
		}
		return err
	}
	limited, stop := context.WithTimeout(context.WithoutCancel(ctx), failureTime)
	defer stop()
	left := failure.OfTask(limited, s.config, task, revision.TaskDefinition)
	result.Status, result.Left = "succeeded", left
	result.setEnd(task)
	var failed error
	if !taskrun.Succeeded(t, task, revision.TaskDefinition) {
		result.Status, failed = "failed", errTaskFailed
	}
	if !how.asJSON {
		fmt.Fprint(a.err, drawFailure(newCanvas(a.err), t.Workload, left))
	}
	return errors.Join(failed, a.printRun(result, how))
}

// setEnd sets how a task ended.
func (r *ranTask) setEnd(task types.Task) {
	r.StopCode, r.StoppedReason = string(task.StopCode), ecsservice.Unsigned(aws.ToString(task.StoppedReason))
	for _, c := range task.Containers {
		r.Containers = append(r.Containers,
			containerEnd{aws.ToString(c.Name), c.ExitCode, ecsservice.Unsigned(aws.ToString(c.Reason))})
	}
}

// endReason returns why a task is not followed any more.
func endReason(whole context.Context, timeout time.Duration) string {
	if whole.Err() != nil {
		return "interrupted"
	}
	return fmt.Sprintf("it has not stopped in %s", shortDuration(timeout))
}

// printRun prints the result of run.
func (a *app) printRun(r ranTask, how runFlags) error {
	if how.asJSON {
		return printJSON(a.out, r)
	}
	number := ecsservice.NumberOf(r.TaskDefinition)
	what := fmt.Sprintf("revision %d is run, as %s would run it", number, r.StartsBy)
	switch {
	case r.Status == "planned":
		what = fmt.Sprintf("revision %d would be run, as %s would run it", number, r.StartsBy)
	case r.StopCode != "":
		var codes []string
		for _, c := range r.Containers {
			if c.ExitCode != nil {
				codes = append(codes, fmt.Sprintf("container %s exited with code %d", c.Name, *c.ExitCode))
			}
		}
		why := r.StopCode + ": " + r.StoppedReason
		if r.StopCode == string(types.TaskStopCodeEssentialContainerExited) && r.StoppedReason != "" {
			why = r.StoppedReason // it says the same
		}
		why = clause(why)
		what = printable(strings.Join(append([]string{why}, codes...), "; "))
	}
	fmt.Fprint(a.out, newCanvas(a.out).item(r.Task+": "+r.Status+": ", what, 2))
	if r.StopCode != "" {
		return nil
	}
	for _, line := range [][2]string{{"cluster", r.Cluster}, {"revision", r.TaskDefinition}, {"image", r.Image},
		{"tag", r.Tag}, {"task", r.TaskARN}} {
		if line[1] != "" {
			fmt.Fprintf(a.out, "  %-9s %s\n", line[0], printable(line[1]))
		}
	}
	return nil
}
