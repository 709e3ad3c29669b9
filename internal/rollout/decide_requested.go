package rollout

import (
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// wasRequested is why a rollout failed that ECS rolled back without a circuit breaker or an alarm.
const wasRequested = "ECS rolled the service back, which has neither a circuit breaker nor alarms: the deployment " +
	"was stopped, or a lifecycle hook ended it"

// requestedRollback returns the report on the rollout that the observed rollback restored the
// service from, if ECS may send no event for its failure. ECS documents that event for
// failures that a circuit breaker or an alarm found ("Amazon ECS service action events" in the
// ECS developer guide), and neither is enabled here. The end of the rollback is the end of
// both then.
func (r received) requestedRollback() (Draft, bool) {
	o, from := r.seen, r.seen.RollbackOf
	switch {
	case r.event.Step != event.RolloutCompleted, o.BreakerEnabled, o.Shifts, o.RollbackReported, !o.RollbackCertain:
		return Draft{}, false
	case from.Cause.ID == "", from.Foreign, from.Inactive, !from.Pending():
		return Draft{}, false
	}
	d := Draft{Kind: outcome.DeploymentFailed, Revision: from, DeploymentID: from.DeploymentID, Problem: wasRequested,
		RolledBackTo: revisionOf(o.Revision), Note: journal.Note{DeploymentID: from.DeploymentID,
			Outcome: journal.Failed, Finished: r.at, RolledBackBy: o.ID}}
	return d.explained(), true
}
