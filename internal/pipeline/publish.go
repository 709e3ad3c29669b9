package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/outcome"
)

// publish puts outcomes on the bus, keeps in the failure queue what belongs there, and
// then notifies people. After a failure the event is retried: outcomes are published,
// and events kept, twice rather than never.
func (p *Pipeline) publish(ctx context.Context, env *environment.Environment, outcomes ...outcome.Outcome) error {
	if err := p.publisher.Publish(ctx, outcomes...); err != nil {
		return err
	}
	if err := p.keep(ctx, env, outcomes...); err != nil {
		return err
	}
	p.publisher.Notify(ctx, outcomes...)
	return nil
}

// keep keeps the events of outcomes that belong into the failure queue.
func (p *Pipeline) keep(ctx context.Context, env *environment.Environment, outcomes ...outcome.Outcome) error {
	if p.queue == nil {
		return nil
	}
	err := p.queue.Keep(ctx, functionARN(ctx, env), p.now(), outcomes...)
	if err != nil {
		slog.ErrorContext(ctx, "keeping events in the failure queue failed", "error", err.Error(),
			"error_type", fault.NameOf(err))
	}
	return err
}

// publishRejection publishes the outcome of a rejected event.
func (p *Pipeline) publishRejection(ctx context.Context, env *environment.Environment, reading event.Reading,
	raw json.RawMessage) error {
	if !p.publishesResults {
		return nil
	}
	w, _ := env.Labelled(reading.Claims.Service) // zero if the event names none that exists
	o := outcome.New(env, w)
	o.Time, o.Cause, o.Tag = p.now(), reading.Claims.Cause, reading.Claims.Tag
	o.Problem, o.Event = reading.Reason, raw
	o, err := outcome.Rejected(o)
	if err != nil {
		return err
	}
	return p.publish(ctx, env, o)
}

// publishResults publishes the outcomes of the requests that ended here. What ECS
// accepted has its outcome later, from the rollout's events, and what waits has none yet.
func (p *Pipeline) publishResults(ctx context.Context, env *environment.Environment, raw json.RawMessage,
	requests []event.Request, results []ecsdeploy.Deployment, failures []error) error {
	switch {
	case !p.publishesResults:
		return nil
	case isTogether(requests):
		return p.publishTogether(ctx, env, raw, requests, results, failures)
	}
	var outcomes []outcome.Outcome
	var errs []error
	for i, request := range requests {
		o, ended, err := p.terminalOutcome(ctx, env, raw, request, results[i], failures[i])
		errs = append(errs, err)
		if ended && err == nil {
			outcomes = append(outcomes, o)
		}
	}
	return errors.Join(append(errs, p.publish(ctx, env, outcomes...))...)
}

// terminalOutcome returns the outcome of a request that has ended, and whether it
// has. A failure ends it only at the last attempt.
func (p *Pipeline) terminalOutcome(ctx context.Context, env *environment.Environment, raw json.RawMessage,
	request event.Request, d ecsdeploy.Deployment, failure error) (o outcome.Outcome, ended bool, err error) {
	// Lost pushes that could not be deployed are not reported: the next search
	// retries them, and would report them again.
	if request.DryRun || request.Cause.Source == event.ReconcileSource {
		return o, false, nil
	}
	o = outcome.New(env, request.Workload)
	o.Time, o.Cause = p.now(), request.Cause
	o.Tag = cmp.Or(d.Tag, request.Tag) // only the result of a rollback has its tag
	switch {
	case failure != nil && isLastAttempt(ctx):
		o.Problem, o.Event = failure.Error(), raw
		o, err = outcome.Failed(o)
	case failure != nil:
		return o, false, nil
	case d.Status == ecsdeploy.Rejected:
		o.Problem, o.Event = d.Reason, raw
		o, err = outcome.Rejected(o)
	case d.Status == ecsdeploy.Superseded && !d.EventSeen:
		o.SupersededBy = outcome.Newer{EventID: d.Newer.EventID, DeploymentID: d.Newer.DeploymentID}
		o, err = outcome.Superseded(o)
	default:
		return o, false, nil
	}
	return o, true, err
}
