package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// TestDecide checks [Decide]: every step with every kind of observation.
func TestDecide(t *testing.T) {
	t.Parallel()
	const start, complete = event.RolloutStarted, event.RolloutCompleted
	const fail, impair = event.RolloutFailed, event.TasksImpaired
	const why = "ECS deployment circuit breaker: tasks failed to start."
	const inProgress = "ECS deployment ecs-svc/12 in progress."
	// report is a report on the rollout of revision 12, unless change says otherwise.
	report := func(kind outcome.Kind, note journal.Note, change ...func(*Draft)) Draft {
		note.DeploymentID = id(12)
		d := Draft{Kind: kind, Revision: record(12), DeploymentID: id(12), Accepted: reported.Add(-time.Minute),
			Note: note}
		for _, c := range change {
			c(&d)
		}
		return d
	}
	revised := func(changes ...func(*journal.Record)) func(*Draft) {
		return func(d *Draft) { d.Revision = record(12, changes...) }
	}
	movedLater := func(o *Observation) { o.PrimaryAccepted = reported.Add(time.Minute) }
	external := func(d *Draft) { d.Foreign = true }
	again := func(d *Draft) { d.Foreign, d.DeploymentID, d.Note.DeploymentID = true, "ecs-svc/99", "ecs-svc/99" }
	late := func(d *Draft) { d.Accepted = time.Time{} }
	says := func(reason string) func(*Draft) { return func(d *Draft) { d.ECSReason = reason } }
	ecsReason := says(why)
	problem := func(text string) func(*Draft) { return func(d *Draft) { d.Problem = text } }
	rolledBackTo := func(n int) func(*Draft) {
		return func(d *Draft) {
			d.RolledBackTo = outcome.Revision{Revision: record(n).TaskDefinition, Image: record(n).Image}
		}
	}
	supersededBy := func(event string, n int) func(*Draft) {
		return func(d *Draft) { d.SupersededBy = outcome.Newer{EventID: event, DeploymentID: id(n)} }
	}
	superseded := func(n int, by outcome.Newer, changes ...func(*journal.Record)) Draft {
		return Draft{Kind: outcome.DeploymentSuperseded, Revision: record(n, changes...), DeploymentID: id(n),
			SupersededBy: by,
			Note:         journal.Note{DeploymentID: id(n), Outcome: journal.Superseded, Finished: reported}}
	}
	startNote, succeeded := journal.Note{}, journal.Note{Outcome: journal.Succeeded, Finished: reported}
	failed := func(why string) journal.Note {
		return journal.Note{Outcome: journal.Failed, Finished: reported, Why: why}
	}
	rolledBack := func(why string, by int) journal.Note {
		n := failed(why)
		n.RolledBackBy = id(by)
		return n
	}
	by12 := outcome.Newer{EventID: "e12", DeploymentID: id(12)}
	reports := func(drafts ...Draft) Decision { return Decision{Drafts: drafts} }
	ignored := func(reason string) Decision { return Decision{Reason: reason} }

	const (
		notListed   = "ECS no longer lists the rollout, and no journal has its id"
		beforeStart = "superseded before it started; the rollout that replaced it is reported instead"
		ownRollback = "it is ECS's rollback, which is reported with the failure: " +
			"ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/11."
		serviceGone   = "the service was deleted"
		notInProgress = "no rollout is in progress: tasks of the running revision do not start"
		noReason      = "ECS ended the rollout and gave no reason"
		noBreaker     = "its tasks do not start and the service has no circuit breaker to end the rollout: " +
			"ECS keeps trying"
	)
	gone := report(outcome.DeploymentFailed, failed(serviceGone), late, problem(serviceGone),
		func(d *Draft) { d.Deleted = true })

	tests := []struct {
		name   string
		step   event.Step
		reason string // of the event
		seen   Observation
		want   Decision
	}{
		// A rollout started.
		{"primary", start, "", primary(), reports(report(outcome.DeploymentStarted, startNote))},
		{"external deployment", start, "", primary(revision(foreign)),
			reports(report(outcome.DeploymentStarted, startNote, revised(foreign), external))},
		{"second rollout of a revision that succeeded", start, "", primary(revision(ended(journal.Succeeded)), otherID),
			reports(report(outcome.DeploymentStarted, startNote, revised(ended(journal.Succeeded)), again))},
		{"second rollout of a revision that failed", start, "", primary(revision(ended(journal.Failed)), otherID),
			reports(report(outcome.DeploymentStarted, startNote, revised(ended(journal.Failed)), again))},
		{"second rollout of a revision that was superseded", start, "",
			primary(revision(ended(journal.Superseded)), otherID),
			reports(report(outcome.DeploymentStarted, startNote, revised(ended(journal.Superseded)), again))},
		{"duplicate", start, "", primary(revision(begun)), ignored("already reported: started")},
		{"after its end", start, "", primary(revision(ended(journal.Succeeded)), over),
			ignored("already reported: started")},
		{"late, and ECS rolled back to the revision since", start, "",
			primary(revision(ended(journal.Succeeded), finished), otherID), ignored("already reported: succeeded")},
		{"its end again, and ECS rolled back to the revision since", complete, "",
			primary(revision(ended(journal.Succeeded), finished), otherID), ignored("already reported: succeeded")},
		{"demoted before its start was handled", start, "", primary(demoted(13)),
			reports(report(outcome.DeploymentStarted, startNote))},
		{"demoted, and of two rollouts of the revision the second is primary", start, "",
			primary(func(o *Observation) { o.Primary, o.PrimaryID = false, "ecs-svc/99" }), ignored(beforeStart)},
		{"demoted, and another rollout of the revision was reported", start, "",
			primary(demoted(13), revision(begun), func(o *Observation) { o.ID = "ecs-svc/99" }), ignored(beforeStart)},
		{"no longer listed, but journaled", start, "", primary(revision(begun), unlisted),
			ignored("already reported: started")},
		{"not found", start, "", Observation{ID: id(12)}, ignored(notListed)},
		{"service deleted", start, "", primary(deleted), ignored("the service was deleted")},
		{"it replaced two others", start, "", primary(replacing(record(11, begun),
			record(10, ended(journal.Impaired)))),
			reports(report(outcome.DeploymentStarted, startNote), superseded(11, by12, begun),
				superseded(10, by12, ended(journal.Impaired)))},
		{"an external deployment replaced another", start, "", primary(revision(foreign), replacing(record(11, begun))),
			reports(report(outcome.DeploymentStarted, startNote, revised(foreign), external),
				superseded(11, outcome.Newer{DeploymentID: id(12)}, begun))},
		{"an external deployment that was reported", start, "", primary(revision(foreign), kept(start)),
			ignored("already reported: SERVICE_DEPLOYMENT_IN_PROGRESS of an external deployment")},
		{"an external deployment whose end was reported", start, "", primary(revision(foreign), kept(complete)),
			ignored("already reported: SERVICE_DEPLOYMENT_COMPLETED of an external deployment")},
		{"ECS's rollback to a revision that succeeded", start, "",
			primary(rollback, revision(ended(journal.Succeeded)), otherID),
			Decision{Notes: []Note{{record(12, ended(journal.Succeeded)), journal.Note{DeploymentID: "ecs-svc/99"}}},
				Reason: ownRollback}},
		{"ECS's rollback to a revision whose success was not reported", start, "", primary(rollback),
			Decision{Reason: ownRollback}},
		{"ECS's rollback of a revision whose failure was not reported yet", start, "",
			primary(rollback, rollbackFrom(13, begun)), Decision{Reason: ownRollback,
				Notes: []Note{{record(13, begun), journal.Note{RolledBackBy: id(12)}}}}},
		{"ECS's rollback, whose id is noted", start, "",
			primary(rollback, rollbackFrom(13, begun, func(r *journal.Record) { r.RolledBackBy = id(12) })),
			Decision{Reason: ownRollback}},
		{"an older revision after a newer one, without a word of ECS", start, "",
			primary(revision(foreign), replacing(record(13, begun))),
			reports(report(outcome.DeploymentStarted, startNote, revised(foreign), external))},
		{"an older revision after a newer one, as ECS says", start, inProgress,
			primary(revision(foreign), replacing(record(13, begun))),
			reports(report(outcome.DeploymentStarted, startNote, revised(foreign), external, says(inProgress)),
				superseded(13, outcome.Newer{DeploymentID: id(12)}, begun))},
		{"without a circuit breaker", start, "", primary(withoutBreaker),
			reports(report(outcome.DeploymentStarted, startNote))},

		// A rollout completed.
		{"primary", complete, "", primary(over), reports(report(outcome.DeploymentSucceeded, succeeded))},
		{"demoted after it completed", complete, "", primary(over, demoted(13)),
			reports(report(outcome.DeploymentSucceeded, succeeded))},
		{"no longer listed, but journaled", complete, "", primary(revision(begun), unlisted),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(begun), late))},
		{"external deployment", complete, "", primary(over, revision(foreign)),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(foreign), external))},
		{"second rollout of a revision that succeeded", complete, "",
			primary(over, revision(ended(journal.Succeeded)), otherID),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(ended(journal.Succeeded)), again))},
		{"ECS's rollback, which was reported", complete, "",
			primary(over, revision(ended(journal.Succeeded)), otherID, rollbackReported),
			Decision{Notes: []Note{{record(12, ended(journal.Succeeded)), journal.Note{DeploymentID: "ecs-svc/99"}}},
				Reason: "it is ECS's rollback, which was reported with the failure"}},
		{"impaired before", complete, "", primary(over, revision(ended(journal.Impaired))),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(ended(journal.Impaired))))},
		{"duplicate", complete, "", primary(over, revision(ended(journal.Succeeded))),
			ignored("already reported: succeeded")},
		{"reported as failed", complete, "", primary(over, revision(ended(journal.Failed))),
			ignored("already reported: failed")},
		{"reported as superseded", complete, "", primary(over, revision(ended(journal.Superseded))),
			ignored("already reported: superseded")},
		{"superseded by the id of an earlier rollout", complete, "",
			primary(over, revision(ended(journal.Superseded)), otherID),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(ended(journal.Superseded)), again))},
		{"it replaced another", complete, "", primary(over, replacing(record(11, begun))),
			reports(report(outcome.DeploymentSucceeded, succeeded), superseded(11, by12, begun))},
		{"an older revision after a newer one, which may be a rollback", complete, "",
			primary(over, revision(foreign), replacing(record(13, begun))),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(foreign), external))},
		{"an older revision after a newer one, which is no rollback", complete, "",
			primary(over, revision(foreign), moves, replacing(record(13, begun))),
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(foreign), external),
				superseded(13, outcome.Newer{DeploymentID: id(12)}, begun))},
		{"service deleted", complete, "", primary(deleted), reports(gone)},
		{"not found", complete, "", Observation{ID: id(12)}, ignored(notListed)},

		// A rollout failed.
		{"rolling back", fail, why, primary(over, demoted(11)),
			reports(report(outcome.DeploymentFailed, rolledBack(why, 11), ecsReason, rolledBackTo(11)))},
		{"a person moved the service back after the failure", fail, why, primary(over, demoted(11), movedLater),
			reports(report(outcome.DeploymentFailed, failed(why), ecsReason))},
		{"rolled back, no longer listed", fail, why, primary(unlisted, revision(begun), demoted(11)),
			reports(report(outcome.DeploymentFailed, rolledBack(why, 11), revised(begun), late, ecsReason,
				rolledBackTo(11)))},
		{"the rollback does not show yet", fail, why, primary(over),
			reports(report(outcome.DeploymentFailed, failed(why), ecsReason))},
		{"not rolled back by the service's configuration", fail, why, primary(over, notRolledBack),
			reports(report(outcome.DeploymentFailed, failed(why), ecsReason))},
		{"without a reason", fail, "", primary(over),
			reports(report(outcome.DeploymentFailed, failed(noReason), problem(noReason)))},
		{"external deployment", fail, why, primary(over, revision(foreign), demoted(11)),
			reports(report(outcome.DeploymentFailed, rolledBack(why, 11), revised(foreign), external, ecsReason,
				rolledBackTo(11)))},
		{"replaced by a newer event's", fail, "", primary(over, demoted(13, begun)),
			reports(report(outcome.DeploymentSuperseded, journal.Note{Outcome: journal.Superseded, Finished: reported},
				supersededBy("e13", 13)))},
		{"replaced by an external deployment", fail, "", primary(over, demoted(13, foreign)),
			reports(report(outcome.DeploymentSuperseded, journal.Note{Outcome: journal.Superseded, Finished: reported},
				supersededBy("", 13)))},
		{"replaced by a newer event's, and ECS says that it failed", fail, why, primary(over, demoted(13, begun)),
			reports(report(outcome.DeploymentFailed, failed(why), ecsReason))},
		{"replaced by an external deployment, and ECS says that it failed", fail, why,
			primary(over, demoted(13, foreign)),
			reports(report(outcome.DeploymentFailed, failed(why), ecsReason))},
		{"impaired before", fail, why, primary(over, revision(ended(journal.Impaired))),
			reports(report(outcome.DeploymentFailed, failed(why), revised(ended(journal.Impaired)), ecsReason))},
		{"reported as succeeded", fail, why, primary(over, revision(ended(journal.Succeeded))),
			reports(report(outcome.DeploymentFailed, failed(why), revised(ended(journal.Succeeded)), ecsReason))},
		{"duplicate", fail, why, primary(over, demoted(11), revision(ended(journal.Failed))),
			ignored("already reported: failed")},
		{"reported as superseded", fail, why, primary(over, revision(ended(journal.Superseded))),
			ignored("already reported: superseded")},
		{"service deleted", fail, why, primary(deleted), reports(gone)},
		{"not found", fail, why, Observation{ID: id(12)}, ignored(notListed)},

		// Tasks do not start.
		{"with a circuit breaker", impair, "", primary(),
			reports(report(outcome.DeploymentImpaired,
				journal.Note{Why: impairedWithBreaker}, problem(impairedWithBreaker)))},
		{"without a circuit breaker", impair, "", primary(withoutBreaker),
			reports(report(outcome.DeploymentImpaired, journal.Note{Why: noBreaker},
				problem(noBreaker)))},
		{"duplicate with a circuit breaker", impair, "", primary(revision(ended(journal.Impaired))),
			ignored("already reported: impaired")},
		{"rolled out again after it was superseded", impair, "", primary(revision(ended(journal.RollingOut))),
			reports(report(outcome.DeploymentImpaired,
				journal.Note{Outcome: journal.Impaired, Why: impairedWithBreaker}, problem(impairedWithBreaker),
				revised(ended(journal.RollingOut))))},
		{"of ECS's rollback", impair, "", primary(rollback), ignored(
			"tasks of ECS's rollback do not start: its failure is reported when ECS ends it")},
		{"external deployment without a circuit breaker", impair, "", primary(withoutBreaker, revision(foreign)),
			reports(report(outcome.DeploymentImpaired, startNote, problem(noBreaker), revised(foreign), external))},
		{"duplicate", impair, "", primary(withoutBreaker, revision(ended(journal.Impaired))),
			ignored("already reported: impaired")},
		{"reported as superseded", impair, "", primary(withoutBreaker, revision(ended(journal.Superseded))),
			ignored("already reported: superseded")},
		{"no rollout in progress", impair, "", primary(over, withoutBreaker), ignored(notInProgress)},
		{"service deleted", impair, "", primary(deleted), ignored(notInProgress)},
		{"no deployment", impair, "", Observation{}, ignored(notListed)},
	}
	for _, tt := range tests {
		t.Run(string(tt.step)+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			for i, d := range tt.want.Drafts {
				if d.Foreign { // only that it was reported is noted
					noted := journal.Steps("").With(tt.seen.ID, string(tt.step))
					tt.want.Drafts[i].Note = journal.Note{Hooks: noted}
				}
			}
			got := Decide(event.Rollout{Step: tt.step, DeploymentID: tt.seen.ID, Reason: tt.reason}, reported, tt.seen)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
