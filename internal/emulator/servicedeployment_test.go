package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/emulator"
)

// blueGreen is a deployment that bakes for five minutes, for deploying; more are further
// members of the configuration.
func blueGreen(more string) string {
	return `,"deploymentConfiguration":{"strategy":"BLUE_GREEN","bakeTimeInMinutes":5` + more + `}`
}

// pauseAt is a pause hook at a stage, for blueGreen.
func pauseAt(stage, more string) string {
	return `,"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["` + stage + `"]` + more + `}]`
}

// records are the service deployments of the service web, newest first, by the SDK.
func (w *world) records(t *testing.T) []types.ServiceDeployment {
	t.Helper()
	listed, err := w.ecs(dev).ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: new("c"), Service: new("web")})
	if err != nil {
		t.Fatal(err)
	}
	var arns []string
	for _, d := range listed.ServiceDeployments {
		arns = append(arns, *d.ServiceDeploymentArn)
	}
	described, err := w.ecs(dev).DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range described.ServiceDeployments {
		if b := listed.ServiceDeployments[i]; b.Status != d.Status || *b.TargetServiceRevisionArn != *d.TargetServiceRevision.Arn {
			t.Errorf("listed is %v, described %v", b, d)
		}
	}
	return described.ServiceDeployments
}

// history says in a line each what became of the service deployments, newest first.
func (w *world) history(t *testing.T, n names) []string {
	t.Helper()
	last := func(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
	records := w.records(t)
	for i := len(records) - 1; i >= 0; i-- {
		n.replace(last(*records[i].TargetServiceRevision.Arn)) // the oldest is named first
	}
	var lines []string
	for _, d := range records {
		line := fmt.Sprintf("%s %s %d/%d/%d", d.Status, last(*d.TargetServiceRevision.Arn),
			d.TargetServiceRevision.RequestedTaskCount, d.TargetServiceRevision.PendingTaskCount, d.TargetServiceRevision.RunningTaskCount)
		if d.LifecycleStage != "" {
			line += " at " + string(d.LifecycleStage)
		}
		for _, h := range d.LifecycleHookDetails {
			line += fmt.Sprintf(" %s until %s else %s", h.Status, h.ExpiresAt.UTC().Format("15:04"), h.TimeoutAction)
		}
		if d.Rollback != nil {
			line += " back to " + last(*d.Rollback.ServiceRevisionArn)
		}
		if d.FinishedAt != nil {
			line += " finished " + d.FinishedAt.UTC().Format("15:04")
		}
		if d.StatusReason != nil {
			line += ": " + *d.StatusReason
		}
		lines = append(lines, n.replace(line))
	}
	return lines
}

// told are the events of ECS in the queue, in a line each.
func (w *world) told(t *testing.T, n names) []string {
	t.Helper()
	var lines []string
	for _, body := range w.bodies(t, devQueue) {
		var event struct {
			Time   time.Time
			Detail struct{ EventType, EventName, DeploymentID, HookID, LifecycleStage, Reason string }
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			t.Fatal(err)
		}
		d := event.Detail
		lines = append(lines, strings.TrimSpace(n.replace(fmt.Sprintf("%s %s %s %s%s%s %s", event.Time.Format("15:04"), d.EventType, d.EventName, d.DeploymentID, d.HookID, d.LifecycleStage, d.Reason))))
	}
	return lines
}

// deploying is a world whose service web begins at 09:40 to run its second revision,
// with an image that may be broken; more are further members of that UpdateService.
func deploying(t *testing.T, more, image string) (*world, names) {
	t.Helper()
	w := newService(t, "")
	w.FailImage("broken")
	w.clock.Advance(8 * time.Minute)
	n := names{}
	w.rollout(t, n)
	w.rule(t, dev, `{"source":["aws.ecs"]}`, devQueue, "")
	w.register(t, dev, "web", image)
	w.do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","taskDefinition":"web"`+more+`}`)
	return w, n
}

// answer is a ContinueServiceDeployment for the newest service deployment's last hook.
func (w *world) answer(t *testing.T, action types.DeploymentLifecycleHookAction) error {
	t.Helper()
	newest := w.records(t)[0]
	hook := newest.LifecycleHookDetails[len(newest.LifecycleHookDetails)-1]
	_, err := w.ecs(dev).ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn, HookId: hook.HookId, Action: action})
	return err
}

// halt is a StopServiceDeployment for the newest service deployment.
func (w *world) halt(t *testing.T, how types.StopServiceDeploymentStopType) error {
	t.Helper()
	_, err := w.ecs(dev).StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: w.records(t)[0].ServiceDeploymentArn, StopType: how})
	return err
}

// TestServiceDeployments goes with each service through a deployment from 09:40 on.
func TestServiceDeployments(t *testing.T) {
	t.Parallel()
	must := func(do func(*testing.T, *world) error) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			t.Helper()
			if err := do(t, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	proceed := must(func(t *testing.T, w *world) error { return w.answer(t, "") })
	goBack := must(func(t *testing.T, w *world) error { return w.answer(t, types.DeploymentLifecycleHookActionRollback) })
	stop := must(func(t *testing.T, w *world) error { return w.halt(t, types.StopServiceDeploymentStopTypeRollback) })
	abort := must(func(t *testing.T, w *world) error { return w.halt(t, types.StopServiceDeploymentStopTypeAbort) })
	again := func(t *testing.T, w *world) {
		w.register(t, dev, "web", "nginx:3")
		w.update(t, "web")
	}
	const (
		begun  = "09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d2 ECS deployment d2 in progress."
		failed = "09:40 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment stopped: it was stopped by StopServiceDeployment."
	)
	type stage struct {
		do    func(*testing.T, *world)
		steps int
		want  []string // of history, without the first deployment
	}
	tests := []struct {
		name, more, image string
		stages            []stage
		told              []string
	}{{
		name: "rolling", image: "nginx:2",
		stages: []stage{
			{want: []string{"IN_PROGRESS d2 2/2/0"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2"}},
			{steps: 1, want: []string{"SUCCESSFUL d2 2/0/2 finished 09:42"}},
		},
		told: []string{begun, "09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "baking", more: blueGreen(""), image: "nginx:2",
		stages: []stage{
			{want: []string{"IN_PROGRESS d2 2/2/0 at SCALE_UP"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at PRODUCTION_TRAFFIC_SHIFT"}},
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{steps: 4, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{steps: 1, want: []string{"SUCCESSFUL d2 2/0/2 finished 09:47"}},
		},
		told: []string{begun, "09:47 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "a canary that does not bake", more: `,"deploymentConfiguration":{"strategy":"CANARY"}`, image: "nginx:2",
		stages: []stage{
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at PRODUCTION_TRAFFIC_SHIFT"}},
			{steps: 1, want: []string{"SUCCESSFUL d2 2/0/2 finished 09:42"}},
		},
		told: []string{begun, "09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "paused, and taken on", more: blueGreen(pauseAt("POST_SCALE_UP", "")), image: "nginx:2",
		stages: []stage{
			{steps: 60, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until 09:41 else ROLLBACK"}}, // of the day after
			{do: proceed, steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME SUCCEEDED until 09:41 else ROLLBACK"}},
			{steps: 5, want: []string{"SUCCESSFUL d2 2/0/2 SUCCEEDED until 09:41 else ROLLBACK finished 10:46"}},
		},
		told: []string{begun,
			"09:41 INFO HOOK_AWAITING_ACTION h1POST_SCALE_UP",
			"10:40 INFO HOOK_SUCCEEDED h1POST_SCALE_UP",
			"10:46 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed."},
	}, {
		name: "paused before it starts, and taken back", more: blueGreen(pauseAt("PRE_SCALE_UP", "")), image: "nginx:2",
		stages: []stage{
			{steps: 10, want: []string{"IN_PROGRESS d2 2/0/0 at PRE_SCALE_UP AWAITING_ACTION until 09:40 else ROLLBACK"}},
			{do: goBack, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 at SCALE_UP FAILED until 09:40 else ROLLBACK back to d1: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed."}},
			{steps: 1, want: []string{"ROLLBACK_IN_PROGRESS d2 0/0/0 at PRODUCTION_TRAFFIC_SHIFT FAILED until 09:40 else ROLLBACK back to d1: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed."}},
			{steps: 1, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 FAILED until 09:40 else ROLLBACK back to d1 finished 09:52: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed."}},
		},
		told: []string{begun,
			"09:40 INFO HOOK_AWAITING_ACTION h1PRE_SCALE_UP",
			"09:50 ERROR HOOK_FAILED h1PRE_SCALE_UP",
			"09:50 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment lifecycle hook: PRE_SCALE_UP lifecycle hook(s) failed.",
			"09:50 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment lifecycle hook: rolling back to deploymentId d1.",
			"09:52 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "paused and forgotten", more: blueGreen(pauseAt("POST_TEST_TRAFFIC_SHIFT", `,"timeoutConfiguration":{"timeoutInMinutes":10,"action":"CONTINUE"}`)), image: "nginx:2",
		stages: []stage{
			{steps: 11, want: []string{"IN_PROGRESS d2 2/0/2 at PRODUCTION_TRAFFIC_SHIFT TIMED_OUT until 09:51 else CONTINUE"}},
		},
		told: []string{begun, "09:41 INFO HOOK_AWAITING_ACTION h1POST_TEST_TRAFFIC_SHIFT", "09:51 ERROR HOOK_TIMED_OUT h1POST_TEST_TRAFFIC_SHIFT"},
	}, {
		name: "paused on two hooks", more: blueGreen(`,"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["POST_SCALE_UP"]},{"targetType":"PAUSE","lifecycleStages":["POST_SCALE_UP"],"timeoutConfiguration":{"timeoutInMinutes":20}}]`), image: "nginx:2",
		stages: []stage{
			{steps: 1, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until 09:41 else ROLLBACK AWAITING_ACTION until 10:01 else ROLLBACK"}},
			{do: proceed, steps: 30, want: []string{"IN_PROGRESS d2 2/0/2 at POST_SCALE_UP AWAITING_ACTION until 09:41 else ROLLBACK SUCCEEDED until 10:01 else ROLLBACK"}},
		},
		told: []string{begun, "09:41 INFO HOOK_AWAITING_ACTION h1POST_SCALE_UP", "09:41 INFO HOOK_AWAITING_ACTION h2POST_SCALE_UP", "09:41 INFO HOOK_SUCCEEDED h2POST_SCALE_UP"},
	}, {
		name: "stopped", image: "nginx:broken", more: `,"deploymentConfiguration":{"strategy":"ROLLING"}`,
		stages: []stage{
			{do: stop, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 back to d1: Service deployment rolled back because of a request to stop it."}},
			{do: stop, steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:42: Service deployment rolled back because of a request to stop it."}},
		},
		told: []string{begun, failed,
			"09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment stopped: rolling back to deploymentId d1.",
			"09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "stopped while it bakes", image: "nginx:2", more: blueGreen(""),
		stages: []stage{
			{steps: 3, want: []string{"IN_PROGRESS d2 2/0/2 at BAKE_TIME"}},
			{do: stop, steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:45: Service deployment rolled back because of a request to stop it."}},
		},
		told: []string{begun,
			"09:43 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment stopped: it was stopped by StopServiceDeployment.",
			"09:43 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment stopped: rolling back to deploymentId d1.",
			"09:45 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "aborted", image: "nginx:2",
		stages: []stage{
			{do: abort, steps: 9, want: []string{"STOPPED d2 2/0/0 finished 09:40: ECS deployment stopped: it was stopped by StopServiceDeployment."}},
		},
		told: []string{begun, failed},
	}, {
		name: "the breaker trips", image: "nginx:broken", more: rollback,
		stages: []stage{
			{steps: 2, want: []string{"ROLLBACK_REQUESTED d2 0/0/0 back to d1: Service deployment rolled back because the circuit breaker threshold was exceeded."}},
			{steps: 2, want: []string{"ROLLBACK_SUCCESSFUL d2 0/0/0 back to d1 finished 09:44: Service deployment rolled back because the circuit breaker threshold was exceeded."}},
		},
		told: []string{begun,
			"09:42 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment circuit breaker: tasks failed to start.",
			"09:42 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment circuit breaker: rolling back to deploymentId d1.",
			"09:44 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}, {
		name: "the breaker trips and nothing more", image: "nginx:broken", more: strings.Replace(rollback, `"rollback":true`, `"rollback":false`, 1),
		stages: []stage{
			{steps: 2, want: []string{"STOPPED d2 2/0/0 finished 09:42: ECS deployment circuit breaker: tasks failed to start."}},
		},
		told: []string{begun, "09:42 ERROR SERVICE_DEPLOYMENT_FAILED d2 ECS deployment circuit breaker: tasks failed to start."},
	}, {
		name: "superseded", image: "nginx:2",
		stages: []stage{
			{do: again, want: []string{"IN_PROGRESS d3 2/2/0", "STOP_REQUESTED d2 2/0/0"}},
			{steps: 1, want: []string{"IN_PROGRESS d3 2/0/2", "STOPPED d2 0/0/0 finished 09:41"}},
			{steps: 1, want: []string{"SUCCESSFUL d3 2/0/2 finished 09:42", "STOPPED d2 0/0/0 finished 09:41"}},
		},
		told: []string{begun,
			"09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d3 ECS deployment d3 in progress.",
			"09:42 INFO SERVICE_DEPLOYMENT_COMPLETED d3 ECS deployment d3 completed."},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, n := deploying(t, tt.more, tt.image)
			for i, s := range tt.stages {
				if s.do != nil {
					s.do(t, w)
				}
				w.clock.Advance(time.Duration(s.steps) * time.Minute)
				got := w.history(t, n)
				if diff := cmp.Diff(s.want, got[:len(got)-1]); diff != "" {
					t.Errorf("stage %d (-want +got):\n%s", i, diff)
				}
				if last := got[len(got)-1]; !strings.HasPrefix(last, "SUCCESSFUL d1 ") {
					t.Errorf("stage %d: the first is %s", i, last)
				}
			}
			if diff := cmp.Diff(tt.told, w.told(t, n)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// While a deployment bakes, the old tasks run beside the new ones. A minute of baking
// may be as short as a test wants it.
func TestBaking(t *testing.T) {
	t.Parallel()
	clock := emulator.NewClock(start)
	e := emulator.New(emulator.Options{Clock: clock.Now, RolloutStep: time.Second, BakeMinute: time.Second})
	w := serve(t, e)
	w.do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.register(t, dev, "web", "nginx")
	w.do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2`+blueGreen("")+`}`)
	clock.Advance(7 * time.Second)
	n := names{}
	w.rollout(t, n)
	w.register(t, dev, "web", "nginx:2")
	w.update(t, "web")
	clock.Advance(6 * time.Second)
	want := []string{"ACTIVE web:2 2/0/4",
		"d2 PRIMARY web:2 2/0/2-0 IN_PROGRESS: ECS deployment d2 in progress.",
		"d1 ACTIVE web:1 2/0/2-0 COMPLETED: ECS deployment d1 completed."}
	if diff := cmp.Diff(want, w.rollout(t, n)); diff != "" {
		t.Errorf("after six seconds (-want +got):\n%s", diff)
	}
	clock.Advance(time.Second)
	want = []string{"ACTIVE web:2 2/0/2", "d2 PRIMARY web:2 2/0/2-0 COMPLETED: ECS deployment d2 completed."}
	if diff := cmp.Diff(want, w.rollout(t, n)); diff != "" {
		t.Errorf("after seven seconds (-want +got):\n%s", diff)
	}
}

func TestServiceDeploymentErrors(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:ecs:us-east-1:111111111111:service-deployment/c/web/"
	w, _ := deploying(t, blueGreen(pauseAt("POST_SCALE_UP", "")), "nginx:2")
	w.clock.Advance(time.Minute)
	records := w.records(t)
	paused, over := *records[0].ServiceDeploymentArn, *records[1].ServiceDeploymentArn
	hook := *records[0].LifecycleHookDetails[0].HookId
	tests := []struct{ name, call, body, want string }{
		{"stop what there is not", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + arn + `x"}`, `{"__type":"ServiceDeploymentNotFoundException","message":"Service deployment not found."}`},
		{"stop what is no ARN", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"x"}`, `{"__type":"InvalidParameterException","message":"Invalid identifier: x"}`},
		{"stop somehow", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + paused + `","stopType":"SOMEHOW"}`, `{"__type":"InvalidParameterException","message":"Unknown stop type: SOMEHOW"}`},
		{"stop what is over", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + over + `"}`, `{"__type":"ConflictException","message":"The service deployment has the status SUCCESSFUL and cannot be stopped."}`},
		{"continue what there is not", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + arn + `x","hookId":"` + hook + `"}`, `{"__type":"ServiceDeploymentNotFoundException","message":"Service deployment not found."}`},
		{"continue from another hook", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + paused + `","hookId":"ecs-pause-x"}`, `{"__type":"InvalidParameterException","message":"The lifecycle hook ecs-pause-x is not one of the service deployment."}`},
		{"continue somehow", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + paused + `","hookId":"` + hook + `","action":"WAIT"}`, `{"__type":"InvalidParameterException","message":"Unknown action: WAIT"}`},
		{"describe none", "ecs:DescribeServiceDeployments", `{"serviceDeploymentArns":[]}`, `{"__type":"InvalidParameterException","message":"There must be between 1 and 20 ARNs."}`},
		{"a pause at a stage that knows none", "ecs:UpdateService", `{"cluster":"c","service":"web"` + blueGreen(pauseAt("PRODUCTION_TRAFFIC_SHIFT", "")) + `}`, `{"__type":"InvalidParameterException","message":"Pause hooks cannot be configured at the PRODUCTION_TRAFFIC_SHIFT stage."}`},
		{"a pause too long", "ecs:UpdateService", `{"cluster":"c","service":"web"` + blueGreen(pauseAt("PRE_SCALE_UP", `,"timeoutConfiguration":{"timeoutInMinutes":20161}`)) + `}`, `{"__type":"InvalidParameterException","message":"timeoutInMinutes must be between 1 and 20160."}`},
		{"a function", "ecs:CreateService", `{"cluster":"c","serviceName":"api","taskDefinition":"web"` + blueGreen(`,"lifecycleHooks":[{"hookTargetArn":"arn","lifecycleStages":["PRE_SCALE_UP"]}]`) + `}`, `{"__type":"InvalidParameterException","message":"Lifecycle hooks of functions are not supported by the emulator."}`},
	}
	for _, tt := range tests {
		if status, got := w.raw(t, dev, tt.call, tt.body); status != 400 || got != tt.want {
			t.Errorf("%s: %d %s, want %s", tt.name, status, got, tt.want)
		}
	}
	if err := w.answer(t, types.DeploymentLifecycleHookActionContinue); err != nil {
		t.Fatal(err)
	}
	wantError(t, w.answer(t, types.DeploymentLifecycleHookActionContinue), "InvalidParameterException", "The lifecycle hook "+hook+" is not awaiting an action.")
}

// Nothing was ever completed: there is nothing to roll back to.
func TestStopFirstDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.register(t, dev, "web", "nginx")
	w.do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2}`)
	wantError(t, w.halt(t, types.StopServiceDeploymentStopTypeRollback), "ConflictException", "No rollback candidate was found to run the rollback.")
}

// Stopping and continuing take leave for the service and for its service deployment.
func TestServiceDeploymentsAreAuthorized(t *testing.T) {
	t.Parallel()
	const service, deployments = "arn:aws:ecs:us-east-1:111111111111:service/c/web", "arn:aws:ecs:us-east-1:111111111111:service-deployment/c/web/*"
	w, _ := deploying(t, blueGreen(pauseAt("PRE_SCALE_UP", "")), "nginx:2")
	newest := w.records(t)[0]
	deployer := w.ecs(dev + "-Deployer")
	resume := func() error {
		_, err := deployer.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn, HookId: newest.LifecycleHookDetails[0].HookId})
		return err
	}
	stop := func() error {
		_, err := deployer.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn})
		return err
	}
	for action, call := range map[string]func() error{"ecs:ContinueServiceDeployment": resume, "ecs:StopServiceDeployment": stop} {
		for _, only := range []string{service, deployments} {
			w.SetRolePolicy(dev, "Deployer", document(t, allow(action, only)))
			refused := service
			if only == service {
				refused = *newest.ServiceDeploymentArn
			}
			wantError(t, call(), "AccessDeniedException", "User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: "+action+" on resource: "+refused+" because no identity-based policy allows the "+action+" action")
		}
	}
	w.SetRolePolicy(dev, "Deployer", document(t, allow("ecs:*", service)), document(t, allow("ecs:*", deployments)))
	if err := resume(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestListServiceDeployments(t *testing.T) {
	t.Parallel()
	w, n := deploying(t, "", "nginx:2")
	w.clock.Advance(time.Hour)
	w.register(t, dev, "web", "nginx:3")
	w.update(t, "web")
	w.records(t)
	tests := []struct {
		name string
		in   ecs.ListServiceDeploymentsInput
		want []string
	}{
		{"all", ecs.ListServiceDeploymentsInput{}, []string{"s1 IN_PROGRESS", "s2 SUCCESSFUL", "s3 SUCCESSFUL"}},
		{"of a status", ecs.ListServiceDeploymentsInput{Status: []types.ServiceDeploymentStatus{"PENDING", "IN_PROGRESS"}}, []string{"s1 IN_PROGRESS"}},
		{"a page", ecs.ListServiceDeploymentsInput{MaxResults: new(int32(2))}, []string{"s1 IN_PROGRESS", "s2 SUCCESSFUL", "more"}},
		{"since", ecs.ListServiceDeploymentsInput{CreatedAt: &types.CreatedAt{After: new(start.Add(10 * time.Minute))}}, []string{"s1 IN_PROGRESS", "s2 SUCCESSFUL"}},
		{"before", ecs.ListServiceDeploymentsInput{CreatedAt: &types.CreatedAt{Before: new(start.Add(9 * time.Minute))}}, []string{"s3 SUCCESSFUL"}},
	}
	for _, tt := range tests {
		tt.in.Cluster, tt.in.Service = new("c"), new("web")
		listed, err := w.ecs(dev).ListServiceDeployments(t.Context(), &tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range listed.ServiceDeployments {
			arn := n.replace(*d.ServiceDeploymentArn)
			got = append(got, arn[strings.LastIndexByte(arn, '/')+1:]+" "+string(d.Status))
		}
		if listed.NextToken != nil {
			got = append(got, "more")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	described, err := w.ecs(dev).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: new("c"), Services: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.replace(*described.Services[0].CurrentServiceDeployment); !strings.HasSuffix(got, "/s1") {
		t.Errorf("the current service deployment is %s, want s1", got)
	}
	// A deleted service has none.
	w.do(t, dev, "ecs:DeleteService", `{"cluster":"c","service":"web","force":true}`)
	if got := w.do(t, dev, "ecs:ListServiceDeployments", `{"cluster":"c","service":"web"}`); got != `{"serviceDeployments":[]}` {
		t.Errorf("of a deleted service: %s", got)
	}
}

func TestServiceRevisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	digest := w.push(t, dev, "myproject_backend", "one", "v1")
	w.do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.register(t, dev, "web", registryImage+":v1")
	w.do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web"}`)
	revision := *w.records(t)[0].TargetServiceRevision.Arn
	described, err := w.ecs(dev).DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{revision, revision + "0"}})
	if err != nil {
		t.Fatal(err)
	}
	got := described.ServiceRevisions[0]
	image := got.ContainerImages[0]
	want := []string{"arn:aws:ecs:us-east-1:111111111111:task-definition/web:1", "app", registryImage + ":v1", digest}
	if diff := cmp.Diff(want, []string{*got.TaskDefinition, *image.ContainerName, *image.Image, *image.ImageDigest}); diff != "" {
		t.Errorf("revision (-want +got):\n%s", diff)
	}
	if len(described.Failures) != 1 || *described.Failures[0].Reason != "MISSING" {
		t.Errorf("failures: %v", described.Failures)
	}
}
