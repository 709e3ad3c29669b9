package rollout

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
)

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

// listed is one of a service's deployments: the rollout of revision n.
func listed(n int, status string, state types.DeploymentRolloutState, reason string) types.Deployment {
	return types.Deployment{Id: aws.String(id(n)), TaskDefinition: aws.String(record(n).TaskDefinition),
		Status: aws.String(status), RolloutState: state, RolloutStateReason: aws.String(reason), CreatedAt: &reported}
}

// TestObservationOf checks what a service's deployments and journals show about a
// rollout, and which revisions are read for it and when.
func TestObservationOf(t *testing.T) {
	t.Parallel()
	const inProgress = types.DeploymentRolloutStateInProgress
	const completed = types.DeploymentRolloutStateCompleted
	const failed = types.DeploymentRolloutStateFailed
	service := func(runs int, deployments ...types.Deployment) *types.Service {
		return &types.Service{Status: aws.String("ACTIVE"), TaskDefinition: aws.String(record(runs).TaskDefinition),
			Deployments: deployments}
	}
	const back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/11."
	tests := []struct {
		name      string
		service   *types.Service
		id        string
		journaled string
		records   []journal.Record
		reads     [][]int // revisions that are read, step by step
		want      Observation
	}{
		{name: "no service", id: id(12), want: Observation{ID: id(12), Deleted: true}},
		{name: "not listed", service: service(11, listed(11, "PRIMARY", completed, "")), id: id(12),
			want: Observation{ID: id(12), PrimaryID: id(11), PrimaryAccepted: reported}},
		{name: "primary", service: service(12, listed(12, "PRIMARY", inProgress, ""),
			listed(11, "ACTIVE", completed, "")),
			id: id(12), records: []journal.Record{record(12), record(11)}, reads: [][]int{{12}, {11}},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(12), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				Revision: record(12), Previous: record(11), Runs: record(12)}},
		{name: "the one in progress", service: service(12, listed(12, "PRIMARY", inProgress, "")),
			records: []journal.Record{record(12), record(11)}, reads: [][]int{{12}, {11}},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(12), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				Revision: record(12), Previous: record(11), Runs: record(12)}},
		{name: "two are replaced, one had ended",
			service: service(12, listed(12, "PRIMARY", inProgress, ""), listed(11, "ACTIVE", inProgress, ""),
				listed(10, "ACTIVE", inProgress, ""), listed(9, "ACTIVE", inProgress, "")),
			id: id(12), reads: [][]int{{12}, {11, 10, 9}},
			records: []journal.Record{record(12), record(11), record(10, ended(journal.Impaired)),
				record(9, ended(journal.Succeeded))},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(12), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				Revision: record(12), Previous: record(11), Runs: record(12),
				Replaced: []Replaced{{Revision: record(11, begun)}, {Revision: record(10, ended(journal.Impaired))}}}},
		{name: "the replaced one is no longer listed", service: service(12, listed(12, "PRIMARY", inProgress, "")),
			id:    id(12),
			reads: [][]int{{12}, {11}}, records: []journal.Record{record(12), record(11, begun)},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(12), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				Revision: record(12), Previous: record(11, begun), Runs: record(12),
				Replaced: []Replaced{{Revision: record(11, begun)}}}},
		{name: "demoted", service: service(13, listed(13, "PRIMARY", inProgress, ""),
			listed(12, "ACTIVE", inProgress, "")),
			id: id(12), records: []journal.Record{record(13), record(12), record(11)}, reads: [][]int{{12}, {11, 13}},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(13), PrimaryAccepted: reported, InProgress: true,
				Accepted: reported,
				Revision: record(12), Previous: record(11), Runs: record(13)}},
		{name: "an external deployment's previous revision is the one that did not fail",
			service: service(12, listed(12, "PRIMARY", inProgress, ""), listed(11, "ACTIVE", failed, ""),
				listed(10, "ACTIVE", completed, "")),
			id: id(12), records: []journal.Record{record(12, foreign), record(10)}, reads: [][]int{{12}, {10}},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(12), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				Revision: record(12, foreign), Previous: record(10), Runs: record(12, foreign)}},
		{name: "a rollback", service: service(11, listed(11, "PRIMARY", inProgress, back)), id: id(11),
			records: []journal.Record{record(11), record(10)}, reads: [][]int{{11}, {10}},
			want: Observation{Found: true, ID: id(11), PrimaryID: id(11), PrimaryAccepted: reported, Primary: true,
				InProgress: true, Accepted: reported,
				IsRollback: true, RollbackReason: back, Revision: record(11), Previous: record(10), Runs: record(11)}},
		{name: "journaled", service: service(11, listed(11, "PRIMARY", completed, "")), id: id(12),
			journaled: record(12).TaskDefinition, records: []journal.Record{record(12, begun), record(11)},
			reads: [][]int{{12}, {11}},
			want: Observation{Found: true, ID: id(12), PrimaryID: id(11), PrimaryAccepted: reported,
				Revision: record(12, begun), Previous: record(11),
				Runs: record(11)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := event.Rollout{DeploymentID: tt.id}
			known := map[string]journal.Record{}
			var reads [][]int
			o, missing := observationOf(tt.service, e, rollbacksOf(tt.service, e), tt.journaled, known)
			for len(missing) > 0 {
				var numbers []int
				for _, r := range tt.records {
					if slices.Contains(missing, r.TaskDefinition) {
						known[r.TaskDefinition] = r
					}
				}
				for _, arn := range missing {
					numbers = append(numbers, known[arn].Revision)
				}
				reads = append(reads, numbers)
				o, missing = observationOf(tt.service, e, rollbacksOf(tt.service, e), tt.journaled, known)
			}
			if diff := cmp.Diff(tt.reads, reads); diff != "" {
				t.Errorf("reads: %s", diff)
			}
			if diff := cmp.Diff(tt.want, o); diff != "" {
				t.Error(diff)
			}
		})
	}
}
