package ecs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestServiceDeployments follows deployments that start at 09:40.
func TestServiceDeployments(t *testing.T) {
	t.Parallel()
	must := func(do func(*testing.T, *env) error) func(*testing.T, *env) {
		return func(t *testing.T, w *env) {
			t.Helper()
			if err := do(t, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	proceed := must(func(t *testing.T, w *env) error { return w.act(t, "") })
	rollBack := must(func(t *testing.T, w *env) error { return w.act(t, types.DeploymentLifecycleHookActionRollback) })
	stop := must(func(t *testing.T, w *env) error { return w.stop(t, types.StopServiceDeploymentStopTypeRollback) })
	again := func(t *testing.T, w *env) {
		w.Register(t, dev, "web", "nginx:3")
		w.update(t, "web")
	}
	const (
		begun  = "09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d2 ECS deployment d2 in progress."
		failed = "09:40 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment stopped: it was stopped by " +
			"StopServiceDeployment."
	)
	type phase struct {
		do    func(*testing.T, *env)
		steps int
		want  []string // of history, without the first deployment
	}
	tests := []struct {
		name, more, image string
		phases            []phase
		events            []string
	}{{
		name: "rolling", image: "nginx:2",
		phases: []phase{
			{want: []string{"IN_PROGRESS d2 2/2/0"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2"}},
			{steps: 1, want: []string{"SUCCESSFUL d2 2/0/2 finished 09:42"}},
		},
		events: []string{begun, "09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "baking", more: blueGreen(""), image: "nginx:2",
		phases: []phase{
			{want: []string{"IN_PROGRESS d2 2/2/0 at SCALE_UP"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at PRODUCTION_TRAFFIC_SHIFT"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{steps: 4, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{steps: 1, want: []string{"SUCCESSFUL d2 2/0/2 finished 09:47"}},
		},
		events: []string{begun, "09:47 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "paused and continued", more: blueGreen(pauseAt("POST_SCALE_UP", "")), image: "nginx:2",
		phases: []phase{
			{steps: 60, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until 09:41 else " +
				"ROLLBACK"}}, // of the day after
			{do: proceed, steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME SUCCEEDED until 09:41 else " +
				"ROLLBACK"}},
			{steps: 5, want: []string{"SUCCESSFUL d2 2/0/2 SUCCEEDED until 09:41 else ROLLBACK finished 10:46"}},
		},
		events: []string{begun,
			"09:41 INFO HOOK_AWAITING_ACTION h1POST_SCALE_UP",
			"10:40 INFO HOOK_SUCCEEDED h1POST_SCALE_UP",
			"10:46 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "paused before it starts and rolled back", more: blueGreen(pauseAt("PRE_SCALE_UP", "")), image: "nginx:2",
		phases: []phase{
			{steps: 10, want: []string{"IN_PROGRESS d2 2/0/0 at PRE_SCALE_UP AWAITING_ACTION until 09:40 else " +
				"ROLLBACK"}},
			{do: rollBack, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 at SCALE_UP FAILED until 09:40 else ROLLBACK " +
				"back to d1: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed."}},
			{steps: 1, want: []string{"ROLLBACK_IN_PROGRESS d2 0/0/0 at PRODUCTION_TRAFFIC_SHIFT FAILED until 09:40 " +
				"else ROLLBACK back to d1: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) " +
				"failed."}},
			{steps: 1, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 FAILED until 09:40 else ROLLBACK back to d1 " +
				"finished 09:52: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed."}},
		},
		events: []string{begun,
			"09:40 INFO HOOK_AWAITING_ACTION h1PRE_SCALE_UP",
			"09:50 ERROR HOOK_FAILED h1PRE_SCALE_UP",
			"09:50 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment lifecycle hook: PRE_SCALE_UP lifecycle hook(s) " +
				"failed.",
			"09:50 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment lifecycle hook: rolling back to " +
				"deploymentId d1.",
			"09:52 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "paused until the timeout", more: blueGreen(pauseAt("POST_TEST_TRAFFIC_SHIFT",
			`,"timeoutConfiguration":{"timeoutInMinutes":10,"action":"CONTINUE"}`)), image: "nginx:2",
		phases: []phase{
			{steps: 11, want: []string{"IN_PROGRESS d2 2/0/2 at PRODUCTION_TRAFFIC_SHIFT TIMED_OUT until 09:51 else " +
				"CONTINUE"}},
		},
		events: []string{begun, "09:41 INFO HOOK_AWAITING_ACTION h1POST_TEST_TRAFFIC_SHIFT",
			"09:51 ERROR HOOK_TIMED_OUT h1POST_TEST_TRAFFIC_SHIFT"},
	}, {
		name: "paused on two hooks",
		more: blueGreen(`,"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["POST_SCALE_UP"]},` +
			`{"targetType":"PAUSE","lifecycleStages":["POST_SCALE_UP"],` +
			`"timeoutConfiguration":{"timeoutInMinutes":20}}]`), image: "nginx:2",
		phases: []phase{
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until 09:41 else " +
				"ROLLBACK AWAITING_ACTION until 10:01 else ROLLBACK"}},
			{do: proceed, steps: 30, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until " +
				"09:41 else ROLLBACK SUCCEEDED until 10:01 else ROLLBACK"}},
		},
		events: []string{begun, "09:41 INFO HOOK_AWAITING_ACTION h1POST_SCALE_UP",
			"09:41 INFO HOOK_AWAITING_ACTION h2POST_SCALE_UP", "09:41 INFO HOOK_SUCCEEDED h2POST_SCALE_UP"},
	}, {
		name: "stopped", image: "nginx:broken", more: `,"deploymentConfiguration":{"strategy":"ROLLING"}`,
		phases: []phase{
			{do: stop, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 back to d1: Service deployment rolled back " +
				"because of a request to stop it."}},
			{do: stop, steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:42: Service " +
				"deployment rolled back because of a request to stop it."}},
		},
		events: []string{begun, failed,
			"09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment stopped: rolling back to deploymentId d1.",
			"09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "stopped while it bakes", image: "nginx:2", more: blueGreen(""),
		phases: []phase{
			{steps: 3, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{do: stop, steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:45: Service " +
				"deployment rolled back because of a request to stop it."}},
		},
		events: []string{begun,
			"09:43 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment stopped: it was stopped by StopServiceDeployment.",
			"09:43 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment stopped: rolling back to deploymentId d1.",
			"09:45 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "the breaker triggers", image: "nginx:broken", more: rollback,
		phases: []phase{
			{steps: 2, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 back to d1: Service deployment rolled back " +
				"because the circuit breaker threshold was exceeded."}},
			{steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:44: Service deployment " +
				"rolled back because the circuit breaker threshold was exceeded."}},
		},
		events: []string{begun,
			"09:42 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment circuit breaker: tasks failed to start.",
			"09:42 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment circuit breaker: rolling back to " +
				"deploymentId d1.",
			"09:44 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "the breaker triggers without a rollback", image: "nginx:broken", more: strings.Replace(rollback,
			`"rollback":true`, `"rollback":false`, 1),
		phases: []phase{
			{steps: 2, want: []string{"STOPPED d2 2/0/0 finished 09:42: ECS deployment circuit breaker: tasks failed " +
				"to start."}},
		},
		events: []string{begun, "09:42 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment circuit breaker: tasks " +
			"failed " +
			"to start."},
	}, {
		name: "superseded", image: "nginx:2",
		phases: []phase{
			{do: again, want: []string{"IN_PROGRESS d3 2/2/0", "STOP_REQUESTED d2 2/0/0"}},
			{steps: 1, want: []string{"IN_PROGRESS d3 2/0/2", "STOPPED d2 0/0/0 finished 09:41"}},
			{steps: 1, want: []string{"SUCCESSFUL d3 2/0/2 finished 09:42", "STOPPED d2 0/0/0 finished 09:41"}},
		},
		events: []string{begun,
			"09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment d3 in progress.",
			"09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, n := deploying(t, tt.more, tt.image)
			for i, s := range tt.phases {
				if s.do != nil {
					s.do(t, w)
				}
				w.Clock.Advance(time.Duration(s.steps) * time.Minute)
				got := w.history(t, n)
				if diff := cmp.Diff(s.want, got[:len(got)-1]); diff != "" {
					t.Errorf("phase %d (-want +got):\n%s", i, diff)
				}
				if last := got[len(got)-1]; !strings.HasPrefix(last, "SUCCESSFUL d1 ") {
					t.Errorf("phase %d: the first is %s", i, last)
				}
			}
			if diff := cmp.Diff(tt.events, w.events(t, n)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBaking: while a deployment bakes, the old tasks run beside the new ones, and no rolloutState shows its end.
// Options.BakeMinute sets how long that is.
func TestBaking(t *testing.T) {
	t.Parallel()
	clock := emulator.NewClock(emulatortest.StartTime)
	e := emulator.New(emulator.Options{Clock: clock.Now, RolloutStep: time.Second, BakeMinute: time.Second})
	w := &env{emulatortest.Serve(t, e)}
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, dev, "web", "nginx")
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2`+
		blueGreen("")+`}`)
	clock.Advance(7 * time.Second)
	n := names{}
	w.rollout(t, n)
	w.Register(t, dev, "web", "nginx:2")
	w.update(t, "web")
	clock.Advance(6 * time.Second)
	want := []string{"ACTIVE web:2 2/0/4",
		"d2 PRIMARY web:2 2/0/2-0 : ",
		"d1 ACTIVE web:1 2/0/2-0 : "}
	if diff := cmp.Diff(want, w.rollout(t, n)); diff != "" {
		t.Errorf("after six seconds (-want +got):\n%s", diff)
	}
	clock.Advance(time.Second)
	want = []string{"ACTIVE web:2 2/0/2", "d2 PRIMARY web:2 2/0/2-0 : "}
	if diff := cmp.Diff(want, w.rollout(t, n)); diff != "" {
		t.Errorf("after seven seconds (-want +got):\n%s", diff)
	}
}
