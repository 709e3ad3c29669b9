package rollout

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/outcome"
)

// TestRequestedRollback handles the events of a rollback whose reasons are those of any
// rollout, in every order and state. AWS does not document the reasons of a rollback that a
// person requested with StopServiceDeployment: the status of the service deployment says
// what it is.
func TestRequestedRollback(t *testing.T) {
	t.Parallel()
	starts, ends := backStarts, fails
	starts.Reason, ends.Reason = "ECS deployment "+backID+" in progress.", "ECS deployment "+failedID+" was stopped."
	want := []string{"Deployment Failed of 12: " + ends.Reason + " Back to 11"}
	for _, status := range []types.ServiceDeploymentStatus{"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS",
		"ROLLBACK_SUCCESSFUL"} {
		for _, previous := range []string{"ours", "external"} {
			t.Run(string(status)+", "+previous, func(t *testing.T) {
				t.Parallel()
				try := func(order []event.Rollout, states ...string) {
					a := &publishedAccount{t: t,
						tags: map[string]map[string]string{"11": maps.Clone(previousRevisions[previous]),
							"12": journalOf(12, 11, "deployer:deployment", failedID)},
					}
					a.list, a.describe = deploymentAnswers(failedID, status, "", "")
					var reports []outcome.Outcome
					for i, e := range order {
						more, _ := a.handle(e, states[i])
						reports = append(reports, more...)
					}
					if diff := cmp.Diff(want, summary(reports)); diff != "" {
						t.Errorf("%v in %v: %s", order, states, diff)
					}
				}
				for _, order := range orders([]event.Rollout{starts, backEnds, ends}) {
					for _, a := range rollbackStates {
						for _, b := range rollbackStates {
							try(order, a, b, b)
							try(order, a, a, b)
						}
					}
				}
			})
		}
	}
}

// TestRequestedRollbackSilent handles the events of a rollback of a service without circuit
// breaker and alarms. ECS may send no event for the failure, so the end of the rollback
// reports it, once.
func TestRequestedRollbackSilent(t *testing.T) {
	t.Parallel()
	starts := backStarts
	starts.Reason = "ECS deployment stopped: rolling back to deploymentId " + firstID + "."
	without := strings.NewReplacer(`"enable": true`, `"enable": false`)
	silent := []string{"Deployment Failed of 12: " + wasRequested + " Back to 11"}
	loud := []string{"Deployment Failed of 12: " + breakerText + " Back to 11"}
	for _, tt := range []struct {
		name   string
		events []event.Rollout
		change *strings.Replacer
		want   []string
	}{
		{"its end, and the service deployments may not be read", []event.Rollout{backEnds}, without, nil},
		{"its end", []event.Rollout{starts, backEnds}, without, silent},
		{"its end, twice", []event.Rollout{starts, backEnds, backEnds}, without, silent},
		{"its end alone", []event.Rollout{backEnds}, without, silent},
		{"its start after its end", []event.Rollout{backEnds, starts}, without, silent},
		{"its end, and the failure", []event.Rollout{starts, backEnds, fails}, without, silent},
		{"the failure first", []event.Rollout{starts, fails, backEnds}, without, loud},
		{"with a circuit breaker", []event.Rollout{starts, backEnds}, nil, nil},
	} {
		for _, previous := range []string{"ours", "external"} {
			t.Run(tt.name+", "+previous, func(t *testing.T) {
				t.Parallel()
				a := &publishedAccount{t: t, change: tt.change, tags: map[string]map[string]string{
					"11": maps.Clone(previousRevisions[previous]),
					"12": journalOf(12, 11, "deployer:deployment", failedID)}}
				if !strings.Contains(tt.name, "may not be read") {
					a.list, a.describe = deploymentAnswers(failedID, "ROLLBACK_SUCCESSFUL", "", "")
				}
				var reports []outcome.Outcome
				for i, e := range tt.events {
					state := rollbackStates[min(i, 1)]
					switch {
					case e.Step == event.RolloutFailed:
						state = "3-failed"
					case a.list == "": // and ECS's reason for the rollback is gone
						state = "2-rolled-back"
					}
					more, _ := a.handle(e, state)
					reports = append(reports, more...)
				}
				if diff := cmp.Diff(tt.want, summary(reports)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}
