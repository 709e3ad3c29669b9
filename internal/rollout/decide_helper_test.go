package rollout

import (
	"fmt"
	"time"

	"deployer/internal/event"
	"deployer/internal/journal"
)

// reported is when the tests' rollout events happened.
var reported = time.Date(2026, 1, 22, 10, 20, 0, 0, time.UTC)

// record returns the journal of revision n, which was registered for the event
// "eN" while the revision before it ran, with changes.
func record(n int, changes ...func(*journal.Record)) journal.Record {
	r := journal.Record{
		TaskDefinition: fmt.Sprintf("%sf:%d", arn, n), Revision: n, Image: fmt.Sprintf("%s/p_service_web:v%d", host,
			n), Tag: fmt.Sprint("v", n),
		Cause: causeOf(fmt.Sprint("e", n), n), Previous: fmt.Sprintf("%sf:%d", arn, n-1),
	}
	for _, change := range changes {
		change(&r)
	}
	return r
}

// ended is the change of a record whose rollout, ecs-svc/N, came to a phase.
func ended(phase journal.Phase) func(*journal.Record) {
	return func(r *journal.Record) { r.Outcome, r.DeploymentID = phase, id(r.Revision) }
}

// finished is the change of a record whose rollout ended when the tests' events happened.
func finished(r *journal.Record) { r.Finished = reported }

// begun is the change of a record whose rollout was reported as started.
func begun(r *journal.Record) { r.DeploymentID = id(r.Revision) }

// foreign is the change of a record without a journal.
func foreign(r *journal.Record) {
	r.Cause, r.Previous, r.Outcome, r.DeploymentID, r.Foreign = event.Cause{}, "", "", "", true
}

// id returns ECS's id of the rollout of revision n.
func id(n int) string { return fmt.Sprint("ecs-svc/", n) }

// primary is the observation of the rollout of revision 12 while it is the
// service's newest, with changes. Before it ran revision 11.
func primary(changes ...func(*Observation)) Observation {
	o := Observation{
		Found: true, ID: id(12), PrimaryID: id(12), Primary: true, InProgress: true, BreakerEnabled: true,
		BreakerRollback: true,
		Revision:        record(12), Previous: record(11,
			ended(journal.Succeeded)), Runs: record(12), Accepted: reported.Add(-time.Minute),
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// revision is the change of an observation whose revision differs.
func revision(changes ...func(*journal.Record)) func(*Observation) {
	return func(o *Observation) {
		o.Revision = record(12, changes...)
		if o.Runs.Revision == 12 {
			o.Runs = o.Revision
		}
	}
}

// demoted is the change of an observation after a rollout of revision n
// replaced the observed one.
func demoted(n int, changes ...func(*journal.Record)) func(*Observation) {
	return func(o *Observation) {
		o.Primary, o.PrimaryID, o.Runs = false, id(n), record(n, changes...)
	}
}

// kept is the change of an observation of an external rollout of which a step was
// reported.
func kept(step event.Step) func(*Observation) {
	return func(o *Observation) { o.NoteRevision.Hooks = o.NoteRevision.Hooks.With(o.ID, string(step)) }
}

func unlisted(o *Observation)       { o.Primary, o.InProgress, o.Accepted = false, false, time.Time{} }
func deleted(o *Observation)        { unlisted(o); o.Deleted, o.PrimaryID = true, "" }
func withoutBreaker(o *Observation) { o.BreakerEnabled, o.BreakerRollback = false, false }
func notRolledBack(o *Observation)  { o.BreakerRollback = false }
func over(o *Observation)           { o.InProgress = false }
func rollback(o *Observation) {
	o.IsRollback, o.RollbackReason = true, "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/11."
}
func rollbackReported(o *Observation) { o.IsRollback, o.RollbackReported = true, true }
func moves(o *Observation)            { o.Moves = true }
func otherID(o *Observation)          { o.ID, o.PrimaryID = "ecs-svc/99", "ecs-svc/99" }

// rollbackFrom is the change of the observation of a rollback of revision n.
func rollbackFrom(n int, changes ...func(*journal.Record)) func(*Observation) {
	return func(o *Observation) { o.RollbackOf = record(n, changes...) }
}

// replacing is the change of an observation of a rollout that replaced others.
func replacing(records ...journal.Record) func(*Observation) {
	return func(o *Observation) {
		for _, r := range records {
			o.Replaced = append(o.Replaced, Replaced{Revision: r, Newer: r.Revision > o.Revision.Revision})
		}
	}
}
