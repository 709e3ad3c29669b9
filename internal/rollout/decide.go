package rollout

import (
	"cmp"
	"time"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Decision is the result of [Decide] for one rollout event.
type Decision struct {
	Drafts []Draft // the reports, in the order of publishing
	Notes  []Note  // notes without a report
	Reason string  // why there are no reports; "" if there are
}

// Note is a note for the journal of a revision.
type Note struct {
	Revision journal.Record
	Note     journal.Note
}

// Draft is a report that is decided on: the outcome of one revision's rollout, and
// the note for its journal.
type Draft struct {
	Kind         outcome.Kind
	Revision     journal.Record
	DeploymentID string
	Accepted     time.Time // when ECS accepted the rollout; zero if that is not known
	Foreign      bool      // an external deployment
	Deleted      bool      // it failed because the service was deleted
	ECSReason    string
	Problem      string // why it failed, if ECS gives no reason; or what is wrong with it
	Hook         outcome.Hook
	NextRun      string // of a task
	SupersededBy outcome.Newer
	RolledBackTo outcome.Revision
	Note         journal.Note
	NoteRevision journal.Record // of an external deployment: the revision that gets the note; zero if none does
}

// Decide decides what to report for a rollout event that happened at the given
// time, from an observation of its rollout. It reports each outcome once, however
// often ECS sends the event: the revision's journal says what was reported.
func Decide(e event.Rollout, at time.Time, o Observation) Decision {
	r := received{event: e, at: at, seen: o}
	if !o.Found {
		return nothing("ECS no longer lists the rollout, and no journal has its id")
	}
	if r.late() {
		return nothing("already reported: succeeded")
	}
	if d, done := r.externalReported(); done {
		return d
	}
	d := r.decide()
	d.Drafts = append(d.Drafts, r.endReplaced()...)
	for i, one := range d.Drafts {
		if one.Foreign && one.Revision.TaskDefinition == o.Revision.TaskDefinition {
			d.Drafts[i] = r.withNoteRevision(one)
		}
	}
	return r.once(d)
}

// decide decides on an event of a rollout that was found.
func (r received) decide() Decision {
	e := r.event
	switch {
	case e.Step == event.RolloutStarted:
		return r.started()
	case e.Step == event.RolloutCompleted:
		return r.completed()
	case e.Step == event.RolloutFailed:
		return r.failed()
	case e.Step.IsHook():
		return r.hook()
	}
	return r.impaired()
}

// nothing returns the decision to report nothing.
func nothing(reason string) Decision { return Decision{Reason: reason} }

// received is what a decision is made on: an event of ECS, its time, and the observation of
// its rollout.
type received struct {
	event event.Rollout
	at    time.Time
	seen  Observation
}

// draft returns the draft of a report on the observed rollout. Phase is its new
// phase in the journal.
func (r received) draft(kind outcome.Kind, phase journal.Phase) Draft {
	n := journal.Note{DeploymentID: r.seen.ID, Outcome: phase}
	if phase.IsEnd() {
		n.Finished = r.at
	}
	return Draft{
		Kind: kind, Revision: r.seen.Revision, DeploymentID: r.seen.ID, Accepted: r.seen.Accepted,
		Foreign: r.seen.Foreign(), ECSReason: r.event.Reason, Note: n,
	}
}

// alreadyReported reports whether one of some phases of the observed rollout was
// reported, and returns the decision for a duplicate.
func (r received) alreadyReported(phases ...journal.Phase) (Decision, bool) {
	for _, phase := range phases {
		if r.seen.Revision.Outcome == phase && r.seen.Revision.DeploymentID == r.seen.ID {
			return nothing("already reported: " + string(phase)), true
		}
	}
	return Decision{}, false
}

// late reports whether the success of the event's revision was reported under another
// rollout id, at or after the event's time. The event is late then: ECS
// has rolled back to the revision since, and the journal has the rollback's id.
func (r received) late() bool {
	of := r.seen.Revision
	return !of.Foreign && of.Outcome == journal.Succeeded && of.DeploymentID != r.seen.ID && !r.at.After(of.Finished)
}

// started handles SERVICE_DEPLOYMENT_IN_PROGRESS: it reports the rollout as
// started, and the rollouts that it replaced as superseded.
func (r received) started() Decision {
	o := r.seen
	anotherRollout := o.Revision.DeploymentID != "" || o.Runs.TaskDefinition == o.Revision.TaskDefinition
	switch {
	case o.Deleted:
		return nothing("the service was deleted")
	case o.IsRollback:
		return r.rollback()
	case !o.Revision.Foreign && o.Revision.DeploymentID == o.ID:
		return nothing("already reported: started")
	case (o.Revision.Pending() || o.Revision.Outcome == journal.Superseded) && !o.Primary && anotherRollout:
		// Two deployers may move the service to the same revision, one after the other.
		return nothing("superseded before it started; the rollout that replaced it is reported instead")
	}
	if by := o.By; by != (outcome.Newer{}) && o.Revision.Pending() {
		d := r.draft(outcome.DeploymentSuperseded, journal.Superseded)
		d.ECSReason, d.SupersededBy = "", by
		return Decision{Drafts: []Draft{d}}
	}
	d := r.draft(outcome.DeploymentStarted, "")
	if o.Revision.Outcome == journal.Superseded { // but now it is rolled out again
		d.Note.Outcome = journal.RollingOut
	}
	return Decision{Drafts: []Draft{d}}
}

// rollback handles the start and the completion of ECS's rollback. It reports nothing,
// because the report of the failed rollout includes the rollback. It notes the rollback's
// id in the journals of both revisions: once the rollback has ended, ECS no longer shows
// that it was one. ECS rolls back only to a revision whose rollout had completed.
func (r received) rollback() Decision {
	o := r.seen
	d := nothing("it is ECS's rollback, which is reported with the failure")
	switch {
	case o.RollbackReported:
		d.Reason = "it is ECS's rollback, which was reported with the failure"
	case o.RollbackReason != "":
		d.Reason += ": " + o.RollbackReason
	}
	// The events of the restored revision's own rollout may be late: then they are still to be reported.
	if to := o.Revision; to.Outcome == journal.Succeeded && !to.Inactive && to.DeploymentID != o.ID {
		d.Notes = append(d.Notes, Note{to, journal.Note{DeploymentID: o.ID}})
	}
	if failed, ok := r.requestedRollback(); ok {
		d.Drafts, d.Reason = []Draft{failed}, ""
		return d
	}
	if from := o.RollbackOf; from.Cause.ID != "" && !from.Foreign && !from.Inactive && from.RolledBackBy != o.ID {
		d.Notes = append(d.Notes, Note{from, journal.Note{RolledBackBy: o.ID}})
	}
	return d
}

// revisionOf returns a revision as outcomes have it.
func revisionOf(r journal.Record) outcome.Revision {
	return outcome.Revision{Revision: r.TaskDefinition, Image: r.Image}
}

// completed handles SERVICE_DEPLOYMENT_COMPLETED.
func (r received) completed() Decision {
	if r.seen.IsRollback && !r.seen.Deleted {
		return r.rollback()
	}
	if d, done := r.alreadyReported(journal.Succeeded, journal.Failed, journal.Superseded); done {
		return d
	}
	if r.seen.Deleted {
		return r.deleted()
	}
	if r.seen.Shifts && r.seen.Shifted != journal.Succeeded {
		return r.notShifted()
	}
	d := r.draft(outcome.DeploymentSucceeded, journal.Succeeded)
	return Decision{Drafts: []Draft{d}}
}

// notShifted handles SERVICE_DEPLOYMENT_COMPLETED of a rollout that shifts traffic, if its
// service deployment has not succeeded.
func (r received) notShifted() Decision {
	switch r.seen.Shifted {
	case journal.Failed:
		d := r.failure(journal.Failed)
		d.ECSReason = r.seen.ShiftedReason
		if d.ECSReason == "" {
			d.Problem = "ECS ended the rollout and gave no reason"
		}
		return Decision{Drafts: []Draft{d.explained()}}
	case journal.Superseded:
		return nothing("ECS stopped it for a newer deployment, with which it is reported")
	case journal.RollingOut:
		return nothing("its service deployment has not ended: it is " + r.seen.ShiftedReason)
	}
	return nothing("ECS lists no service deployment of it: whether it has succeeded is not known")
}

// failed handles SERVICE_DEPLOYMENT_FAILED. It reports the rollout as failed; but as
// superseded, if a newer rollout replaced it, and ECS neither says that it failed nor
// rolled it back.
func (r received) failed() Decision {
	if d, done := r.alreadyReported(journal.Failed, journal.Superseded); done {
		return d
	}
	o := r.seen
	if o.Deleted {
		return r.deleted()
	}
	if o.IsRollback {
		// The revision had succeeded: its journal describes its own rollout.
		d := r.failure(journal.Failed)
		d.Foreign, d.Problem = true, "ECS's rollback failed too"
		both := []Draft{d.explained()}
		if first, ok := r.requestedRollback(); ok {
			both = append([]Draft{first}, both...)
		}
		return Decision{Drafts: both}
	}
	if o.RolledBackByID == "" && o.newerRuns() && !o.FailedForCertain && !saysFailed(r.event.Reason) {
		d := r.draft(outcome.DeploymentSuperseded, journal.Superseded)
		d.SupersededBy = outcome.Newer{EventID: o.Runs.Cause.ID, DeploymentID: o.Runs.DeploymentID}
		if d.SupersededBy == (outcome.Newer{}) {
			d.SupersededBy.DeploymentID = o.PrimaryID
		}
		return Decision{Drafts: []Draft{d}}
	}
	d := r.failure(journal.Failed)
	if d.ECSReason == "" {
		d.Problem = "ECS ended the rollout and gave no reason"
	}
	return Decision{Drafts: []Draft{d.explained()}}
}

// deleted reports the rollout as failed because its service was deleted.
func (r received) deleted() Decision {
	d := r.failure(journal.Failed)
	d.ECSReason, d.Problem, d.Deleted = "", "the service was deleted", true
	return Decision{Drafts: []Draft{d.explained()}}
}

// rollbackSkew is how far the time of a failure's event may be before the beginning of ECS's
// rollback: the times of events are whole seconds.
const rollbackSkew = 5 * time.Second

// failure returns the draft of a failure. It names the rollback, if there is one,
// and so does its note.
func (r received) failure(phase journal.Phase) Draft {
	d, o := r.draft(outcome.DeploymentFailed, phase), r.seen
	// No rollback begins after the failure.
	later := o.RolledBackByID == "" && o.PrimaryAccepted.After(r.at.Add(rollbackSkew))
	if !o.RolledBack() || later {
		return d
	}
	d.Note.RolledBackBy = cmp.Or(o.RolledBackByID, o.PrimaryID)
	switch {
	case o.RolledBackTo.TaskDefinition != "":
		d.RolledBackTo = revisionOf(o.RolledBackTo)
	case o.newerRuns(): // which replaced the rollback
		d.RolledBackTo = revisionOf(o.Previous)
	default:
		d.RolledBackTo = revisionOf(o.Runs)
	}
	return d
}

// explained returns the draft with the reason of the failure in its note.
func (d Draft) explained() Draft {
	d.Note.Why = cmp.Or(d.ECSReason, d.Problem)
	return d
}
