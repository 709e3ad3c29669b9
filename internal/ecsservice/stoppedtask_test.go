package ecsservice

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// TestReasonsOf checks what is said of stopped tasks.
func TestReasonsOf(t *testing.T) {
	t.Parallel()
	const deployment = "ecs-svc/1234567890123456789"
	at := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	task := func(code types.TaskStopCode, reason string, minute int, containers ...types.Container) types.Task {
		return types.Task{StartedBy: aws.String(deployment), StopCode: code, StoppedReason: aws.String(reason),
			StoppedAt: aws.Time(at.Add(time.Duration(minute) * time.Minute)), Containers: containers}
	}
	container := func(name string, code int32, reason string) types.Container {
		c := types.Container{Name: aws.String(name), ExitCode: aws.Int32(code), Reason: aws.String(reason)}
		if code < 0 {
			c.ExitCode = nil
		}
		return c
	}
	const pull = "CannotPullContainerError: pull image manifest has been retried 7 time(s): not found"
	noPull := task(types.TaskStopCodeTaskFailedToStart, pull, 1, container("app", -1, pull), container("nginx", -1, ""))
	exited := func(minute int, code int32, why string) types.Task {
		return task(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", minute,
			container("app", code, why))
	}
	of := func(id string, t types.Task) types.Task { t.StartedBy = aws.String(id); return t }
	for _, tt := range []struct {
		name  string
		tasks []types.Task
		want  []string
	}{
		{"none", nil, nil},
		{"an image that cannot be pulled", []types.Task{noPull, noPull, noPull}, []string{pull + " (3 tasks)"}},
		{"a container that exits", []types.Task{exited(1, 1, "")},
			[]string{"Essential container in task exited; container app exited with code 1"}},
		{"out of memory", []types.Task{exited(1, 137, "OutOfMemoryError: Container killed due to memory usage")},
			[]string{"Essential container in task exited; container app exited with code 137: OutOfMemoryError: " +
				"Container killed due to memory usage"}},
		{"a health check of a load balancer", []types.Task{task(types.TaskStopCodeServiceSchedulerInitiated,
			"Task failed ELB health checks in (target-group web)", 1, container("app", 143, ""))},
			[]string{"Task failed ELB health checks in (target-group web); container app exited with code 143"}},
		{"the most frequent first, then the newest", []types.Task{exited(1, 1, ""), exited(3, 3, ""), noPull, noPull},
			[]string{pull + " (2 tasks)", "Essential container in task exited; container app exited with code 3",
				"Essential container in task exited; container app exited with code 1"}},
		{"not more than three", []types.Task{exited(1, 1, ""), exited(2, 2, ""), exited(3, 3, ""), exited(4, 4, "")},
			[]string{"Essential container in task exited; container app exited with code 4",
				"Essential container in task exited; container app exited with code 3",
				"Essential container in task exited; container app exited with code 2"}},
		{"of another deployment", []types.Task{of("ecs-svc/2", noPull), {StoppedReason: aws.String("by hand")}}, nil},
		{"scaled in", []types.Task{task(types.TaskStopCodeServiceSchedulerInitiated,
			"Scaling activity initiated by (deployment "+deployment+")", 1)}, nil},
		{"without a reason", []types.Task{task(types.TaskStopCodeSpotInterruption, "", 1)},
			[]string{"SpotInterruption"}},
		{"nothing is known", []types.Task{task("", "", 1)}, nil},
		{"lines and control characters", []types.Task{task("", "a\n\x1b[31mb\u202ec", 1)}, []string{"a [31mb c"}},
		{"long", []types.Task{task("", strings.Repeat("x", 5000), 1)}, []string{strings.Repeat("x", 449) + "…"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, reasonsOf(tt.tasks, deployment)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
