package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/ecsservice"
	"deployer/internal/rollout"
)

// stages are the lifecycle stages of a blue/green, linear or canary deployment, in ECS's
// order (ECS API reference, ServiceDeployment, lifecycleStage).
var stages = []string{"RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT",
	"POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT",
	"POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"}

// stable is the end of a rollout, for --until.
const stable = "stable"

// waitFlags are the flags of wait.
type waitFlags struct {
	timeout time.Duration
	until   string
	asJSON  bool
}

func (a *app) waitCommand() *cobra.Command {
	var how waitFlags
	cmd := &cobra.Command{
		Use:   "wait -e ENV SERVICE",
		Short: "Wait for the end of a rollout of SERVICE that is in progress",
		Long: `The command joins the rollout that the service is in, of any tool or person, shows its
progress, and ends with its result: exit code 0 if it succeeded, 4 if it failed, 5 if
it has not ended in time. A rollout that failed is explained: why its tasks stopped,
the last lines of the container, the service's events. If ECS rolls back or has rolled
back, the rollout that failed counts. Any other service without a rollout in progress is
stable at once, and so is a task, of which the next run is shown.

With --until, it ends as soon as a blue/green, linear or canary deployment is at that
stage of its lifecycle, or at a later one.`,
		Example: `deployer wait -e prod backend
deployer wait -e prod backend --until BAKE_TIME --timeout 10m`,
		Annotations: permissions(slices.Concat([]string{"ecs:DescribeServices",
			"ecs:DescribeTaskDefinition (optional: finds rollouts that ECS rolled back or no longer lists)",
			pointerReads[0], pointerReads[1]}, withoutFollow(stageActions))...),
		Args: arguments("SERVICE"),
	}
	file := fileFlag(cmd)
	cmd.Flags().DurationVar(&how.timeout, "timeout", followTimeout, "give up after this `TIME`")
	cmd.Flags().StringVar(&how.until, "until", stable, "wait until the `STAGE`: stable, or one of the lifecycle")
	cmd.Flags().BoolVar(&how.asJSON, "json", false, "print how it ended as JSON")
	_ = cmd.RegisterFlagCompletionFunc("until", cobra.FixedCompletions(append([]string{stable}, stages...),
		cobra.ShellCompDirectiveNoFileComp)) // fails only for a flag that does not exist
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if how.until != stable && !slices.Contains(stages, how.until) {
			what := fmt.Sprintf("--until %s is no stage: it is %s, or one of %s", printable(how.until), stable,
				strings.Join(stages, ", "))
			return a.unlike(what, how.until, append([]string{stable}, stages...))
		}
		return a.wait(cmd.Context(), *file, args[0], how)
	}
	return cmd
}

// wait follows the rollout that a service is in.
func (a *app) wait(ctx context.Context, file, name string, how waitFlags) error {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	s, target, err := a.connectTo(limited, file, name)
	if err != nil {
		return err
	}
	service, err := ecsservice.New(s.config).DescribeService(limited, target)
	if err != nil {
		return err
	}
	one := followed{target, s.rollouts().LastRolledOut(limited, target, service)}
	a.patience = how.timeout
	switch {
	case how.until == stable:
		err = a.follow(ctx, s, target, one.revision)
	case !ecsservice.Shifts(service):
		err = fmt.Errorf("the deployments of %s have no stages: wait without --until", target.Workload)
	default:
		a.rejoin = target.Command("wait") + " --until " + how.until
		err = a.reach(ctx, s, one, how.until)
	}
	if how.asJSON {
		return errors.Join(err, printJSON(a.out, rolloutEndOf(one, err)))
	}
	return err
}

// errReached ends the following of a rollout that is at the stage.
var errReached = errors.New("the stage is reached")

// reach follows a rollout until it is at a stage, or has ended.
func (a *app) reach(ctx context.Context, s *session, one followed, stage string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	at := ""
	a.seen = func(p rollout.Progress) {
		if slices.Index(stages, p.Stage) >= slices.Index(stages, stage) {
			at = p.Stage
			cancel(errReached)
		}
	}
	err := a.follow(ctx, s, one.target, one.revision)
	if at != "" {
		a.note("%s is at %s", one.target.Workload, at)
		return nil
	}
	return err
}
