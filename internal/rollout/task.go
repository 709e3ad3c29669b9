package rollout

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/pointer"
)

// TaskMoved returns the report that a task was moved from the previous revision to r at a
// time. Next says when it runs next. The move is all of a task's deployment: AWS sends no
// event about it.
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

// UnchangedNote returns the note that a task was not moved to a revision: it ran the image
// already, and the revision is only a record of its event.
func UnchangedNote(at time.Time) journal.Note {
	return journal.Note{Outcome: journal.Unchanged, Finished: at}
}

// TaskStatus is what starts a task, and when it runs next.
type TaskStatus struct {
	Pointers []string  // what starts it, as journals name it
	Next     string    // when it runs next, for people, such as "due at 2026-01-23T03:00:00Z"
	Due      time.Time // when it runs next; zero if that is not known
	Disabled bool      // all of its schedules are DISABLED: it does not run
	Over     bool      // no schedule of it has another run, and not all are DISABLED
	Others   []string  // the pointers that hold another revision than the one that runs, and which
}

// twins returns the numbers of the revisions that pointers of a task hold beside the one that runs, and that only
// differ from it in their journal: the record of an unchanged deployment runs where a pointer floats, and no pinned
// one is moved to it. A revision that cannot be read is left out.
func (c *Client) twins(ctx context.Context, t ecsservice.Target, runs string, pointers []pointer.Pointer) map[int]bool {
	all := map[int]bool{}
	var running ecsservice.Revision
	for _, p := range pointers {
		number := p.Revision()
		if _, known := all[number]; known || p.Floating() || number == ecsservice.NumberOf(runs) {
			continue
		}
		var err error
		if running.TaskDefinition == nil {
			if running, err = c.services.DescribeRevision(ctx, runs); err != nil {
				return nil
			}
		}
		held, err := c.services.DescribeRevision(ctx, ecsservice.Sibling(runs, number))
		all[number] = err == nil && t.Identity(held) == t.Identity(running) && ecsdeploy.AlikeButImage(t, held, running)
	}
	return all
}

// asTask completes the status of a task with its pointers. A task has no rollout: it has run
// the revision since it was moved to it, as far as the journal says when that was.
func (s *Status) asTask(pointers []pointer.Pointer, twins map[int]bool, now time.Time) {
	s.Since = s.Running.Finished
	if s.Since.IsZero() {
		s.Since = s.Running.Registered
	}
	t := &TaskStatus{Next: ecsdeploy.NextRun(pointers, now), Disabled: true, Over: true}
	for _, p := range pointers {
		t.Pointers = append(t.Pointers, p.String())
		t.Disabled = t.Disabled && p.Disabled
		t.Over = t.Over && (p.Disabled || p.Over(now) != "")
		if due, ok := p.Next(now); ok && (t.Due.IsZero() || due.Before(t.Due)) {
			t.Due = due
		}
		if !p.Floating() && p.Revision() != s.Running.Revision && !twins[p.Revision()] {
			t.Others = append(t.Others, fmt.Sprintf("%s holds revision %d", p, p.Revision()))
		}
	}
	t.Over = t.Over && !t.Disabled
	s.Task = t
}

// taskProgress reads the progress of a task's deployment of a revision. What starts the task
// is counted in the place of running tasks.
func (c *Client) taskProgress(ctx context.Context, t ecsservice.Target, revision string) (Progress, error) {
	s, err := c.services.Snapshot(ctx, t)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Phase: journal.RollingOut, TaskDefinition: revision, Runs: s.Running.ARN(), Desired: len(s.Pointers)}
	for _, one := range s.Pointers {
		if ecsservice.RevisionARN(one, s.Newest.ARN()) == revision {
			p.Running++
		}
	}
	if p.Running == p.Desired {
		p.Phase, p.NextRun = journal.Succeeded, ecsdeploy.NextRun(s.Pointers, c.now())
		return p, nil
	}
	record, err := c.services.Record(ctx, t, revision)
	if err == nil && (!record.Finished.IsZero() || ecsservice.NumberOf(p.Runs) > ecsservice.NumberOf(revision)) {
		p.Phase = journal.Superseded // it was moved to the revision, and on or back since
	}
	return p, err
}
