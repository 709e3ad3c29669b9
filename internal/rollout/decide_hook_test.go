package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// TestDecideHook checks what is reported of lifecycle hooks.
func TestDecideHook(t *testing.T) {
	t.Parallel()
	hook := event.Hook{ID: "ecs-pause-2", Type: "PAUSE", Stage: "BAKE_TIME", Expires: reported.Add(time.Hour)}
	shown := func(status string) func(*Observation) {
		return func(o *Observation) {
			o.Hook = ecsservice.HookState{DeploymentID: o.ID, Status: status, Then: "ROLLBACK"}
		}
	}
	noted := func(id string, step event.Step) func(*journal.Record) {
		return func(r *journal.Record) { r.Hooks = r.Hooks.With(id, string(step)) }
	}
	type result struct {
		kind                  outcome.Kind
		status, then, problem string
		foreign               bool
		reason                string
	}
	for _, tt := range []struct {
		name string
		step event.Step
		seen Observation
		want result
	}{
		{"a pause", event.HookAwaiting, primary(shown("AWAITING_ACTION")),
			result{kind: outcome.DeploymentPaused, status: "AWAITING_ACTION", then: "ROLLBACK"}},
		{"a pause that ECS does not show yet", event.HookAwaiting, primary(),
			result{kind: outcome.DeploymentPaused, status: "AWAITING_ACTION"}},
		{"a duplicate", event.HookAwaiting,
			primary(shown("AWAITING_ACTION"), revision(noted("ecs-pause-2", event.HookAwaiting))),
			result{reason: "already reported: HOOK_AWAITING_ACTION of hook ecs-pause-2"}},
		{"the next pause", event.HookAwaiting,
			primary(shown("AWAITING_ACTION"), revision(noted("ecs-pause-1", event.HookAwaiting))),
			result{kind: outcome.DeploymentPaused, status: "AWAITING_ACTION", then: "ROLLBACK"}},
		{"a late duplicate", event.HookAwaiting, primary(shown("SUCCEEDED")),
			result{reason: "the pause has ended: the hook is SUCCEEDED"}},
		{"timed out after its pause", event.HookTimedOut,
			primary(shown("TIMED_OUT"), revision(noted("ecs-pause-2", event.HookAwaiting))),
			result{kind: outcome.DeploymentImpaired, status: "TIMED_OUT", then: "ROLLBACK",
				problem: "the pause at BAKE_TIME timed out: ECS rolls the service back"}},
		{"failed", event.HookFailed, primary(shown("FAILED")),
			result{kind: outcome.DeploymentImpaired, status: "FAILED", then: "ROLLBACK",
				problem: "the pause at BAKE_TIME was ended with ROLLBACK: ECS rolls the service back"}},
		{"failed after the failure", event.HookFailed, primary(shown("FAILED"), revision(ended(journal.Failed))),
			result{reason: "already reported: failed"}},
		{"of an external deployment", event.HookAwaiting, primary(shown("AWAITING_ACTION"), revision(foreign)),
			result{kind: outcome.DeploymentPaused, status: "AWAITING_ACTION", then: "ROLLBACK", foreign: true}},
		{"the service was deleted", event.HookFailed, primary(deleted), result{reason: "the service was deleted"}},
		{"not found", event.HookAwaiting, Observation{ID: id(12)},
			result{reason: "ECS no longer lists the rollout, and no journal has its id"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := Decide(event.Rollout{Step: tt.step, DeploymentID: tt.seen.ID, Hook: hook}, reported, tt.seen)
			got := result{reason: d.Reason}
			for _, one := range d.Drafts {
				got.kind, got.status, got.then = one.Kind, one.Hook.Status, one.Hook.Then
				got.problem, got.foreign = one.Problem, one.Foreign
				if !one.Note.Hooks.Has(hook.ID, string(tt.step)) || one.Note.DeploymentID != "" {
					t.Errorf("note %+v", one.Note)
				}
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
