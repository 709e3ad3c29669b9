package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/rollout"
)

// What DescribeServices shows lags behind what ECS tells: how often, and how
// long after another, a rollout is looked for, and the one by which ECS goes
// back from a failure.
const (
	looks    = 12
	lookWait = 250 * time.Millisecond
)

// following is one step of a rollout that ECS told of, on its way to outcomes.
type following struct {
	*Pipeline
	seen   rollout.Observation
	env    *environment.Environment
	target ecsservice.Target
	step   event.Rollout
	at     time.Time // when the step was

	entries []entry
	reason  string // why there is nothing to tell
}

// entry is an outcome, and what is noted of it in a revision's journal.
type entry struct {
	outcome.Outcome
	record journal.Record
	note   journal.Note
}

// follow makes known what became of a rollout that ECS told of. It is done once
// however often ECS tells: the revision's journal says what was told already.
// An outcome is on the bus before the journal says so; dying in between tells
// it twice, and never not at all.
func (p *Pipeline) follow(ctx context.Context, env *environment.Environment, reading event.Reading) (Result, error) {
	f := &following{Pipeline: p, env: env, target: ecsservice.TargetOf(env, reading.Rollout.Workload), step: reading.Rollout, at: reading.At}
	if f.at.IsZero() {
		f.at = p.now()
	}
	result := Result{EventID: reading.ID, Status: ecsdeploy.Followed, Deployments: []ecsdeploy.Deployment{}}
	if !p.followsRollouts { // the journal would say that the outcome was published
		result.Status, result.Reason = ecsdeploy.Ignored, "only the function tells of rollouts"
		return result, nil
	}
	err := f.take(ctx)
	if err == nil {
		err = f.tell(ctx)
	}
	said := []any{"event_id", reading.ID, "service", f.target.Workload, "step", string(f.step.Step), "deployment_id", f.seen.ID}
	if err != nil {
		slog.ErrorContext(ctx, "following a rollout failed", append(said, "error", err.Error(), "error_type", fault.NameOf(err))...)
		return Result{}, err
	}
	if len(f.entries) == 0 {
		result.Status, result.Reason = ecsdeploy.Ignored, f.reason
		slog.InfoContext(ctx, "rollout passed over", append(said, "reason", f.reason)...)
		return result, nil
	}
	result.Reason = f.entries[0].Message
	return result, nil
}

// take looks at the rollout, and settles what there is to tell.
func (f *following) take(ctx context.Context) (err error) {
	last := false
	for look := 1; ; look++ {
		if f.seen, err = f.rollouts.Observe(ctx, f.target, f.step.DeploymentID, last); err != nil {
			return err
		}
		if last || f.shown() {
			break
		}
		if last = f.seen.Deleted || look == looks; f.seen.Deleted {
			continue // nothing more will show
		}
		if err := fault.Wait(ctx, lookWait); err != nil {
			return fault.Classify("waiting for ECS to show a rollout", err)
		}
	}
	switch {
	case !f.seen.Found:
		f.reason = "ECS no longer lists the rollout, and no journal has its id"
		return nil
	case f.step.Step == event.RolloutStarted:
		return f.started(ctx)
	case f.step.Step == event.RolloutCompleted:
		return f.completed(ctx)
	case f.step.Step == event.RolloutFailed:
		return f.failed()
	}
	return f.impaired(ctx)
}

// shown reports whether ECS shows what it told of: the rollout; and of one that
// failed and is gone back from, the way back.
func (f *following) shown() bool {
	failed := f.step.Step == event.RolloutFailed && !f.seen.Deleted
	return f.step.Step == event.TasksImpaired || f.seen.Found && !(failed && f.seen.BreakerRollback && !f.returns())
}

// tell publishes the entries, notes them in the journals, and announces them.
func (f *following) tell(ctx context.Context) error {
	outcomes := make([]outcome.Outcome, len(f.entries))
	for i, e := range f.entries {
		outcomes[i] = e.Outcome
	}
	if err := f.publisher.Publish(ctx, outcomes...); err != nil {
		return err
	}
	var errs []error
	for _, e := range f.entries {
		errs = append(errs, f.services.AddNote(ctx, e.record, e.note))
	}
	f.publisher.Notify(ctx, outcomes...)
	return errors.Join(errs...)
}

// again reports whether an end of this very rollout was told already.
func (f *following) again(ends ...journal.Phase) bool {
	for _, end := range ends {
		if f.seen.Revision.Outcome == end && f.seen.Revision.DeploymentID == f.seen.ID {
			f.reason = "it was told already: " + string(end)
			return true
		}
	}
	return false
}
