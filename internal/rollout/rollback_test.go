package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/outcome"
)

// In the answers in testdata, revision 12 fails and the circuit breaker rolls back
// to revision 11: firstID brought revision 11, failedID brings 12, and backID is
// the rollback.
const (
	firstID  = "ecs-svc/1111111111111111111"
	failedID = "ecs-svc/2222222222222222222"
	backID   = "ecs-svc/3333333333333333333"

	breakerText  = "ECS deployment circuit breaker: tasks failed to start."
	rollbackText = "ECS deployment circuit breaker: rolling back to deploymentId " + firstID + "."
)

// The three events of a rollback.
var (
	backStarts = event.Rollout{Step: event.RolloutStarted, DeploymentID: backID, Reason: rollbackText}
	backEnds   = event.Rollout{Step: event.RolloutCompleted, DeploymentID: backID,
		Reason: "ECS deployment " + backID + " completed."}
	fails = event.Rollout{Step: event.RolloutFailed, DeploymentID: failedID, Reason: breakerText}
)

// rollbackStates are the three states of a rollback, as accounts show them.
var rollbackStates = []string{"1-rolling-back", "2-rolled-back", "3-failed"}

// previousRevisions are the tags of what revision 11 may be.
var previousRevisions = map[string]map[string]string{
	"ours": journalOf(11, 10, "deployer:deployment", firstID, "deployer:outcome", "succeeded"),
	"ours, whose success was not reported": journalOf(11, 10),
	"external":                             {},
	"deleted":                              nil,
}

// handle handles an event in a state of the service, and journals its reports.
func (a *publishedAccount) handle(e event.Rollout, state string) (reports []outcome.Outcome, reason string) {
	a.t.Helper()
	e.Workload = environment.Workload{Kind: environment.Service, Name: "backend", Container: "app",
		Family: publishedTarget.Family, Pointer: environment.ECSService(publishedTarget.Service)}
	env := &environment.Environment{File: "prod.yaml", Name: "prod", Project: "myproject", Region: "us-east-1",
		AccountID: "333333333333", Cluster: "myproject_cluster_prod"}
	a.answer = state
	h := NewHandler(a.client())
	all, reason, err := h.Handle(a.t.Context(), env, e, reported)
	must(a.t, err)
	for _, r := range all {
		must(a.t, h.Journal(a.t.Context(), r))
		reports = append(reports, r.Outcome)
	}
	return reports, reason
}

// summary returns what reports say, one line each.
func summary(reports []outcome.Outcome) (lines []string) {
	for _, o := range reports {
		line := fmt.Sprintf("%s of %s: %s", o.Kind, strings.TrimPrefix(o.Revision.After, publishedFamily), o.Why())
		if o.RolledBackTo.Revision != "" {
			line += " Back to " + strings.TrimPrefix(o.RolledBackTo.Revision, publishedFamily)
		}
		if o.Foreign {
			line += " (external)"
		}
		lines = append(lines, line)
	}
	return lines
}

// orders returns every order of some events.
func orders(all []event.Rollout) (found [][]event.Rollout) {
	if len(all) <= 1 {
		return [][]event.Rollout{all}
	}
	for i := range all {
		if slices.Contains(all[:i], all[i]) {
			continue
		}
		rest := slices.Delete(slices.Clone(all), i, i+1)
		for _, order := range orders(rest) {
			found = append(found, append([]event.Rollout{all[i]}, order...))
		}
	}
	return found
}

// TestRollbackIsOneFailure handles the events of a rollback in every order, each in
// every state in which it may be handled, once and twice. Revision 12 is reported
// as failed once, and nothing else is.
func TestRollbackIsOneFailure(t *testing.T) {
	t.Parallel()
	var each [][]string // the states of three events
	for _, a := range rollbackStates {
		for _, b := range rollbackStates {
			for _, c := range rollbackStates {
				each = append(each, []string{a, b, c})
			}
		}
	}
	once := []event.Rollout{backStarts, backEnds, fails}
	want := []string{"Deployment Failed of 12: " + breakerText + " Back to 11"}
	for name, eleven := range previousRevisions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try := func(order []event.Rollout, states []string) {
				t.Helper()
				a := &publishedAccount{t: t, tags: map[string]map[string]string{
					"11": maps.Clone(eleven), "12": journalOf(12, 11, "deployer:deployment", failedID)}}
				var reports []outcome.Outcome
				var steps []string
				for i, e := range order {
					state := states[i%len(states)]
					steps = append(steps, strings.TrimPrefix(string(e.Step), "SERVICE_DEPLOYMENT_")+" in "+state)
					more, _ := a.handle(e, state)
					reports = append(reports, more...)
				}
				if diff := cmp.Diff(want, summary(reports)); diff != "" {
					t.Errorf("%s: %s", strings.Join(steps, ", "), diff)
				}
				twelve := a.tags["12"]
				if twelve["deployer:outcome"] != "failed" || twelve["deployer:return"] != backID {
					t.Errorf("%s: journal of revision 12: %v", strings.Join(steps, ", "), twelve)
				}
				if got := a.tags["11"]["deployer:outcome"]; got == "failed" || got == "superseded" ||
					len(eleven) == 0 && len(a.tags["11"]) > 0 {
					t.Errorf("%s: journal of revision 11: %v", strings.Join(steps, ", "), a.tags["11"])
				}
			}
			for _, order := range orders(once) {
				for _, states := range each {
					try(order, states)
				}
			}
			for _, order := range orders(append(once, once...)) {
				for _, state := range rollbackStates {
					try(order, []string{state})
				}
			}
		})
	}
}
