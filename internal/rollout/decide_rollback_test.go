package rollout

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

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
