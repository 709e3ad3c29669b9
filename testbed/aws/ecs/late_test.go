package ecs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDelayedFailure follows a rollback whose failed deployment becomes FAILED three minutes after the rollback began.
func TestDelayedFailure(t *testing.T) {
	t.Parallel()
	w := newService(t, rollback)
	w.AWS.FailImage("broken")
	w.AWS.DelayFailures(3 * time.Minute)
	n := names{}
	w.rollout(t, n)
	w.Register(t, dev, "web", "nginx:broken")
	w.update(t, "web")
	const (
		back = "d3 PRIMARY web:1 2/2/0-0 IN_PROGRESS: ECS deployment circuit breaker: rolling back to " +
			"deploymentId d1."
		complete = "d3 PRIMARY web:1 2/0/2-0 COMPLETED: ECS deployment d3 completed."
		failing  = "d2 ACTIVE web:2 0/0/0-4 IN_PROGRESS: ECS deployment d2 in progress."
		old      = "d1 ACTIVE web:1 2/0/2-0 COMPLETED: ECS deployment d1 completed."
	)
	for _, tt := range []struct {
		steps int
		want  []string
	}{
		{2, []string{"ACTIVE web:1 2/2/2", back, failing, old}},
		{2, []string{"ACTIVE web:1 2/0/2", complete, failing}},
		{1, []string{"ACTIVE web:1 2/0/2", complete,
			"d2 DRAINING web:2 0/0/0-4 FAILED: ECS deployment circuit breaker: tasks failed to start."}},
		{1, []string{"ACTIVE web:1 2/0/2", complete}},
	} {
		w.Clock.Advance(time.Duration(tt.steps) * time.Minute)
		if diff := cmp.Diff(tt.want, w.rollout(t, n)); diff != "" {
			t.Error(diff)
		}
	}
}
