package rollout

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// reportedSteps returns the steps of an external rollout that make this step a duplicate
// once one of them was reported.
func reportedSteps(step event.Step) []event.Step {
	switch step {
	case event.RolloutStarted, event.TasksImpaired:
		return []event.Step{step, event.RolloutCompleted, event.RolloutFailed}
	}
	return []event.Step{step}
}

// externalReported reports whether the event's step of an external rollout was
// reported, and returns the decision for a duplicate.
func (r received) externalReported() (Decision, bool) {
	o := r.seen
	if !o.needsNoteRevision(r.event.Step) {
		return Decision{}, false
	}
	for _, step := range reportedSteps(r.event.Step) {
		if o.WasReported(step) {
			return nothing("already reported: " + string(step) + " of an external deployment"), true
		}
	}
	return Decision{}, false
}

// withNoteRevision returns the draft of a report on an external rollout with its note, and the
// revision whose journal gets the note.
func (r received) withNoteRevision(d Draft) Draft {
	d.NoteRevision = r.seen.NoteRevision
	d.Note = journal.Note{Hooks: d.NoteRevision.Hooks.With(cmp.Or(r.event.Hook.ID, r.seen.ID), string(r.event.Step))}
	return d
}

// needsNoteRevision reports whether an event's step is one of an external rollout, or the
// failure of ECS's rollback, which is reported as one.
func (o Observation) needsNoteRevision(step event.Step) bool {
	return o.Foreign() || o.IsRollback && step == event.RolloutFailed
}

// WasReported reports whether a step of the external rollout was reported.
func (o Observation) WasReported(step event.Step) bool {
	return o.NoteRevision.Hooks.Has(o.ID, string(step)) || o.Reported.Has(o.ID, string(step))
}

// noteRevision returns the revision whose journal keeps what was reported of an external
// rollout: the rolled-out one if it has a journal, else the newest one before it that
// has. An external revision is not written to, because the tool that registered it
// would find tags that it did not write. It returns the zero value if there is none
// among the revisions that are searched.
func (h *Handler) noteRevision(ctx context.Context, t ecsservice.Target, o Observation) (journal.Record, error) {
	r := o.Revision
	for n := 0; n < maxJournalSearch; n++ {
		if r.Cause.ID != "" && !r.Foreign && !r.Inactive {
			return r, nil
		}
		if r.Revision <= 1 {
			break
		}
		var err error
		if r, err = h.services.RecordOrARN(ctx, t, ecsservice.Sibling(r.TaskDefinition, r.Revision-1)); err != nil {
			return journal.Record{}, err
		}
	}
	return journal.Record{}, nil
}

// reportedMemory keeps which steps of external rollouts this process reported, for
// families of which no revision is the deployer's. The zero value is empty. It is safe
// for concurrent use.
type reportedMemory struct {
	mu    sync.Mutex
	steps journal.Steps
}

func (m *reportedMemory) add(id, step string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps = m.steps.With(id, step)
}

func (m *reportedMemory) all() journal.Steps {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.steps
}

// observeExternal adds what was reported of an external rollout.
func (h *Handler) observeExternal(ctx context.Context, t ecsservice.Target, o *Observation) (err error) {
	o.Reported = h.memory.all()
	o.NoteRevision, err = h.noteRevision(ctx, t, *o)
	return err
}

// Journal writes the note of a report to the journal of its revision. What was
// reported of an external rollout is noted best effort: it may be reported again.
func (h *Handler) Journal(ctx context.Context, r Report) error {
	if r.Outcome.Kind == outcome.DeploymentImpaired && !r.Outcome.Foreign {
		// Since it was observed, the handler of another event may have noted its end.
		switch ended, err := h.services.Outcome(ctx, r.Revision.TaskDefinition); {
		case err != nil:
			return err
		case ended.IsEnd():
			return nil
		}
	}
	if !r.Outcome.Foreign {
		return h.services.AddNote(ctx, r.Revision, r.Note)
	}
	h.memory.add(cmp.Or(r.Outcome.Hook.ID, r.Outcome.DeploymentID), string(r.Step))
	if r.Revision.TaskDefinition == "" {
		return nil
	}
	if err := h.services.AddNote(ctx, r.Revision, r.Note); err != nil {
		slog.WarnContext(ctx, "noting an external rollout failed", "task_definition", r.Revision.TaskDefinition,
			"error", err.Error(), "error_type", fault.NameOf(err))
	}
	return nil
}
