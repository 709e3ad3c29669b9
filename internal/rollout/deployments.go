package rollout

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// observationOf returns the observation of an event's rollout, from a service and
// the records of revisions by their ARNs. The service is nil if it does not exist.
// An event without an id is about the service's newest rollout. Journaled is the
// ARN of the revision whose journal has the id, if ECS does not list the rollout.
// If missing is not empty, these revisions have to be read first.
func observationOf(
	service *types.Service, e event.Rollout, back rollbacks, journaled string, records map[string]journal.Record,
) (o Observation, missing []string) {
	o = Observation{ID: e.DeploymentID, Deleted: service == nil || aws.ToString(service.Status) != "ACTIVE"}
	if service == nil {
		service = &types.Service{}
	}
	o.BreakerEnabled, o.BreakerRollback = breakers(service.DeploymentConfiguration)
	revision := o.addDeployment(service)
	if revision == "" {
		revision = journaled
	}
	if revision == "" {
		return o, nil
	}
	var known bool
	o.Revision, known = records[revision]
	if !known {
		return o, []string{revision}
	}
	o.Revision.Foreign = o.Revision.Foreign || o.Revision.Cause.ID == "" // it was deleted, and its journal with it
	o.Found = true
	if e.Step == event.RolloutStarted && ecsservice.SaysRollback(e.Reason) {
		o.IsRollback, o.RollbackReason = true, e.Reason
	}
	family := family{records: records}
	o.addRollback(back, &family)
	o.addOthers(service, back, &family)
	return o, family.missing
}

// family is the revisions that were read, and those that have to be.
type family struct {
	records map[string]journal.Record
	missing []string
}

// record returns the record of a revision, zero if it was not read.
func (f *family) record(arn string) journal.Record {
	r, known := f.records[arn]
	if !known && arn != "" && !slices.Contains(f.missing, arn) {
		f.missing = append(f.missing, arn)
	}
	return r
}

// rollout returns the record of a deployment's revision, with the deployment's id.
func (f *family) rollout(d types.Deployment) journal.Record {
	r := f.record(aws.ToString(d.TaskDefinition))
	if r.TaskDefinition != "" {
		r.DeploymentID = aws.ToString(d.Id)
	}
	return r
}

// addDeployment adds what the service's deployments show about the rollout. It
// returns the ARN of the rollout's revision, "" if they do not include it.
func (o *Observation) addDeployment(service *types.Service) (revision string) {
	wanted := o.ID
	for _, d := range service.Deployments {
		id, primary := aws.ToString(d.Id), ecsservice.IsPrimary(d)
		if primary {
			o.PrimaryID, o.PrimaryAccepted = id, aws.ToTime(d.CreatedAt)
		}
		if id != wanted && !(wanted == "" && primary) {
			continue
		}
		o.ID, o.Primary, o.Accepted = id, primary, aws.ToTime(d.CreatedAt)
		o.InProgress = d.RolloutState == types.DeploymentRolloutStateInProgress
		if ecsservice.IsRollback(d) {
			o.IsRollback, o.RollbackReason = true, aws.ToString(d.RolloutStateReason)
		}
		revision = aws.ToString(d.TaskDefinition)
	}
	return revision
}

// breakers reports whether ECS ends rollouts that fail, and whether it rolls
// back then: by the circuit breaker or by alarms.
func breakers(c *types.DeploymentConfiguration) (enabled, rollback bool) {
	if c == nil {
		return false, false
	}
	if b := c.DeploymentCircuitBreaker; b != nil && b.Enable {
		enabled, rollback = true, b.Rollback
	}
	if a := c.Alarms; a != nil && a.Enable {
		enabled, rollback = true, rollback || a.Rollback
	}
	return enabled, rollback
}

// addRollback adds ECS's rollback of the rollout, or that it is a rollback itself.
func (o *Observation) addRollback(back rollbacks, f *family) {
	if r := o.Revision; (r.DeploymentID == o.ID || r.DeploymentID == "") && !back.moved(r.RolledBackBy) {
		o.RolledBackByID = r.RolledBackBy
	}
	o.Moves, o.MovedBack = back.moved(o.ID), back.moved(o.PrimaryID) && o.PrimaryID != o.ID
	for _, r := range back.all {
		switch o.ID {
		case aws.ToString(r.From.Id):
			to := f.record(aws.ToString(r.By.TaskDefinition))
			if r.Certain || o.Accepted.IsZero() || !to.Registered.After(o.Accepted) { // else it did not run before
				o.RolledBackByID, o.RolledBackTo = aws.ToString(r.By.Id), to
			}
		case aws.ToString(r.By.Id):
			from := f.record(aws.ToString(r.From.TaskDefinition))
			o.RollbackCertain = r.Certain
			switch id := aws.ToString(r.From.Id); {
			case from.TaskDefinition == "": // it is read first
			case from.RolledBackBy == o.ID:
				o.rollbackOf(from)
			case r.Certain || o.IsRollback || o.restores(from):
				o.IsRollback = true
				o.RollbackOf = from
				o.RollbackOf.DeploymentID = id
			}
		}
	}
}

// restores reports whether the rollout of an older revision is taken for ECS's
// rollback of a newer one that has not ended, though ECS does not say so. Of two
// concurrent events, the later one's revision may be the older one: it has not run
// before the other.
func (o *Observation) restores(from journal.Record) bool {
	if o.Revision.Pending() && from.Previous != o.Revision.TaskDefinition {
		return false
	}
	return from.Foreign || from.Pending()
}

// addOthers adds the previous revision, the running one, and the replaced
// rollouts.
func (o *Observation) addOthers(service *types.Service, back rollbacks, f *family) {
	previous := o.Revision.Previous
	if o.Foreign() { // the journal describes the deployer's own rollout
		previous = ""
	}
	var replaced []types.Deployment
	listed := map[string]bool{}
	for _, d := range service.Deployments {
		arn := aws.ToString(d.TaskDefinition)
		listed[arn] = true
		if aws.ToString(d.Id) == o.ID || ecsservice.IsPrimary(d) {
			continue
		}
		if o.Primary && o.replaces(d, replaced) {
			replaced = append(replaced, d)
		}
		if previous == "" && d.RolloutState != types.DeploymentRolloutStateFailed {
			previous = arn
		}
	}
	o.Previous, o.Runs = f.record(previous), f.record(aws.ToString(service.TaskDefinition))
	for _, d := range replaced {
		// The start of some may be reported later.
		if r := f.record(aws.ToString(d.TaskDefinition)); r.Pending() && r.Cause.ID != "" {
			o.replace(back, f, f.rollout(d))
		}
	}
	// Its start was reported, and ECS no longer lists it: no event will report its end.
	p := o.Previous
	if o.Primary && p.Pending() && p.DeploymentID != "" && p.DeploymentID != o.ID && !listed[p.TaskDefinition] {
		o.replace(back, f, p)
	}
}

// replace adds a replaced rollout.
func (o *Observation) replace(back rollbacks, f *family, r journal.Record) {
	one := Replaced{Revision: r, RolledBackByID: r.RolledBackBy}
	if r.RolledBackBy == o.ID { // that is no rollback, or it would not replace others
		one.RolledBackByID = ""
	}
	one.Newer = r.Revision > o.Revision.Revision &&
		ecsservice.FamilyOf(r.TaskDefinition) == ecsservice.FamilyOf(o.Revision.TaskDefinition)
	if by, found := back.of(r.DeploymentID); found && aws.ToString(by.By.Id) != o.ID {
		one.RolledBackByID, one.RolledBackTo = aws.ToString(by.By.Id), f.record(aws.ToString(by.By.TaskDefinition))
		if ecsservice.IsRollback(by.By) {
			one.Reason = aws.ToString(by.By.RolloutStateReason)
		}
	}
	if one.RolledBackByID != "" && one.RolledBackTo.TaskDefinition == "" {
		one.RolledBackTo = f.record(r.Previous)
	}
	o.Replaced = append(o.Replaced, one)
}

// replaces reports whether the rollout replaces a deployment that is in progress
// and whose revision is not yet among the replaced ones. A rollback is no rollout
// of its own.
func (o *Observation) replaces(d types.Deployment, replaced []types.Deployment) bool {
	arn := aws.ToString(d.TaskDefinition)
	if d.RolloutState != types.DeploymentRolloutStateInProgress || arn == o.Revision.TaskDefinition ||
		ecsservice.IsRollback(d) {
		return false
	}
	sameRevision := func(r types.Deployment) bool { return aws.ToString(r.TaskDefinition) == arn }
	return !slices.ContainsFunc(replaced, sameRevision)
}
