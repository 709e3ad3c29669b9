package pipeline

import (
	"context"
	"errors"
	"log/slog"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// reportTasks reports and notes which tasks were moved. No event of AWS leads to that, so
// whatever finds a task that was moved and not reported reports it. A command only notes
// when it moved the task: the function reports it, at its next look.
func (p *Pipeline) reportTasks(ctx context.Context, env *environment.Environment, all []ecsdeploy.Deployment) error {
	var errs []error
	for _, d := range all {
		w, ok := env.Find(d.Service, environment.Tasks...)
		if !ok || len(d.Ended) == 0 {
			continue
		}
		if p.followsRollouts {
			errs = append(errs, p.reportTask(ctx, env, w, d))
		} else {
			p.noteTask(ctx, d)
		}
	}
	return errors.Join(errs...)
}

// noteTask notes that a command moved a task, best effort: the caller may lack the permission.
func (p *Pipeline) noteTask(ctx context.Context, d ecsdeploy.Deployment) {
	for _, r := range d.Ended {
		note := journal.Note{Finished: p.now()}
		if r.TaskDefinition != d.TaskDefinition {
			note = rollout.UnchangedNote(p.now())
		}
		_ = p.services.AddNote(ctx, r, note)
	}
}

// reportTask publishes that a task was moved, if its pointers hold a revision that was not
// reported. Another one of the newest choice is noted alone: it was never held.
func (p *Pipeline) reportTask(ctx context.Context, env *environment.Environment, w environment.Workload,
	d ecsdeploy.Deployment) error {
	now := p.now()
	var reports []rollout.Report
	for _, r := range d.Ended {
		if r.TaskDefinition != d.TaskDefinition {
			if err := p.services.AddNote(ctx, r, rollout.UnchangedNote(now)); err != nil {
				return err
			}
			continue
		}
		moved := now
		if !r.Finished.IsZero() { // noted by the command that moved it
			moved = r.Finished
		}
		report, err := p.rollouts.TaskMoved(ctx, env, w, d.Before, r, moved, d.NextRun)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	return p.publishReports(ctx, env, reports)
}

// lookAtTasks completes and reports what deliveries of events left unfinished: a task's
// pointer holds another revision than the newest choice's, or was moved and not reported.
// One that cannot be read is left out: a deployment of it says why.
func (p *Pipeline) lookAtTasks(ctx context.Context, env *environment.Environment, scheduleID string) error {
	if !p.followsRollouts {
		return nil
	}
	ctx, cancel := p.withNotifyReserve(ctx)
	defer cancel()
	var errs []error
	for _, w := range env.Workloads {
		if w.HasService() || w.Repository == "" {
			continue
		}
		order := ecsdeploy.Order{}
		order.Principal, order.Request = p.principal(ctx, env, event.Cause{ID: scheduleID})
		d, err := p.deployer.LookAtTask(ctx, ecsservice.TargetOf(env, w), order)
		if err == nil {
			err = p.reportTasks(ctx, env, []ecsdeploy.Deployment{d})
		}
		switch {
		case fault.IsUnavailable(err):
			errs = append(errs, err)
		case err != nil && !errors.Is(err, fault.ErrPointerNotFound):
			slog.WarnContext(ctx, "looking at a task failed", "task", w.Name, "error", err.Error(),
				"error_type", fault.NameOf(err))
		}
	}
	return errors.Join(errs...)
}
