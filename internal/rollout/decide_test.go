package rollout

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
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

func unlisted(o *Observation)       { o.Primary, o.InProgress, o.Accepted = false, false, time.Time{} }
func deleted(o *Observation)        { unlisted(o); o.Deleted, o.PrimaryID = true, "" }
func withoutBreaker(o *Observation) { o.BreakerEnabled, o.BreakerRollback = false, false }
func notRolledBack(o *Observation)  { o.BreakerRollback = false }
func over(o *Observation)           { o.InProgress = false }
func rollback(o *Observation) {
	o.RollbackReason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/11."
}
func rollbackReported(o *Observation) { o.RollbackReported = true }
func otherID(o *Observation)          { o.ID, o.PrimaryID = "ecs-svc/99", "ecs-svc/99" }

// replacing is the change of an observation of a rollout that replaced others.
func replacing(records ...journal.Record) func(*Observation) {
	return func(o *Observation) { o.Replaced = records }
}

// TestDecide is the rule as a table: every step with every kind of observation.
func TestDecide(t *testing.T) {
	t.Parallel()
	const start, complete = event.RolloutStarted, event.RolloutCompleted
	const fail, impair = event.RolloutFailed, event.TasksImpaired
	const why = "ECS deployment circuit breaker: tasks failed to start."
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
	external := func(d *Draft) { d.Foreign = true }
	again := func(d *Draft) { d.Foreign, d.DeploymentID, d.Note.DeploymentID = true, "ecs-svc/99", "ecs-svc/99" }
	late := func(d *Draft) { d.Accepted = time.Time{} }
	ecsReason := func(d *Draft) { d.ECSReason = why }
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
		n.Return = id(by)
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
		{"it won after it was superseded", start, "", primary(revision(ended(journal.Superseded)), otherID),
			reports(report(outcome.DeploymentStarted, journal.Note{Outcome: journal.RollingOut},
				revised(ended(journal.Superseded)), again, func(d *Draft) { d.Foreign = false }))},
		{"duplicate", start, "", primary(revision(begun)), ignored("already reported: started")},
		{"after its end", start, "", primary(revision(ended(journal.Succeeded)), over),
			ignored("already reported: started")},
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
		{"ECS's rollback to a revision that succeeded", start, "",
			primary(rollback, revision(ended(journal.Succeeded)), otherID),
			Decision{Note: journal.Note{DeploymentID: "ecs-svc/99"},
				Reason: ownRollback}},
		{"ECS's rollback to a revision whose success was not reported", start, "", primary(rollback),
			Decision{Note: journal.Note{DeploymentID: id(12), Outcome: journal.Succeeded},
				Reason: ownRollback}},
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
			ignored("it is ECS's rollback, which was reported with the failure")},
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
			reports(report(outcome.DeploymentSucceeded, succeeded, revised(ended(journal.Superseded)), again,
				func(d *Draft) { d.Foreign = false }))},
		{"it replaced another", complete, "", primary(over, replacing(record(11, begun))),
			reports(report(outcome.DeploymentSucceeded, succeeded), superseded(11, by12, begun))},
		{"service deleted", complete, "", primary(deleted), reports(gone)},
		{"not found", complete, "", Observation{ID: id(12)}, ignored(notListed)},

		// A rollout failed.
		{"rolling back", fail, why, primary(over, demoted(11)),
			reports(report(outcome.DeploymentFailed, rolledBack(why, 11), ecsReason, rolledBackTo(11)))},
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
		{"replaced by a newer event's", fail, why, primary(over, demoted(13, begun)),
			reports(report(outcome.DeploymentSuperseded, journal.Note{Outcome: journal.Superseded, Finished: reported},
				ecsReason, supersededBy("e13", 13)))},
		{"replaced by an external deployment", fail, why, primary(over, demoted(13, foreign)),
			reports(report(outcome.DeploymentSuperseded, journal.Note{Outcome: journal.Superseded, Finished: reported},
				ecsReason, supersededBy("", 13)))},
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
			ignored("the service's circuit breaker will end the rollout")},
		{"without a circuit breaker", impair, "", primary(withoutBreaker),
			reports(report(outcome.DeploymentFailed, journal.Note{Outcome: journal.Impaired, Why: noBreaker},
				problem(noBreaker)))},
		{"external deployment without a circuit breaker", impair, "", primary(withoutBreaker, revision(foreign)),
			ignored("tasks of an external deployment do not start")},
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
			got := Decide(event.Rollout{Step: tt.step, DeploymentID: tt.seen.ID, Reason: tt.reason}, reported, tt.seen)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestShows checks when an observation shows what its event reports.
func TestShows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		step event.Step
		seen Observation
		want bool
	}{
		{"listed", event.RolloutStarted, primary(), true},
		{"not listed yet", event.RolloutStarted, Observation{}, false},
		{"completed", event.RolloutCompleted, primary(over), true},
		{"failed, the rollback does not show yet", event.RolloutFailed, primary(over), false},
		{"failed and rolled back", event.RolloutFailed, primary(over, demoted(11)), true},
		{"failed without a rollback", event.RolloutFailed, primary(over, notRolledBack), true},
		{"failed, and the service was deleted", event.RolloutFailed, primary(deleted), true},
		{"failed, not listed", event.RolloutFailed, Observation{BreakerRollback: true}, false},
		{"tasks impaired", event.TasksImpaired, Observation{}, true},
	} {
		if got := tt.seen.Shows(event.Rollout{Step: tt.step}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// readService reads the service in an answer of DescribeServices.
func readService(t *testing.T, file string) *types.Service {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var answer struct{ Services []types.Service }
	must(t, json.Unmarshal(text, &answer))
	if len(answer.Services) != 1 {
		t.Fatalf("%s has %d services", file, len(answer.Services))
	}
	return &answer.Services[0]
}

// TestDecideRollback decides on the answers of DescribeServices in testdata, in
// which revision 12 fails and the circuit breaker rolls back to revision 11:
// ecs-svc/1… brought revision 11, ecs-svc/2… brings 12, ecs-svc/3… is the rollback.
func TestDecideRollback(t *testing.T) {
	t.Parallel()
	const family = "arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:"
	const first, bad, back = "ecs-svc/1111111111111111111", "ecs-svc/2222222222222222222", "ecs-svc/3333333333333333333"
	const why = "ECS deployment circuit breaker: tasks failed to start."
	eleven := record(11, func(r *journal.Record) {
		r.TaskDefinition, r.Previous, r.DeploymentID, r.Outcome = family+"11", family+"10", first, journal.Succeeded
	})
	twelve := record(12, func(r *journal.Record) {
		r.TaskDefinition, r.Previous, r.DeploymentID = family+"12", family+"11", bad
	})
	failed := twelve
	failed.Outcome, failed.Return = journal.Failed, back
	failure := Draft{Kind: outcome.DeploymentFailed, Revision: twelve, DeploymentID: bad, ECSReason: why,
		RolledBackTo: outcome.Revision{Revision: family + "11", Image: eleven.Image},
		Note: journal.Note{DeploymentID: bad, Outcome: journal.Failed, Finished: reported, Why: why,
			Return: back}}
	external := Draft{Kind: outcome.DeploymentSucceeded, Revision: eleven, DeploymentID: back, Foreign: true,
		Note: journal.Note{DeploymentID: back, Outcome: journal.Succeeded, Finished: reported}}
	tests := []struct {
		name, file string
		step       event.Step
		id, reason string
		twelve     journal.Record
		reported   bool // the rollback was
		want       Decision
	}{
		{name: "the rollback starts", file: "1-rolling-back", step: event.RolloutStarted, id: back, twelve: twelve,
			want: Decision{Note: journal.Note{DeploymentID: back},
				Reason: "it is ECS's rollback, which is reported with the failure: " +
					"ECS deployment circuit breaker: rolling back to deploymentId " + first + "."}},
		{name: "the failure", file: "1-rolling-back", step: event.RolloutFailed, id: bad, reason: why, twelve: twelve,
			want: Decision{Drafts: []Draft{failure}}},
		{name: "the failure", file: "2-rolled-back", step: event.RolloutFailed, id: bad, reason: why, twelve: twelve,
			want: Decision{Drafts: []Draft{failure}}},
		{name: "the failure", file: "3-failed", step: event.RolloutFailed, id: bad, reason: why, twelve: twelve,
			want: Decision{Drafts: []Draft{failure}}},
		{name: "the failure again", file: "3-failed", step: event.RolloutFailed, id: bad, reason: why, twelve: failed,
			want: Decision{Reason: "already reported: failed"}},
		{name: "the rollback is complete, after the failure was reported", file: "3-failed",
			step: event.RolloutCompleted, id: back, twelve: failed, reported: true,
			want: Decision{Reason: "it is ECS's rollback, which was reported with the failure"}},

		// Known defect: ECS shows the reason of a rollback only while the rollback is
		// in progress. If its events are handled later, or before the failure is, the
		// rollback is reported as an external deployment, and revision 12 as superseded
		// by it.
		{name: "the rollback starts, and its event comes late", file: "2-rolled-back", step: event.RolloutStarted,
			id: back, twelve: twelve,
			want: Decision{Drafts: []Draft{startedOf(external), supersededOf(twelve, back)}}},
		{name: "the rollback starts, and its event comes later", file: "3-failed", step: event.RolloutStarted, id: back,
			twelve: failed,
			want:   Decision{Drafts: []Draft{startedOf(external)}}},
		{name: "the rollback is complete, before the failure was reported", file: "2-rolled-back",
			step: event.RolloutCompleted, id: back, twelve: twelve,
			want: Decision{Drafts: []Draft{external, supersededOf(twelve, back)}}},
		{name: "the rollback is complete, before the failure was reported", file: "3-failed",
			step: event.RolloutCompleted, id: back, twelve: twelve,
			want: Decision{Drafts: []Draft{external}}},
	}
	for _, tt := range tests {
		t.Run(tt.file+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			records := map[string]journal.Record{family + "11": eleven, family + "12": tt.twelve}
			o, missing := observationOf(readService(t, "testdata/"+tt.file+".json"), tt.id, "", records)
			if len(missing) > 0 {
				t.Fatalf("missing %v", missing)
			}
			o.RollbackReported = tt.reported
			if e := (event.Rollout{Step: tt.step, DeploymentID: tt.id, Reason: tt.reason}); !o.Shows(e) {
				t.Error("the observation does not show the event")
			} else if diff := cmp.Diff(tt.want, Decide(e, reported, o)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// startedOf returns the report that a rollout started of which d reports the end.
func startedOf(d Draft) Draft {
	d.Kind, d.Note = outcome.DeploymentStarted, journal.Note{DeploymentID: d.DeploymentID}
	return d
}

// supersededOf returns the report that a revision's rollout was superseded by
// the rollback to revision 11.
func supersededOf(r journal.Record, by string) Draft {
	return Draft{Kind: outcome.DeploymentSuperseded, Revision: r, DeploymentID: r.DeploymentID,
		SupersededBy: outcome.Newer{EventID: "e11", DeploymentID: by},
		Note:         journal.Note{DeploymentID: r.DeploymentID, Outcome: journal.Superseded, Finished: reported}}
}
