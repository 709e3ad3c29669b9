package ecs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulatortest"
)

// TestStoppedTasks: tasks that failed are listed for an hour, with why they stopped.
func TestStoppedTasks(t *testing.T) {
	t.Parallel()
	const pullError = "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve " +
		"ref " + registryImage + ":gone: " + registryImage + ":gone: not found"
	for _, tt := range []struct{ name, image, want string }{
		{"the image cannot be pulled", registryImage + ":gone", "TaskFailedToStart: " + pullError + "; app <nil>: " +
			pullError},
		{"the container exits", "nginx:broken",
			"EssentialContainerExited: Essential container in task exited; app 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, rollback)
			w.AWS.FailImage("broken")
			w.Register(t, dev, "web", tt.image)
			w.update(t, "web")
			w.Clock.Advance(time.Minute)
			client := w.ECS(dev)
			list := func() []string {
				out, err := client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("c"),
					ServiceName: aws.String("web"), DesiredStatus: types.DesiredStatusStopped})
				if err != nil {
					t.Fatal(err)
				}
				return out.TaskArns
			}
			out, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("c"),
				Tasks: list()})
			if err != nil || len(out.Tasks) != 2 {
				t.Fatalf("%+v, %v", out, err)
			}
			service, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("c"),
				Services: []string{"web"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range out.Tasks {
				code := "<nil>"
				if c := task.Containers[0].ExitCode; c != nil {
					code = fmt.Sprint(*c)
				}
				got := fmt.Sprintf("%s: %s; %s %s: %s", task.StopCode, *task.StoppedReason,
					*task.Containers[0].Name, code, aws.ToString(task.Containers[0].Reason))
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
				if id := aws.ToString(service.Services[0].Deployments[0].Id); aws.ToString(task.StartedBy) != id {
					t.Errorf("started by %s, want %s", aws.ToString(task.StartedBy), id)
				}
			}
			w.Clock.Advance(4 * time.Hour)
			if arns := list(); len(arns) != 0 {
				t.Errorf("still listed: %v", arns)
			}
		})
	}
}

// TestListTasksFilters: startedBy cannot be combined with another filter.
func TestListTasksFilters(t *testing.T) {
	t.Parallel()
	w := newService(t, "")
	_, err := w.ECS(dev).ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("c"),
		StartedBy: aws.String("ecs-svc/1"), DesiredStatus: types.DesiredStatusStopped})
	emulatortest.WantError(t, err, "InvalidParameterException", "startedBy must be the only filter.")
}
