package taskrun

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pointer"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	revision = "arn:aws:ecs:us-east-1:111111111111:task-definition/report:3"
	cluster  = "arn:aws:ecs:us-east-1:111111111111:cluster/c"
)

var now = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// all are EcsParameters with every member that starts a task.
const all = `{"TaskDefinitionArn":"report:1","TaskCount":3,"CapacityProviderStrategy":[{"base":1,"capacityProvider":"p",
	"weight":2}],"EnableECSManagedTags":true,"EnableExecuteCommand":true,"Group":"g","LaunchType":"FARGATE",
	"NetworkConfiguration":{"awsvpcConfiguration":{"AssignPublicIp":"ENABLED","SecurityGroups":["sg"],"Subnets":["s"]}},
	"PlacementConstraints":[{"expression":"e","type":"memberOf"}],"PlacementStrategy":[{"field":"f","type":"spread"}],
	"PlatformVersion":"1.4.0","PropagateTags":"TASK_DEFINITION","ReferenceId":"r","Tags":[{"Key":"k","Value":"v"}]}`

func TestInput(t *testing.T) {
	t.Parallel()
	p := pointer.Pointer{TaskPointer: environment.TaskPointer{Group: "g", Name: "s"}, Cluster: cluster,
		ARN: "arn:aws:scheduler:us-east-1:111111111111:schedule/g/s", EcsParameters: []byte(all),
		Input: `{"containerOverrides":[{"name":"app","command":["at","<aws.scheduler.scheduled-time>",` +
			`"<aws.scheduler.execution-id>","<aws.scheduler.schedule-arn>"],"environment":[{"name":"A","value":"b"` +
			`}]}],"taskRoleArn":"other"}`}
	want := &ecs.RunTaskInput{
		TaskDefinition: aws.String(revision), Cluster: aws.String(cluster), Count: aws.Int32(1),
		ClientToken: aws.String("token"), StartedBy: aws.String("deployer/run"),
		CapacityProviderStrategy: []types.CapacityProviderStrategyItem{{Base: 1, CapacityProvider: aws.String("p"),
			Weight: 2}},
		EnableECSManagedTags: true, EnableExecuteCommand: true, Group: aws.String("g"),
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), ReferenceId: aws.String("r"),
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			AssignPublicIp: types.AssignPublicIpEnabled, SecurityGroups: []string{"sg"}, Subnets: []string{"s"}}},
		PlacementConstraints: []types.PlacementConstraint{{Expression: aws.String("e"),
			Type: types.PlacementConstraintTypeMemberOf}},
		PlacementStrategy: []types.PlacementStrategy{{Field: aws.String("f"),
			Type: types.PlacementStrategyTypeSpread}},
		PropagateTags: types.PropagateTagsTaskDefinition,
		Tags:          []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		Overrides: &types.TaskOverride{TaskRoleArn: aws.String("other"), ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("app"), Command: []string{"at", "2026-01-22T10:00:00Z", "token", p.ARN},
			Environment: []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("b")}}}}},
	}
	got, err := Input(p, revision, "", "token", now)
	if err != nil {
		t.Fatal(err)
	}
	unexported := cmpopts.IgnoreUnexported(ecs.RunTaskInput{}, types.CapacityProviderStrategyItem{},
		types.NetworkConfiguration{}, types.AwsVpcConfiguration{}, types.PlacementConstraint{},
		types.PlacementStrategy{}, types.Tag{}, types.TaskOverride{}, types.ContainerOverride{}, types.KeyValuePair{})
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownSettings: how a task is started is not left out without a word, at any depth.
func TestUnknownSettings(t *testing.T) {
	t.Parallel()
	const of = `{"TaskDefinitionArn":"report:1",`
	for member, parameters := range map[string]string{
		"VolumeConfigurations": of + `"TaskCount":1,"VolumeConfigurations":[{"Name":"v"}]}`,
		"Ipv6":                 of + `"NetworkConfiguration":{"awsvpcConfiguration":{"Ipv6":true}}}`,
	} {
		p := pointer.Pointer{TaskPointer: environment.TaskPointer{Group: "g", Name: "s"}, Cluster: cluster,
			EcsParameters: []byte(parameters)}
		_, err := Input(p, revision, "", "token", now)
		want := "reading the EcsParameters of schedule/g/s: the task cannot be run as they say: json: unknown field " +
			strconv.Quote(member) + " (run it with aws ecs run-task, or with a version of the deployer that knows " +
			"them; to see them: aws scheduler get-schedule --group-name g --name s --region us-east-1)"
		if fmt.Sprint(err) != want || !fault.IsMisconfigured(err) {
			t.Errorf("%T: %v, want %s", err, err, want)
		}
	}
}

// TestOverrides checks what a task is started with, by its overrides' command or by the error.
func TestOverrides(t *testing.T) {
	t.Parallel()
	const sh = `{"containerOverrides":[{"name":"app","command":["sh"]}]}`
	const mistyped, within = `{"containerOverride":[{"name":"app"}]}`, `{"containerOverrides":[{"comand":["sh"]}]}`
	for _, tt := range []struct{ name, target, given, want string }{
		{"nothing", ``, "", "none"},
		{"a constant", `,"Input":"{\"containerOverrides\":[{\"command\":[\"ls\"]}]}"`, "", "ls"},
		{"given", `,"Input":"{\"containerOverrides\":[{\"command\":[\"ls\"]}]}"`, sh, "sh"},
		{"a constant that is no object", `,"Input":"\"text\""`, "", "none"},
		{"a part of the event", `,"InputPath":"$.detail"`, "", "rule/r/t makes the input of the task from the event: " +
			"give one"},
		{"made from the event", `,"InputTransformer":{"InputTemplate":"{}"}`, "", "rule/r/t makes the input of the " +
			"task from the event: give one"},
		{"given in its place", `,"InputTransformer":{"InputTemplate":"{}"}`, sh, "sh"},
		{"a mistyped member", ``, mistyped, "reading the input of the task, " + strconv.Quote(mistyped) +
			`: json: unknown field "containerOverride"`},
		{"a mistyped member within", ``, within, "reading the input of the task, " + strconv.Quote(within) +
			`: json: unknown field "comand"`},
		{"an unknown member of the target's",
			`,"Input":"{\"later\":1,\"containerOverrides\":[{\"command\":[\"ls\"]}]}"`, "", "ls"},
		{"two objects", ``, sh + sh, `reading the input of the task, ` + strconv.Quote(sh+sh) + `: invalid character ` +
			`'{' after top-level value`},
		{"no JSON", ``, "[", `reading the input of the task, "[": unexpected end of JSON input`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, url := emulatortest.Start(t, emulator.Options{})
			a := accounts.Connect(url, "111111111111", "us-east-1")
			target := `{"Id":"t","Arn":"` + cluster + `","RoleArn":"r","EcsParameters":{"TaskDefinitionArn":` +
				`"report:1"}` + tt.target + "}"
			if err := a.Rule(t.Context(), "r", target); err != nil {
				t.Fatal(err)
			}
			owner := pointer.Owner{Task: "report", File: "dev.yaml", Cluster: "c", Region: "us-east-1",
				Family: "report"}
			read, err := pointer.New(a.Config).Read(t.Context(), owner, "rule/r")
			if err != nil {
				t.Fatal(err)
			}
			in, err := Input(read[0], revision, tt.given, "token", now)
			got := "none"
			switch {
			case err != nil:
				got = err.Error()
			case in.Overrides != nil && len(in.Overrides.ContainerOverrides) > 0:
				got = in.Overrides.ContainerOverrides[0].Command[0]
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestSucceeded checks which exit codes are a success.
func TestSucceeded(t *testing.T) {
	t.Parallel()
	const app, proxy = "111111111111.dkr.ecr.us-east-1.amazonaws.com/p_task_report:v1", "proxy:1"
	td := &types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("proxy"), Image: aws.String(proxy)}, {Name: aws.String("app"), Image: aws.String(app)}}}
	to := ecsservice.Target{Repository: "p_task_report", Container: "app"}
	to.Registry.AccountID, to.Registry.Region = "111111111111", "us-east-1"
	for _, tt := range []struct {
		name       string
		proxy, app *int32
		want       bool
	}{
		{"both ended well", aws.Int32(0), aws.Int32(0), true},
		{"the proxy was stopped", aws.Int32(143), aws.Int32(0), true},
		{"the proxy failed, and the app was stopped", aws.Int32(1), aws.Int32(143), false},
		{"the app failed", aws.Int32(0), aws.Int32(1), false},
		{"nothing started", nil, nil, false},
	} {
		task := types.Task{Containers: []types.Container{{Name: aws.String("proxy"), ExitCode: tt.proxy},
			{Name: aws.String("app"), ExitCode: tt.app}}}
		if got := Succeeded(to, task, td); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestReasons checks what is said of the failures of RunTask.
func TestReasons(t *testing.T) {
	t.Parallel()
	failure := func(instance, reason, detail string) types.Failure {
		return types.Failure{Arn: aws.String("i" + instance), Reason: aws.String(reason), Detail: aws.String(detail)}
	}
	for want, failures := range map[string][]types.Failure{
		"RESOURCE:CPU": {failure("1", "RESOURCE:CPU", "")},
		"RESOURCE:MEMORY; AGENT": {failure("1", "RESOURCE:MEMORY", ""), failure("2", "AGENT", ""),
			failure("3", "AGENT", "")},
		"TaskFailedToStart: it has no subnet": {failure("1", "TaskFailedToStart", "it has no subnet")},
		"it has no subnet":                    {failure("1", "", "it has no subnet")},
		"no reason is given for i1":           {failure("1", "", "")},
	} {
		if got := reasons(failures); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestStart checks that a lost answer starts no second task, and what is not started.
func TestStart(t *testing.T) {
	t.Parallel()
	const events = "arn:aws:sqs:us-east-1:111111111111:events"
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, "111111111111", "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, "111111111111", "report", "nginx")
	w.Rule(t, "111111111111", `{"source":["aws.ecs"],"detail":{"lastStatus":["PENDING"]}}`, events, "")
	client := ecsservice.New(accounts.Connect(w.URL, "111111111111", "us-east-1").Config).SDK()
	starts := pointer.Pointer{TaskPointer: environment.TaskPointer{Group: "jobs", Name: "nightly"}, Cluster: cluster,
		EcsParameters: []byte(`{}`)}
	in, err := Input(starts, "report", "", "token", now)
	if err != nil {
		t.Fatal(err)
	}
	w.AWS.Inject(emulator.Fault{Operation: "ecs:RunTask", Times: 1, Drop: emulator.DropAfter})
	first, err := Start(t.Context(), client, starts, in)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour / 2)
	var seen []string
	end, err := Wait(t.Context(), client, first, func(now types.Task) { seen = append(seen, *now.LastStatus) })
	if err != nil || end.StopCode != "EssentialContainerExited" || strings.Join(seen, " ") != "STOPPED" {
		t.Errorf("%+v after %q, %v", end, seen, err)
	}
	if n := len(w.Bodies(t, events)); n != 1 {
		t.Errorf("%d tasks were started", n)
	}
	w.Do(t, "111111111111", "ecs:RegisterTaskDefinition", `{"family":"net","networkMode":"awsvpc",`+
		`"containerDefinitions":[{"name":"c","image":"nginx","memory":128}]}`)
	for want, p := range map[string]pointer.Pointer{
		"schedule/jobs/nightly fail in the same way: aws scheduler get-schedule --group-name jobs --name nightly " +
			"--region us-east-1": starts,
		"rule/bus/r/t fail in the same way: aws events list-targets-by-rule --rule r --event-bus-name bus": {
			TaskPointer: environment.TaskPointer{Rule: true, Group: "bus", Name: "r"}, Target: "t"},
	} {
		other := *in
		other.ClientToken, other.TaskDefinition = aws.String(p.Name), aws.String("net")
		_, err := Start(t.Context(), client, p, &other)
		want = `running a task of "net" in cluster "` + cluster + `": InvalidParameterException: Network ` +
			"Configuration must be provided when networkMode 'awsvpc' is specified. (what starts the task, or the " +
			"given input, does not fit the task definition; if no input was given, the runs of " + want + ")"
		if fault.NameOf(err) != "TaskNotStarted" || err.Error() != want {
			t.Errorf("%s: %v, want %s", fault.NameOf(err), err, want)
		}
	}
	w.AWS.FailRuns("RESOURCE:CPU")
	in.ClientToken = aws.String("other")
	want := `running a task of "report" in cluster "` + cluster + `": ECS did not start it: RESOURCE:CPU (see what ` +
		`the reason means in "API failure reasons" of the ECS API reference, and run it again)`
	if _, err := Start(t.Context(), client, starts, in); fault.NameOf(err) != "TaskNotStarted" || err.Error() != want {
		t.Errorf("%s, want %s", err, want)
	}
}
