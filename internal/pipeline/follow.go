package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/reconcile"
	"deployer/internal/rollout"
)

// rolloutHandler is what the pipeline needs of [rollout.Handler].
type rolloutHandler interface {
	Handle(ctx context.Context, env *environment.Environment, e event.Rollout, at time.Time) (
		reports []rollout.Report, reason string, err error)
	Journal(ctx context.Context, r rollout.Report) error
	TaskMoved(ctx context.Context, env *environment.Environment, w environment.Workload, previous, r journal.Record,
		at time.Time, next string) (rollout.Report, error)
	MissedRollback(ctx context.Context, env *environment.Environment, w environment.Workload, service *types.Service,
		runs journal.Record, now time.Time) ([]rollout.Report, error)
}

// follow handles a rollout event of ECS, and publishes what follows from it.
func (p *Pipeline) follow(ctx context.Context, env *environment.Environment, reading event.Reading) (Result, error) {
	result := Result{EventID: reading.ID, Status: ecsdeploy.Followed, Deployments: []ecsdeploy.Deployment{}}
	if !p.followsRollouts { // the journal would say that the outcome was published
		result.Status, result.Reason = ecsdeploy.Ignored, "only the function reports rollouts"
		return result, nil
	}
	e := reading.Rollout
	keys := []any{
		"event_id", reading.ID, "service", e.Workload.Name, "step", string(e.Step), "deployment_id", e.DeploymentID,
	}
	reports, reason, err := p.rollouts.Handle(ctx, env, e, reading.At)
	if err == nil {
		err = p.publishReports(ctx, env, reports)
	}
	if err == nil {
		err = p.look(ctx, env, e, reading.At)
	}
	if err != nil {
		keys = append(keys, "error", err.Error(), "error_type", fault.NameOf(err))
		slog.ErrorContext(ctx, "handling a rollout event failed", keys...)
		return Result{}, err
	}
	if len(reports) == 0 {
		result.Status, result.Reason = ecsdeploy.Ignored, reason
		slog.InfoContext(ctx, "rollout ignored", append(keys, "reason", reason)...)
		return result, nil
	}
	result.Reason = reports[0].Outcome.Message
	return result, nil
}

// look looks at the service after its rollout started or ended, and completes the newest
// choice if that does not run: what a stale read missed, what an attempt left unfinished
// when it ended too early, and what was overwritten.
func (p *Pipeline) look(ctx context.Context, env *environment.Environment, e event.Rollout, at time.Time) error {
	switch e.Step {
	case event.RolloutStarted, event.RolloutCompleted, event.RolloutFailed:
	default:
		return nil
	}
	ctx, cancel := p.withNotifyReserve(ctx)
	defer cancel()
	order := ecsdeploy.Order{Cause: event.Cause{Time: at}}
	order.Principal, order.Request = p.principal(ctx, env, event.Cause{ID: e.DeploymentID})
	moved, err := p.deployer.Look(ctx, ecsservice.TargetOf(env, e.Workload), e.DeploymentID, order)
	switch {
	case errors.Is(err, fault.ErrServiceNotFound), errors.Is(err, fault.ErrServiceNotActive),
		errors.Is(err, fault.ErrControllerNotECS), errors.Is(err, fault.ErrTaskDefinitionNotFound):
		return nil
	case moved != "":
		slog.InfoContext(ctx, "the newest choice was completed", "service", e.Workload.Name, "task_definition", moved,
			"deployment_id", e.DeploymentID)
	}
	return err
}

// endRollbacks reports rollouts that ECS rolled back without an event that reported their end,
// of services that a search read.
func (p *Pipeline) endRollbacks(ctx context.Context, env *environment.Environment, all []reconcile.Service) error {
	if !p.followsRollouts {
		return nil
	}
	ctx, cancel := p.withNotifyReserve(ctx)
	defer cancel()
	var errs []error
	for _, one := range all {
		reports, err := p.rollouts.MissedRollback(ctx, env, one.Workload, one.Service, one.Running, p.now())
		if err == nil && len(reports) > 0 {
			err = p.publishReports(ctx, env, reports)
		}
		switch {
		case fault.IsUnavailable(err):
			errs = append(errs, err)
		case err != nil:
			slog.WarnContext(ctx, "searching for a rollback failed", "service", one.Workload.Name,
				"error", err.Error(), "error_type", fault.NameOf(err))
		}
	}
	return errors.Join(errs...)
}

// publishReports publishes the outcomes of reports on the bus, keeps failed events in
// the failure queue, then writes the journals, and then notifies people. After a crash
// in between, ECS's event is delivered again: an outcome is published, and an event
// kept, twice rather than never. The journal comes after the queue, because a retry
// does nothing for an outcome that is in the journal.
func (p *Pipeline) publishReports(ctx context.Context, env *environment.Environment, reports []rollout.Report) error {
	outcomes := make([]outcome.Outcome, len(reports))
	for i, r := range reports {
		outcomes[i] = r.Outcome
	}
	if err := p.publisher.Publish(ctx, outcomes...); err != nil {
		return err
	}
	if err := p.keep(ctx, env, outcomes...); err != nil {
		return err
	}
	var errs []error
	for _, r := range reports {
		errs = append(errs, p.rollouts.Journal(ctx, r))
	}
	p.publisher.Notify(ctx, outcomes...)
	return errors.Join(errs...)
}
