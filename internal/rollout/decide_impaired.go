package rollout

import (
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Why a rollout is impaired.
const (
	impairedWithBreaker = "its tasks do not start, and the service's circuit breaker has not ended the rollout"
	impairedForever     = "its tasks do not start and the service has no circuit breaker to end the rollout: " +
		"ECS keeps trying"
)

// impaired handles SERVICE_TASK_START_IMPAIRED. It reports the rollout as impaired
// once, whether or not a circuit breaker will end it: ECS may take a quarter of an
// hour for that, and sends no other event meanwhile.
func (r rule) impaired() Decision {
	o := r.seen
	switch {
	case o.Deleted, !o.InProgress:
		return nothing("no rollout is in progress: tasks of the running revision do not start")
	case o.Rollback:
		return nothing("tasks of ECS's rollback do not start: its failure is reported when ECS ends it")
	}
	if d, done := r.alreadyReported(journal.Impaired, journal.Failed, journal.Superseded); done {
		return d
	}
	d := r.draft(outcome.DeploymentImpaired, "") // see [journal.Note]
	if o.Revision.Outcome != "" {
		d.Note.Outcome = journal.Impaired // it was superseded before, and is rolled out again
	}
	d.Problem = impairedForever
	if o.BreakerEnabled {
		d.Problem = impairedWithBreaker
	}
	return Decision{Drafts: []Draft{d.explained()}}
}

// hookStatuses are the statuses of hooks by the step that reports them.
var hookStatuses = map[event.Step]string{
	event.HookAwaiting: outcome.HookAwaitingAction, event.HookTimedOut: outcome.HookTimedOut,
	event.HookFailed: outcome.HookFailed,
}

// hook handles the steps of a lifecycle hook. A pause is reported as such. A hook
// that failed or timed out is a problem of the rollout, of which ECS reports the
// end later. Each step of each hook is reported once.
func (r rule) hook() Decision {
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
	case o.Revision.Hooks.Has(h.ID, step), o.Keeper.Hooks.Has(h.ID, step), o.Reported.Has(h.ID, step):
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
