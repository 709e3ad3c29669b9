package rollout

import (
	"cmp"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// wasRequested is why a rollout failed that ECS rolled back without a circuit breaker or an alarm.
const wasRequested = "ECS rolled the service back, which has neither a circuit breaker nor alarms: the deployment " +
	"was stopped, or a lifecycle hook ended it"

// wasStopped is why a rollout failed that ECS rolled back though neither the circuit breaker nor an alarm found a
// failure, if ECS gives no reason.
const wasStopped = "ECS rolled the service back, and neither its circuit breaker nor an alarm had found a failure: " +
	"the deployment was stopped, or a lifecycle hook ended it"

// requestedRollback returns the report on the rollout that the observed rollback restored the
// service from, if ECS may send no event for its failure. ECS documents that event for
// failures that a circuit breaker or an alarm found ("Amazon ECS service action events" in the
// ECS developer guide): either none is enabled here, or ECS's service deployment shows that none
// has found a failure. The end of the rollback is the end of both then, also if the rollback
// failed.
func (r received) requestedRollback() (Draft, bool) {
	o, from := r.seen, r.seen.RollbackOf
	silent := !o.BreakerEnabled && o.RollbackCertain && !o.RollbackReported && r.event.Step == event.RolloutCompleted
	switch {
	case !endsRollout(r.event.Step), o.Shifts, !silent && !o.RollbackRequested:
		return Draft{}, false
	case from.Cause.ID == "", from.Foreign, from.Inactive, !from.Pending():
		return Draft{}, false
	}
	d := Draft{Kind: outcome.DeploymentFailed, Revision: from, DeploymentID: from.DeploymentID, Problem: wasRequested,
		RolledBackTo: revisionOf(o.Revision), Note: journal.Note{DeploymentID: from.DeploymentID,
			Outcome: journal.Failed, Finished: r.at, RolledBackBy: o.ID}}
	if o.BreakerEnabled {
		d.ECSReason, d.Problem = o.RequestedReason, ""
		if d.ECSReason == "" {
			d.Problem = wasStopped
		}
	}
	return d.explained(), true
}

// observeRequested adds that ECS made the observed rollback though neither the circuit breaker nor
// an alarm had found a failure, if the service deployment shows that: a person stopped the
// deployment (StopServiceDeployment), or a lifecycle hook ended it. The service deployment
// also names the rollout that was rolled back. It is read only at the end of a rollback whose
// failure was not reported. The error is a fault that a retry may mend: no other event comes.
func (h *Handler) observeRequested(ctx context.Context, r *reader, service *types.Service, e event.Rollout,
	o *Observation) error {
	from := o.RollbackOf
	switch {
	case !o.IsRollback, o.Deleted, o.Shifts, !endsRollout(e.Step), service == nil:
		return nil
	case from.TaskDefinition != "" && (from.Cause.ID == "" || from.Foreign || from.Inactive || !from.Pending()):
		return nil
	case !o.BreakerEnabled && o.RollbackCertain && e.Step == event.RolloutCompleted: // nothing else is needed
		return nil
	}
	d, found, err := h.services.DeploymentOf(ctx, r.target, service, o.ID)
	switch {
	case fault.IsUnavailable(err):
		return err
	case err != nil, !found, d.Target == o.ID, !ecsservice.RolledBackStatus(d.Status):
		return nil
	case d.Detected, saysFailed(d.Reason): // ECS sends SERVICE_DEPLOYMENT_FAILED
		return nil
	}
	if from.TaskDefinition == "" || cmp.Or(from.DeploymentID, d.Target) != d.Target {
		arn := h.services.TaskDefinitionOf(ctx, service, d.Target)
		if arn == "" {
			return nil
		}
		if from, err = r.record(ctx, arn); err != nil && !errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			return err
		}
	}
	if cmp.Or(from.DeploymentID, d.Target) != d.Target { // another rollout of a revision whose own was noted
		return nil
	}
	from.DeploymentID = d.Target
	o.RollbackOf, o.RollbackRequested, o.RequestedReason = from, true, d.Reason
	o.RollbackReported = from.Outcome == journal.Failed
	return nil
}

// endsRollout reports whether a step is the end of a rollout.
func endsRollout(s event.Step) bool { return s == event.RolloutCompleted || s == event.RolloutFailed }
