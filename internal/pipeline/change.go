package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"deployer/internal/dependents"
	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/retry"
)

// collectTime is how long further changes are waited for after the end of the minute in which
// a change was made. EventBridge Scheduler invokes the function within the minute that is due.
// The changes of a minute are handled in one minute, and those of the next one later. So a
// rollout for the first change of a burst begins after all changes of the minute that follows
// it, and makes further rollouts unnecessary.
const collectTime = time.Minute

// change redeploys the services whose running revision refers to what changed. The first
// delivery of an event only finds them. It is handled again after [collectTime]; a service of
// which a rollout began after the change runs with it already.
func (p *Pipeline) change(ctx context.Context, env *environment.Environment, result Result, d delivery,
	reading event.Reading, dryRun bool) (Result, error) {
	found, skipped, err := p.dependents().Of(ctx, env, reading.Change)
	found = slices.DeleteFunc(found, func(one dependents.Dependent) bool {
		return d.services != nil && !slices.Contains(d.services, one.Workload.Name)
	})
	var rolledOut []string
	if err == nil { // an event's time is in whole seconds
		rolledOut, err = p.dependents().HaveNew(ctx, env, found, reading.At.Add(time.Second))
	}
	if err != nil {
		slog.ErrorContext(ctx, "finding dependent services failed", "event_id", reading.ID, "change",
			reading.Change.String(), "error", err.Error(), "error_type", fault.NameOf(err))
		return Result{}, err
	}
	var requests []event.Request
	key := "changed configuration"
	for _, one := range found {
		if !slices.Contains(rolledOut, one.Workload.Name) {
			requests = append(requests, p.changeRequest(reading, one.Workload, d, dryRun))
			key += one.RolledOut.UTC().Format(" " + time.RFC3339Nano)
		}
	}
	if len(requests) == 0 {
		return p.changeIgnored(ctx, env, result, rolledOut, skipped, dryRun), nil
	}
	due := minuteOf(reading.At).Add(time.Minute + collectTime)
	if waited := d.services != nil; waited || p.scheduler == nil || dryRun || due.Sub(p.now()) < minLead {
		return p.run(ctx, env, result, d, requests)
	}
	return p.collect(ctx, env, result, retry.Message{Event: d.raw, Due: due, Key: key}, requests)
}

// minuteOf returns the begin of the minute of a time.
func minuteOf(at time.Time) time.Time { return at.UTC().Truncate(time.Minute) }

// endOfSecond returns the latest time at which something was that has a time in whole seconds.
// A rollout of the same second may have begun before it. ECS has times in milliseconds.
func endOfSecond(at time.Time) time.Time { return at.Add(time.Second - time.Millisecond) }

// changeRequest returns the request to redeploy a workload because configuration changed.
// The changes of one minute are one event, so that they lead to one rollout even if they are
// handled at the same time. An event that a person runs again keeps its own id, because a
// rollout of the minute may have failed.
func (p *Pipeline) changeRequest(reading event.Reading, w environment.Workload, d delivery,
	dryRun bool) event.Request {
	cause := reading.Claims.Cause
	if p.scheduler != nil || d.services != nil {
		cause.ID = "redeploy-" + minuteOf(cause.Time).Format("20060102T1504Z")
	}
	cause.Time = endOfSecond(cause.Time)
	cause.Reason = reading.Change.String() + " changed"
	return event.Request{Cause: cause, Workload: w, Redeploy: true, Force: true, DryRun: dryRun}
}

// changeIgnored returns the result of an event that redeploys nothing. Services that were
// rolled out after the change run with it. Whether those that were skipped do is not known.
func (p *Pipeline) changeIgnored(ctx context.Context, env *environment.Environment, result Result,
	rolledOut, skipped []string, dryRun bool) Result {
	result.Status = ecsdeploy.Ignored
	if len(rolledOut) > 0 {
		result.Status = ecsdeploy.Unchanged
		result.Reason += ", and a rollout of " + strings.Join(rolledOut, ", ") + " began after that"
	} else {
		result.Reason += ", and no running revision of " + env.Name + " refers to it"
	}
	if len(skipped) > 0 {
		result.Reason += "; not looked at, because their deployment controller is not ECS: " +
			strings.Join(skipped, ", ")
	}
	keys := []any{"event_id", result.EventID, "reason", result.Reason}
	if len(rolledOut) > 0 {
		keys = append(keys, "service", strings.Join(rolledOut, ", "))
	}
	slog.InfoContext(ctx, "event ignored", keys...)
	if !dryRun {
		p.publisher.EventIgnored()
	}
	return result
}

// collect makes the function get a message's event again when further changes were collected.
// For the changes of one minute, one is enough, if no rollout began between them: the key of
// the message says which was the newest one of each service.
func (p *Pipeline) collect(ctx context.Context, env *environment.Environment, result Result, m retry.Message,
	requests []event.Request) (Result, error) {
	m.Function = functionARN(ctx, env)
	result.Status = ecsdeploy.Waiting
	result.Reason += "; collecting further changes until " + m.Due.Format(time.RFC3339)
	for _, one := range requests {
		m.Services = append(m.Services, one.Workload.Name)
		waits := ecsdeploy.Deployment{Service: one.Workload.Name, Status: ecsdeploy.Waiting, Reason: result.Reason}
		result.Deployments = append(result.Deployments, waits)
		logDeployment(ctx, one, waits, nil)
	}
	if err := p.scheduler.Schedule(ctx, m, env.FailedQueueARN()); err != nil {
		slog.ErrorContext(ctx, "scheduling the redeployment failed", "error", err.Error(),
			"error_type", fault.NameOf(err))
		return Result{}, err
	}
	return result, nil
}

// changeCannotRun reports whether a request that a change of configuration led to was
// rejected because the deployer cannot deploy the image that runs. Each change would be
// rejected again.
func changeCannotRun(request event.Request, err error) bool {
	return event.IsChange(request.Cause.Source) && errors.Is(err, fault.ErrImageOutsideECR)
}
