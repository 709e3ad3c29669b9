package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// strategies are the deployment strategies of ECS, each with a pause hook, and how
// many pauses a deployment makes.
var strategies = []struct {
	config types.DeploymentConfiguration
	pauses int
}{
	{types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling}, 1},
	{types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(2)}, 1},
	{types.DeploymentConfiguration{Strategy: types.DeploymentStrategyLinear, BakeTimeInMinutes: aws.Int32(2),
		LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(30),
			StepBakeTimeInMinutes: aws.Int32(1)}}, 4},
	{types.DeploymentConfiguration{Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(2),
		CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(5),
			CanaryBakeTimeInMinutes: aws.Int32(3)}}, 2},
}

// TestNeverSucceededEarly deploys with each strategy, and looks every five seconds at what
// is followed, the status, the history, and what a COMPLETED event would report:
// nothing has succeeded before ECS's service deployment has, and then all have.
func TestNeverSucceededEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range strategies {
		t.Run(string(tt.config.Strategy), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.settle()
			config := tt.config
			config.LifecycleHooks = []types.DeploymentLifecycleHook{{
				TargetType:      types.DeploymentLifecycleHookTargetTypePause,
				LifecycleStages: []types.DeploymentLifecycleHookStage{"PRE_PRODUCTION_TRAFFIC_SHIFT"}}}
			_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
				Service: aws.String(target.Service), DeploymentConfiguration: &config})
			must(t, err)
			a.settle()
			d := a.deploy(t, "e", 1, "v2")
			pauses := 0
			for range 1000 {
				succeeded := a.deploymentSucceeded(t)
				got := a.sayings(t, d.TaskDefinition, d.DeploymentID)
				if slices.Contains(got, "succeeded") != succeeded || slices.Contains(got, "not yet") == succeeded {
					t.Fatalf("ECS: succeeded %v, but %v", succeeded, got)
				}
				if succeeded {
					break
				}
				if at, err := a.rollouts.Continue(t.Context(), target); err == nil {
					if pauses++; at.Stage != "PRE_PRODUCTION_TRAFFIC_SHIFT" &&
						tt.config.Strategy != types.DeploymentStrategyRolling {
						t.Errorf("paused at %s", at.Stage)
					}
				}
				a.clock.Advance(5 * time.Second)
				a.emulator.Tick()
			}
			if pauses != tt.pauses || !a.deploymentSucceeded(t) {
				t.Errorf("%d pauses, want %d", pauses, tt.pauses)
			}
			reports, _ := a.handle(t, event.RolloutCompleted, d.DeploymentID)
			want := []string{"Deployment Succeeded p_service_web_dev:1 to p_service_web_dev:2 for e"}
			if diff := cmp.Diff(want, reports); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// deploymentSucceeded reports whether the newest service deployment has.
func (a testAccount) deploymentSucceeded(t *testing.T) bool {
	t.Helper()
	out, err := a.ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service)})
	must(t, err)
	return out.ServiceDeployments[0].Status == types.ServiceDeploymentStatusSuccessful
}

// sayings returns what each of the ways to look at a rollout says of it, "succeeded" or
// "not yet".
func (a testAccount) sayings(t *testing.T, revision, id string) (all []string) {
	t.Helper()
	say := func(succeeded bool) {
		if succeeded {
			all = append(all, "succeeded")
		} else {
			all = append(all, "not yet")
		}
	}
	p, err := a.rollouts.Progress(t.Context(), target, revision)
	must(t, err)
	say(p.Phase == journal.Succeeded)
	must(t, a.rollouts.Statuses(t.Context(), target.Cluster, []ecsservice.Target{target}, &Memory{},
		func(_ int, s Status, err error) {
			must(t, err)
			say(s.Condition == Steady)
		}))
	h, err := a.rollouts.History(t.Context(), target, 1)
	must(t, err)
	say(h.Records[0].Outcome == journal.Succeeded)
	e := event.Rollout{Step: event.RolloutCompleted, DeploymentID: id}
	o, err := NewHandler(a.services).observe(t.Context(), target, e, false)
	must(t, err)
	decided := Decide(e, reported, o)
	// ECS sends COMPLETED of a rolling update when it is.
	if o.Shifts || a.deploymentSucceeded(t) {
		say(slices.ContainsFunc(decided.Drafts, func(d Draft) bool {
			return strings.HasSuffix(string(d.Kind), "Succeeded")
		}))
	}
	return all
}
