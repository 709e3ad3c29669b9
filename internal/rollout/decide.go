package rollout

import (
	"cmp"
	"time"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Decision is what follows from one rollout event.
type Decision struct {
	Drafts []Draft      // what to report, in this order
	Note   journal.Note // a note that goes with no report, for the observed revision; zero if there is none
	Reason string       // why there is nothing to report; "" if there is something
}

// Draft is a report to make: what happened to the rollout of one revision, and
// what its journal is to say of it.
type Draft struct {
	Kind         outcome.Kind
	Revision     journal.Record
	DeploymentID string
	Accepted     time.Time // when ECS accepted the rollout; zero if that is not known
	Foreign      bool      // an external deployment
	Deleted      bool      // it failed because the service was deleted
	ECSReason    string
	Problem      string // why it failed, in the deployer's words
	SupersededBy outcome.Newer
	RolledBackTo outcome.Revision
	Note         journal.Note
}

// Decide decides what to report of a rollout event that happened at a time,
// given what ECS and the journals show of the rollout. Each outcome is reported
// once, however often ECS sends its event: the journal of the revision says
// what was reported.
func Decide(e event.Rollout, at time.Time, o Observation) Decision {
	r := rule{event: e, at: at, seen: o}
	switch {
	case !o.Found:
		return nothing("ECS no longer lists the rollout, and no journal has its id")
	case e.Step == event.RolloutStarted:
		return r.started()
	case e.Step == event.RolloutCompleted:
		return r.completed()
	case e.Step == event.RolloutFailed:
		return r.failed()
	}
	return r.impaired()
}

// nothing is the decision to report nothing.
func nothing(reason string) Decision { return Decision{Reason: reason} }

// rule is one application of the rule.
type rule struct {
	event event.Rollout
	at    time.Time
	seen  Observation
}

// draft returns the draft of a report on the observed rollout.
func (r rule) draft(kind outcome.Kind, phase journal.Phase) Draft {
	n := journal.Note{DeploymentID: r.seen.ID, Outcome: phase}
	switch phase {
	case journal.Succeeded, journal.Failed, journal.Superseded:
		n.Finished = r.at
	}
	return Draft{
		Kind: kind, Revision: r.seen.Revision, DeploymentID: r.seen.ID, Accepted: r.seen.Accepted,
		Foreign: r.seen.Foreign(), ECSReason: r.event.Reason, Note: n,
	}
}

// alreadyReported reports whether the journal says that the observed rollout
// has come to one of some phases, and which.
func (r rule) alreadyReported(phases ...journal.Phase) (Decision, bool) {
	for _, phase := range phases {
		if r.seen.Revision.Outcome == phase && r.seen.Revision.DeploymentID == r.seen.ID {
			return nothing("already reported: " + string(phase)), true
		}
	}
	return Decision{}, false
}

// started handles SERVICE_DEPLOYMENT_IN_PROGRESS: it reports the rollout as
// started, and the rollouts that it replaced as superseded.
func (r rule) started() Decision {
	o := r.seen
	switch {
	case o.Deleted:
		return nothing("the service was deleted")
	case o.RollbackReason != "":
		// The rollback is reported with the failure. ECS rolls back only to a
		// revision whose rollout was completed.
		d := nothing("ECS began it to roll back: " + o.RollbackReason)
		d.Note.DeploymentID = o.ID
		if o.Revision.Outcome == "" {
			d.Note.Outcome = journal.Succeeded
		}
		return d
	case !o.Revision.Foreign && o.Revision.DeploymentID == o.ID:
		return nothing("already reported: started")
	case !o.Foreign() && !o.Primary && (o.Revision.DeploymentID != "" || o.Runs.TaskDefinition == o.Revision.TaskDefinition):
		// A late event that completes a newer one's update moves the service to
		// the same revision a second time.
		return nothing("superseded before it started; the rollout that replaced it is reported instead")
	}
	d := r.draft(outcome.DeploymentStarted, "")
	if o.Revision.Outcome == journal.Superseded { // it won in the end
		d.Note.Outcome = journal.RollingOut
	}
	return Decision{Drafts: append([]Draft{d}, r.supersedeReplaced()...)}
}

// supersedeReplaced returns the reports on the rollouts that the observed one replaced.
func (r rule) supersedeReplaced() (all []Draft) {
	for _, replaced := range r.seen.Replaced {
		all = append(all, Draft{
			Kind: outcome.DeploymentSuperseded, Revision: replaced, DeploymentID: replaced.DeploymentID,
			SupersededBy: outcome.Newer{EventID: r.seen.Revision.Cause.ID, DeploymentID: r.seen.ID},
			Note:         journal.Note{DeploymentID: replaced.DeploymentID, Outcome: journal.Superseded, Finished: r.at},
		})
	}
	return all
}

// completed handles SERVICE_DEPLOYMENT_COMPLETED.
func (r rule) completed() Decision {
	if d, done := r.alreadyReported(journal.Succeeded, journal.Failed, journal.Superseded); done {
		return d
	}
	switch {
	case r.seen.Deleted:
		return r.deleted()
	case r.seen.RollbackReported:
		return nothing("ECS rolled back by it, and that was reported with the failure")
	}
	d := r.draft(outcome.DeploymentSucceeded, journal.Succeeded)
	return Decision{Drafts: append([]Draft{d}, r.supersedeReplaced()...)}
}

// failed handles SERVICE_DEPLOYMENT_FAILED: the rollout is superseded if a newer
// one has replaced it, else it failed.
func (r rule) failed() Decision {
	if d, done := r.alreadyReported(journal.Failed, journal.Superseded); done {
		return d
	}
	o := r.seen
	if o.Deleted {
		return r.deleted()
	}
	if o.Runs.Revision > o.Revision.Revision && !o.Primary {
		d := r.draft(outcome.DeploymentSuperseded, journal.Superseded)
		d.SupersededBy = outcome.Newer{EventID: o.Runs.Cause.ID, DeploymentID: o.Runs.DeploymentID}
		if d.SupersededBy == (outcome.Newer{}) {
			d.SupersededBy.DeploymentID = o.PrimaryID
		}
		return Decision{Drafts: []Draft{d}}
	}
	d := r.failure(journal.Failed)
	if o.RolledBack() {
		d.RolledBackTo = outcome.Revision{Revision: o.Runs.TaskDefinition, Image: o.Runs.Image}
	}
	if d.ECSReason == "" {
		d.Problem = "ECS gave up the rollout, and does not say why"
	}
	return Decision{Drafts: []Draft{d.explained()}}
}

// deleted reports a rollout as failed because its service was deleted.
func (r rule) deleted() Decision {
	d := r.failure(journal.Failed)
	d.ECSReason, d.Problem, d.Deleted = "", "the service was deleted meanwhile, and nothing runs", true
	return Decision{Drafts: []Draft{d.explained()}}
}

// impaired handles SERVICE_TASK_START_IMPAIRED. A circuit breaker ends such a
// rollout, and its end is reported. Without one ECS keeps trying for ever and
// sends no other event, so the rollout is reported as failed.
func (r rule) impaired() Decision {
	o := r.seen
	switch {
	case o.Deleted, !o.InProgress:
		return nothing("no rollout is under way: tasks of what runs do not stay up")
	case o.BreakerEnabled:
		return nothing("the circuit breaker of the service will end the rollout")
	case o.Foreign(): // it has no journal, and ECS repeats the event
		return nothing("tasks of what somebody else deploys do not stay up")
	}
	if d, done := r.alreadyReported(journal.Impaired, journal.Failed, journal.Superseded); done {
		return d
	}
	d := r.failure(journal.Impaired)
	d.Problem = "its tasks do not stay up and the service has no circuit breaker that would end the rollout: ECS goes on trying"
	return Decision{Drafts: []Draft{d.explained()}}
}

// failure returns the draft of a failure, with the rollout that rolled back from it.
func (r rule) failure(phase journal.Phase) Draft {
	d := r.draft(outcome.DeploymentFailed, phase)
	if r.seen.RolledBack() {
		d.Note.Return = r.seen.PrimaryID
	}
	return d
}

// explained adds to the note why the rollout failed.
func (d Draft) explained() Draft {
	d.Note.Why = cmp.Or(d.ECSReason, d.Problem)
	return d
}
