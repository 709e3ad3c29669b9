package failure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestRead reads what a rollout left behind whose containers exit, or whose image is missing, by the container's log
// configuration.
func TestRead(t *testing.T) {
	t.Parallel()
	awslogs := func(options ...string) *types.LogConfiguration {
		c := &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{}}
		for _, option := range options {
			name, value, _ := strings.Cut(option, "=")
			c.Options["awslogs-"+name] = value
		}
		return c
	}
	var lines []string
	for i := range 25 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	const exited = "Essential container in task exited; container app exited with code 1"
	for _, tt := range []struct {
		name   string
		image  string // its repository
		log    *types.LogConfiguration
		denied string
		reason string // of the stopped tasks
		lines  int
		note   string // the beginning of the only note; "" for none
	}{
		{"awslogs", "app", awslogs("group=/ecs/app", "region=us-east-1", "stream-prefix=ecs"), "", exited, 20, ""},
		{"another region", "app", awslogs("group=/ecs/app", "region=eu-west-1", "stream-prefix=ecs"), "",
			exited, 20, ""},
		{"the region of the service", "app", awslogs("group=/ecs/app", "stream-prefix=ecs"), "", exited, 20, ""},
		{"no prefix, and ECS gives no id of the container", "app", awslogs("group=/ecs/app"), "", exited, 0,
			"the log of container app is not known: "},
		{"another driver", "app", &types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens}, "", exited, 0,
			"container app writes to the log driver awsfirelens: only awslogs can be read here"},
		{"no configuration", "app", nil, "", exited, 0,
			"container app writes to the default log driver: only awslogs can be read here"},
		{"denied", "app", awslogs("group=/ecs/app", "stream-prefix=ecs"), "logs:GetLogEvents", exited, 0,
			"reading log group /ecs/app: AccessDenied"},
		{"no image", "missing", awslogs("group=/ecs/app", "stream-prefix=ecs"), "", "CannotPullContainerError: ",
			0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
			e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
			account := accounts.Connect(url, accounts.Prod, accounts.Region)
			_, err := account.Push(t.Context(), "app", "v1", "v1")
			must(t, err)
			must(t, account.Cluster(t.Context(), "c"))
			const registry = accounts.Prod + ".dkr.ecr." + accounts.Region + ".amazonaws.com/"
			_, err = account.Service(t.Context(), "c", "app", registry+"app:v1")
			must(t, err)
			clock.Advance(time.Hour)
			e.Tick()
			_, err = account.Push(t.Context(), "app", "v2", "v2")
			must(t, err)
			e.FailImage("app:v2")
			e.Print("app:v2", lines...)
			revision, err := account.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
				Family: aws.String("app"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"),
				Memory:                  aws.String("512"),
				RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
				ExecutionRoleArn:        aws.String("arn:aws:iam::" + accounts.Prod + ":role/e"),
				ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"),
					Image: aws.String(registry + tt.image + ":v2"), LogConfiguration: tt.log}}})
			must(t, err)
			arn := aws.ToString(revision.TaskDefinition.TaskDefinitionArn)
			_, err = account.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
				Service: aws.String("app"), TaskDefinition: aws.String(arn)})
			must(t, err)
			clock.Advance(20 * time.Minute)
			if tt.denied != "" {
				e.Inject(emulator.Fault{Operation: tt.denied, Error: emulator.AccessDenied("no")})
			}
			target := ecsservice.Target{Cluster: "c", Service: "app", Family: "app", Workload: "app"}
			got := Read(t.Context(), account.Config, ecsservice.New(account.Config), target, arn)

			if len(got.Tasks) != 1 || !strings.HasPrefix(got.Tasks[0].Reason, tt.reason) || got.Tasks[0].Count < 2 {
				t.Errorf("tasks %+v", got.Tasks)
			}
			var texts []string
			if got.Log != nil {
				for _, l := range got.Log.Lines {
					texts = append(texts, l.Text)
				}
			}
			if diff := cmp.Diff(lines[len(lines)-tt.lines:], append([]string{}, texts...)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if tt.note == "" && len(got.Notes) > 0 || tt.note != "" &&
				(len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], tt.note)) {
				t.Errorf("notes %q, want %q", got.Notes, tt.note)
			}
			if len(got.Events) == 0 || len(got.Events) > maxEvents || got.Events[0].At.Hour() != 11 {
				t.Errorf("events %+v", got.Events)
			}
		})
	}
}

// TestReadNothing: what is not there, or cannot be read, is said.
func TestReadNothing(t *testing.T) {
	t.Parallel()
	_, url := emulatortest.Start(t, emulator.Options{})
	account := accounts.Connect(url, accounts.Prod, accounts.Region)
	target := ecsservice.Target{Cluster: "c", Service: "app", Family: "app", Workload: "app"}
	got := Read(t.Context(), account.Config, ecsservice.New(account.Config), target,
		"arn:aws:ecs:us-east-1:333333333333:task-definition/app:1")
	if len(got.Tasks) > 0 || got.Log != nil || len(got.Events) > 0 || len(got.Notes) != 3 {
		t.Errorf("%+v", got)
	}
	target.Task = true
	if got := Read(t.Context(), account.Config, ecsservice.New(account.Config), target, "x"); len(got.Notes) > 0 {
		t.Errorf("a task: %+v", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTasksHideSignatures checks that tasks have not what a presigned URL is signed with.
func TestTasksHideSignatures(t *testing.T) {
	t.Parallel()
	reason := aws.String(`Get "https://b.s3.amazonaws.com/l?X-Amz-Signature=s3cr3t": i/o timeout`)
	got := tasksOf([]types.Task{{StoppedReason: reason, Containers: []types.Container{{Reason: reason}}}})
	if text := fmt.Sprint(got); strings.Contains(text, "s3cr3t") || !strings.Contains(text, "/l?…") {
		t.Error(text)
	}
}
