package rollout

import (
	"context"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// TaskMoved returns the report that a task was moved from a revision to another one at a
// time, and runs it next as next says. Moving a task is all of its deployment: AWS sends no
// event of it.
func (h *Handler) TaskMoved(ctx context.Context, env *environment.Environment, w environment.Workload,
	previous, r journal.Record, at time.Time, next string) (Report, error) {
	if previous.TaskDefinition != r.Previous {
		var err error
		if previous, err = h.previous(ctx, ecsservice.TargetOf(env, w), r); err != nil {
			return Report{}, err
		}
	}
	d := Draft{Kind: outcome.DeploymentSucceeded, Revision: r, NextRun: next, Note: TaskNote(at)}
	return d.report(env, w, at, previous, nil)
}

// TaskNote returns the note that a task was moved to a revision, and that it was reported.
func TaskNote(at time.Time) journal.Note {
	return journal.Note{Outcome: journal.Succeeded, Finished: at}
}
