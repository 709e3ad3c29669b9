package ecsdeploy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
)

func TestDeploy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, calls, err := w.deploy(t, target, order(w.digest))
	must(t, err)
	if !strings.HasPrefix(got.DeploymentID, "ecs-svc/") {
		t.Errorf("deployment id %q", got.DeploymentID)
	}
	got.DeploymentID = ""
	want := Deployment{
		Service: "web", Status: Deployed, Cluster: "c", ECSService: "p_service_web_dev",
		Image: host + "/p_service_web@" + w.digest, Tag: "v1", Digest: w.digest,
		TaskDefinition: arn + "p_service_web_dev:2", PreviousTaskDefinition: arn +
			"p_service_web_dev:1", Reason: "the service is being moved to the new revision",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	slices.Sort(calls[:2]) // the two reads are sent together
	if diff := cmp.Diff([]string{"DescribeServices", "DescribeTaskDefinition", "RegisterTaskDefinition",
		"UpdateService", "DescribeTaskDefinition"}, calls); diff != "" {
		t.Error(diff)
	}
	update := w.Calls()[3]
	body := `{"cluster":"c","service":"p_service_web_dev","taskDefinition":"` + arn + `p_service_web_dev:2"}`
	if string(update.Body) != body {
		t.Errorf("UpdateService sent %s, want %s", update.Body, body)
	}

	// A duplicate changes and writes nothing.
	got, calls, err = w.deploy(t, target, order(w.digest))
	must(t, err)
	if got.Status != Unchanged || got.Reason != "this event was carried out before" ||
		got.TaskDefinition != want.TaskDefinition || got.PreviousTaskDefinition != "" || len(calls) != 2 {
		t.Errorf("again: %+v after %v", got, calls)
	}
	// A newer event for the same image is only journaled.
	again := order(w.digest)
	again.Cause.ID, again.Image.Tag, again.Cause.Time = "e2", "git-abc123f", eventTime.Add(time.Second)
	got, calls, err = w.deploy(t, target, again)
	must(t, err)
	slices.Sort(calls[:2])
	if diff := cmp.Diff([]string{"DescribeServices", "DescribeTaskDefinition", "RegisterTaskDefinition",
		"DescribeServices", "DescribeTaskDefinition"}, calls); diff != "" {
		t.Error(diff)
	}
	if got.Status != Unchanged || got.TaskDefinition != want.TaskDefinition {
		t.Errorf("newer: %+v", got)
	}
	// A forced one is rolled out, once.
	again.Cause.ID, again.Force, again.Cause.Time = "e3", true, eventTime.Add(2*time.Second)
	if got, calls, err = w.deploy(t, target, again); err != nil || got.Status != Deployed ||
		got.TaskDefinition != arn+"p_service_web_dev:4" {
		t.Errorf("force: %+v after %v, %v", got, calls, err)
	}
	if got, calls, err = w.deploy(t, target, again); err != nil || got.Status != Unchanged ||
		got.Reason != "this event was carried out before" {
		t.Errorf("force twice: %+v after %v, %v", got, calls, err)
	}
}

func TestRevisionsAreNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 9 { // revision 10 follows 9, which as text is the greater
		w.register(t, target.Family, fmt.Sprintf("%s/p_service_web:v%d", host, i))
	}
	got, _, err := w.deploy(t, target, order(w.digest))
	must(t, err)
	if got.TaskDefinition != arn+"p_service_web_dev:11" || got.PreviousTaskDefinition != arn+"p_service_web_dev:1" {
		t.Errorf("got %+v", got)
	}
	after, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	if rule := tagOf(after.Tags, "deployer:rule"); rule != "base=10 config=10" {
		t.Errorf("rule %s", rule)
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		base   environment.Base
		memory string
	}{
		{"latest clones a newer revision of the infrastructure", environment.BaseLatest, "1024"},
		{"service clones the running revision", environment.BaseService, "512"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before, err := w.Runs(t.Context(), "c", target.Service)
			must(t, err)
			in := clone(ecsservice.Revision{TaskDefinition: before.TaskDefinition})
			in.Memory = aws.String("1024")
			_, err = w.ECS.RegisterTaskDefinition(t.Context(), in)
			must(t, err)
			to := target
			to.Base = tt.base
			_, calls, err := w.deploy(t, to, order(w.digest))
			must(t, err)
			if len(calls) != 6 {
				t.Errorf("%d calls, want 6: the service runs another revision than the newest", len(calls))
			}
			after, err := w.Runs(t.Context(), "c", target.Service)
			must(t, err)
			if got := aws.ToString(after.TaskDefinition.Memory); got != tt.memory {
				t.Errorf("memory %s, want %s", got, tt.memory)
			}
		})
	}
}

// TestAnotherFamily checks that the family that the service runs is used, whether or
// not the conventional one exists.
func TestAnotherFamily(t *testing.T) {
	t.Parallel()
	for _, exists := range []bool{true, false} {
		t.Run(fmt.Sprintf("conventional exists %v", exists), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			to := target
			if to.Family = "p_service_web_old"; exists {
				w.register(t, to.Family, "nginx")
			}
			got, _, err := w.deploy(t, to, order(w.digest))
			must(t, err)
			if got.TaskDefinition != arn+"p_service_web_dev:2" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestNotDeployable(t *testing.T) {
	t.Parallel()
	controller := func(c types.DeploymentControllerType) func(*ecs.RegisterTaskDefinitionInput,
		*ecs.CreateServiceInput) {
		return func(_ *ecs.RegisterTaskDefinitionInput, in *ecs.CreateServiceInput) {
			in.DeploymentController = &types.DeploymentController{Type: c}
			in.DeploymentConfiguration = nil // the circuit breaker is the ECS controller's
		}
	}
	const doing = `describing service "p_service_web_dev" in cluster "c": `
	tests := []struct {
		name   string
		change func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
		before func(*testing.T, *world)
		target func(*ecsservice.Target)
		fault  string
		want   string
	}{
		{name: "CODE_DEPLOY", change: controller(types.DeploymentControllerTypeCodeDeploy), fault: "ControllerNotECS",
			want: doing +
				"its deployment controller is CODE_DEPLOY, and UpdateService only changes the task definition " +
				"for ECS " +
				"(deploy it with AWS CodeDeploy (aws deploy create-deployment), or change its controller to " +
				"ECS, which supports blue/green deployments too)"},
		{name: "EXTERNAL", change: controller(types.DeploymentControllerTypeExternal), fault: "ControllerNotECS",
			want: doing +
				"its deployment controller is EXTERNAL, and UpdateService only changes the task definition for ECS " +
				"(deploy it with the tool that owns its task sets, or create the service again with the ECS " +
				"controller)"},
		{name: "missing service", target: func(to *ecsservice.Target) { to.Service = "other" },
			fault: "ServiceNotFound",
			want: `describing service "other" in cluster "c": the service does not exist ` +
				`(create it with the infrastructure, or correct deployer.workloads.web.service in dev.yaml)`},
		{name: "missing cluster", target: func(to *ecsservice.Target) { to.Cluster = "d" }, fault: "ClusterNotFound",
			want: `describing service "p_service_web_dev" in cluster "d": cluster "d" does not exist in this ` +
				`account and region ` +
				`(create it, or correct deployer.cluster in dev.yaml)`},
		{name: "inactive service", fault: "ServiceNotActive",
			before: func(t *testing.T, w *world) {
				_, err := w.ECS.DeleteService(t.Context(),
					&ecs.DeleteServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service),
						Force: aws.Bool(true)})
				must(t, err)
			},
			want: doing +
				"the service is INACTIVE, not ACTIVE " +
				"(it was deleted: create it again with the infrastructure, or remove it from dev.yaml)"},
		{name: "no container", fault: "ContainerNotFound",
			change: func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				in.ContainerDefinitions = []types.ContainerDefinition{
					{Name: aws.String("a"), Image: aws.String("nginx")}, {Name: aws.String("b"),
						Image: aws.String("redis:7")}, {Name: aws.String("xray-daemon"), Image: aws.String("x")}}
			},
			want: `choosing the container of task definition ` +
				`"arn:aws:ecs:us-east-1:111111111111:task-definition/p_service_web_dev:1" that runs ` +
				`"p_service_web": none runs an image of that repository of account 111111111111 in us-east-1, none ` +
				`is called "p_service_web_dev", and 2 are essential: a (nginx), b (redis:7), xray-daemon (x) (name ` +
				`the one that deployments change: write into dev.yaml below deployer: ` +
				`workloads: {web: {container: [a, b]}})`},
		{name: "too many tags", fault: "TooManyTags",
			change: func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				for i := range 45 {
					in.Tags = append(in.Tags, types.Tag{Key: aws.String(fmt.Sprintf("k%d", i)), Value: aws.String("v")})
				}
			},
			want: `cloning task definition ` +
				`"arn:aws:ecs:us-east-1:111111111111:task-definition/p_service_web_dev:1": it has 45 ` +
				`tags of its own, and a deployment needs up to 11 more, of 50 that ECS ` +
				`allows (remove 5 of the family's own tags or more, in the infrastructure)`},
		{name: "access denied", fault: "AccessDenied",
			before: func(_ *testing.T, w *world) {
				w.Inject(emulator.Fault{Operation: "ecs:DescribeServices",
					Error: emulator.AccessDenied("User: u is not authorized to perform: ecs:DescribeServices")})
			},
			want: doing +
				"AccessDeniedException: User: u is not authorized to perform: ecs:DescribeServices " +
				"(add to the policy of u: " +
				`{"Effect":"Allow","Action":["ecs:DescribeServices"],"Resource":"*"})`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			w := newWorld(t, changes...)
			if tt.before != nil {
				tt.before(t, w)
			}
			to := target
			if tt.target != nil {
				tt.target(&to)
			}
			got, calls, err := w.deploy(t, to, order(w.digest))
			var wrong *fault.Misconfiguration
			if !errors.As(err, &wrong) || string(wrong.Name) != tt.fault || err.Error() != tt.want {
				t.Errorf("got %+v, %v\nwant %s: %s", got, err, tt.fault, tt.want)
			}
			if slices.Contains(calls, "RegisterTaskDefinition") || slices.Contains(calls, "UpdateService") {
				t.Errorf("it wrote: %v", calls)
			}
		})
	}
}

// TestTransientFaults checks that transient faults are retried, and leave one revision
// and one rollout.
func TestTransientFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault emulator.Fault
	}{
		{"concurrent registrations", emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 2,
			Error: &emulator.Error{Status: 400, Code: "ClientException",
				Message: "Too many concurrent attempts to create a new revision of the specified family."}}},
		{"throttled update", emulator.Fault{Operation: "ecs:UpdateService", Times: 2, Error: emulator.ErrThrottled}},
		{"server fault", emulator.Fault{Operation: "*", Times: 2, Error: emulator.ErrServerFault}},
		{"connection lost before the call", emulator.Fault{Operation: "*", Times: 2, Drop: emulator.DropBefore}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Inject(tt.fault)
			got, _, err := w.deploy(t, target, order(w.digest))
			if err != nil || got.Status != Deployed || got.TaskDefinition != arn+"p_service_web_dev:2" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
