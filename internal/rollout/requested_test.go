package rollout

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/fault"
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
	loud := []string{"Deployment Failed of 12: " + ends.Reason + " Back to 11"}
	silent := []string{"Deployment Failed of 12: " + wasStopped + " Back to 11"}
	for _, status := range []types.ServiceDeploymentStatus{"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS",
		"ROLLBACK_SUCCESSFUL"} {
		for _, previous := range []string{"ours", "external"} {
			t.Run(string(status)+", "+previous, func(t *testing.T) {
				t.Parallel()
				try := func(order []event.Rollout, states ...string) {
					want := loud
					if slices.Index(order, backEnds) < slices.Index(order, ends) { // ECS need not send the latter
						want = silent
					}
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
	stopped := []string{"Deployment Failed of 12: " + wasStopped + " Back to 11"}
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
		{"with a circuit breaker", []event.Rollout{starts, backEnds}, nil, stopped},
		{"with a circuit breaker, twice", []event.Rollout{starts, backEnds, backEnds}, nil, stopped},
		{"with a circuit breaker, and the failure", []event.Rollout{starts, backEnds, fails}, nil, stopped},
		{"with a circuit breaker, and the service deployments may not be read", []event.Rollout{starts, backEnds},
			nil, nil},
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

// TestStoppedWithBreaker handles the events of a rollback of a service with a circuit breaker or
// alarms that did not find the failure: ECS documents no event of the failure, so the
// end of the rollback is the end of both. If one of them found it, that event comes.
func TestStoppedWithBreaker(t *testing.T) {
	t.Parallel()
	const why = "Service deployment rolled back because it was stopped."
	stopped := []string{"Deployment Failed of 12: " + why + " Back to 11"}
	loud := []string{"Deployment Failed of 12: " + breakerText + " Back to 11"}
	starts, backFails := backStarts, fails
	starts.Reason = "ECS deployment " + backID + " in progress."
	backFails.DeploymentID, backFails.Reason = backID, ""
	newer := event.Rollout{Step: event.RolloutStarted, DeploymentID: "ecs-svc/4444444444444444444",
		Reason: "ECS deployment ecs-svc/4444444444444444444 in progress."}
	const ended, complete = "ROLLBACK_SUCCESSFUL", `"deploymentCircuitBreaker":{"status":"MONITORING_COMPLETE"}`
	const triggered = `"deploymentCircuitBreaker":{"status":"TRIGGERED"}`
	both := []event.Rollout{starts, backEnds}
	alarms := strings.NewReplacer(`"enable": true`, `"enable": false`, `"deploymentConfiguration": {`,
		`"deploymentConfiguration": {"alarms":{"enable":true,"rollback":true,"alarmNames":["a"]},`)
	for _, tt := range []struct {
		name             string
		status           types.ServiceDeploymentStatus
		reason, monitors string
		events           []event.Rollout
		states           string
		change           *strings.Replacer
		want             []string
	}{
		{"stopped", ended, why, complete, both, "1 2", nil, stopped},
		{"stopped, and ECS's status lags", "ROLLBACK_IN_PROGRESS", why,
			`"deploymentCircuitBreaker":{"status":"MONITORING"}`, both, "1 2", nil, stopped},
		{"stopped, with alarms", ended, why, `"alarms":{"status":"MONITORING_COMPLETE"}`, both, "1 2", alarms,
			stopped},
		{"its end alone", ended, why, "", both[1:], "2", nil, stopped},
		{"its end alone, long after", ended, why, "", both[1:], "6", nil, stopped},
		{"its end, long after", ended, why, "", []event.Rollout{starts, backEnds, backEnds}, "1 6 6", nil, stopped},
		{"the circuit breaker found it", ended, why, triggered, both, "1 2", nil, nil},
		{"the circuit breaker found it, and the failure", ended, why, triggered,
			[]event.Rollout{starts, backEnds, fails}, "1 2 3", nil, loud},
		{"an alarm found it", ended, why, `"alarms":{"status":"TRIGGERED"}`, both, "1 2", alarms, nil},
		{"ECS's reason says that the circuit breaker found it", ended,
			"Service deployment rolled back because the circuit breaker threshold was exceeded.", "", both, "1 2", nil,
			nil},
		{"the rollback fails too", "ROLLBACK_FAILED", why, "", []event.Rollout{starts, backFails}, "1 4", nil,
			append(slices.Clone(stopped), "Deployment Failed of 11: ECS's rollback failed too (external)")},
		{"a newer deployment replaces the rollback", "ROLLBACK_IN_PROGRESS", why, "", []event.Rollout{starts, newer},
			"1 5", nil, []string{"Deployment Started of 13: " + newer.Reason,
				"Deployment Failed of 12: " + rollbackText + " Back to 11"}},
	} {
		for _, previous := range []string{"ours", "external"} {
			t.Run(tt.name+", "+previous, func(t *testing.T) {
				t.Parallel()
				a := &publishedAccount{t: t, change: tt.change, tags: map[string]map[string]string{
					"11": maps.Clone(previousRevisions[previous]), "13": journalOf(13, 11),
					"12": journalOf(12, 11, "deployer:deployment", failedID)}}
				a.list, a.describe = deploymentAnswers(failedID, tt.status, "", tt.reason)
				a.revisions = revisionAnswer(failedID, 12)
				if tt.monitors != "" {
					a.describe = strings.Replace(a.describe, `"status":`, tt.monitors+`,"status":`, 1)
				}
				var reports []outcome.Outcome
				for i, number := range strings.Fields(tt.states) {
					more, _ := a.handle(tt.events[i], publishedState(t, number))
					reports = append(reports, more...)
				}
				if diff := cmp.Diff(tt.want, summary(reports)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestStoppedThrottled checks that the end of a rollback is handled again if ECS's service
// deployments could not be read: no other event comes.
func TestStoppedThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the SDK's retries take no time
		a := &publishedAccount{t: t, answer: "2-rolled-back", tags: map[string]map[string]string{"11": {},
			"12": journalOf(12, 11, "deployer:deployment", failedID, "deployer:return", backID)}, throttled: true}
		h := NewHandler(a.client())
		_, _, err := h.Handle(t.Context(), publishedEnvironment, a.rollout(backEnds), afterPublished)
		if !fault.IsUnavailable(err) || !strings.HasSuffix(err.Error(), "ThrottlingException: Rate exceeded") {
			t.Errorf("error %v", err)
		}
	})
}
