package pipeline

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
)

// TestRunOf checks how a run of a task ended, of which the container app runs the image and log another one.
func TestRunOf(t *testing.T) {
	t.Parallel()
	to := ecsservice.Target{Workload: "task:report", Task: true, Container: "app", Repository: "p_task_report",
		Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}}
	revision := func(app string) ecsservice.Revision {
		containers := []types.ContainerDefinition{
			{Name: aws.String("log"), Image: aws.String("public.ecr.aws/x/log:1")},
			{Name: aws.String(app), Image: aws.String("111111111111.dkr.ecr.us-east-1.amazonaws.com/p_task_report:v1")},
		}
		return ecsservice.Revision{TaskDefinition: &types.TaskDefinition{ContainerDefinitions: containers}}
	}
	exited := func(name string, code int) event.RunContainer { return event.RunContainer{Name: name, ExitCode: &code} }
	unstarted := func(name string) event.RunContainer { return event.RunContainer{Name: name} }
	for _, tt := range []struct {
		name       string
		containers []event.RunContainer
		want       string // whether it succeeded, its exit code, and the text of the containers
	}{
		{"both", []event.RunContainer{exited("log", 0), exited("app", 0)},
			"true 0 container log exited with code 0; container app exited with code 0"},
		{"the other one was stopped", []event.RunContainer{exited("app", 0), exited("log", 137)},
			"true 0 container app exited with code 0; container log exited with code 137"},
		{"the other one never ran", []event.RunContainer{exited("app", 0), unstarted("log")},
			"true 0 container app exited with code 0"},
		{"it failed", []event.RunContainer{exited("log", 0), exited("app", 1)},
			"false 1 container log exited with code 0; container app exited with code 1"},
		{"it was killed", []event.RunContainer{exited("app", 137)}, "false 137 container app exited with code 137"},
		{"it never ran", []event.RunContainer{exited("log", 0), unstarted("app")},
			"false - container log exited with code 0"},
		{"it is not listed", []event.RunContainer{exited("log", 0)}, "false - container log exited with code 0"},
		{"none is listed", nil, "false - "},
	} {
		end, err := runOf(to, revision("app"), event.Run{Containers: tt.containers})
		code := "-"
		if end.ExitCode != nil {
			code = fmt.Sprint(*end.ExitCode)
		}
		if got := fmt.Sprint(end.Succeeded, " ", code, " ", end.Containers); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	for code, want := range map[int]bool{0: true, 1: false} { // no container is known to run the image: all count
		other := revision("app")
		for i, name := range []string{"log", "agent"} {
			other.TaskDefinition.ContainerDefinitions[i] = types.ContainerDefinition{Name: aws.String(name),
				Image: aws.String("public.ecr.aws/x/" + name + ":1")}
		}
		end, err := runOf(to, other, event.Run{Containers: []event.RunContainer{exited("log", code)}})
		if end.Succeeded != want || err == nil {
			t.Errorf("code %d: %+v, %v", code, end, err)
		}
	}
}

// TestRanWorkload checks which of two tasks that share a family a revision was registered for.
func TestRanWorkload(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("dev.yaml", []byte(`project: p
env: dev
region: us-east-1
account_id: "111111111111"
scheduled_tasks: [{name: daily}, {name: weekly}, {name: other}]
deployer: {workloads: {weekly: {family: daily}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	daily, _ := env.Find("task:daily", environment.Tasks...)
	for service, want := range map[string]string{"p_cluster_dev/task:weekly": "weekly",
		"p_cluster_dev/task:daily": "daily", "p_cluster_dev/task:other": "daily", "": "daily"} {
		r := ecsservice.Revision{TaskDefinition: &types.TaskDefinition{Revision: 2}}
		for key, value := range map[string]string{"event-id": "e", "event-time": "2026-01-22T10:00:00Z",
			"service": service} {
			if service != "" {
				r.Tags = append(r.Tags, types.Tag{Key: aws.String("deployer:" + key), Value: aws.String(value)})
			}
		}
		if got := ranWorkload(env, daily, r); got.Name != want {
			t.Errorf("%q: %s, want %s", service, got.Name, want)
		}
	}
}

// TestRunHidesSignatures checks that the outcome of a first run has not what a presigned URL is signed with.
func TestRunHidesSignatures(t *testing.T) {
	t.Parallel()
	revision := ecsservice.Revision{TaskDefinition: &types.TaskDefinition{}}
	end, _ := runOf(ecsservice.Target{}, revision, event.Run{StopCode: "TaskFailedToStart", Reason: "CannotPull" +
		`ContainerError: Get "https://b.s3.amazonaws.com/l?X-Amz-Signature=s3cr3t": i/o timeout`})
	if want := `CannotPullContainerError: Get "https://b.s3.amazonaws.com/l?…": i/o timeout`; end.Reason != want {
		t.Errorf("%q, want %q", end.Reason, want)
	}
}
