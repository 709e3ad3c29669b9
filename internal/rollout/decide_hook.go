package rollout

import (
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// hookStatuses are the statuses of hooks by the step that reports them.
var hookStatuses = map[event.Step]string{
	event.HookAwaiting: outcome.HookAwaitingAction, event.HookTimedOut: outcome.HookTimedOut,
	event.HookFailed: outcome.HookFailed,
}

// hook handles the steps of a lifecycle hook. A pause is reported as paused. A hook that
// failed or timed out is reported as impaired: ECS reports the end of the rollout later.
// Each step of each hook is reported once.
func (r received) hook() Decision {
	o, h := r.seen, r.event.Hook
	if o.Deleted {
		return nothing("the service was deleted")
	}
	if d, done := r.alreadyReported(journal.Succeeded, journal.Failed, journal.Superseded); done {
		return d
	}
	step := string(r.event.Step)
	waits := r.event.Step == event.HookAwaiting
	switch {
	case o.Revision.Hooks.Has(h.ID, step), o.NoteRevision.Hooks.Has(h.ID, step), o.Reported.Has(h.ID, step):
		return nothing("already reported: " + step + " of hook " + h.ID)
	case waits && o.Hook.Status != "" && o.Hook.Status != outcome.HookAwaitingAction:
		return nothing("the pause has ended: the hook is " + o.Hook.Status)
	}
	kind := outcome.DeploymentImpaired
	if waits {
		kind = outcome.DeploymentPaused
	}
	d := r.draft(kind, "")
	// Not the rollout's id: it says that the start was reported, which may come later.
	d.Note = journal.Note{Hooks: o.Revision.Hooks.With(h.ID, step)}
	d.Hook = outcome.Hook{ID: h.ID, Type: h.Type, Stage: h.Stage, Status: hookStatuses[r.event.Step],
		Expires: h.Expires, Then: o.Hook.Then}
	if !waits {
		d.Problem = d.Hook.Problem()
	}
	return Decision{Drafts: []Draft{d}}
}
