package rollout

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
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
	"ours": journalOf(11, 10,
		"deployer:deployment", firstID, "deployer:outcome", "succeeded"),
	"ours, whose success was not reported": journalOf(11, 10),
	"external":                             {},
	"deleted":                              nil,
}

// afterPublished is a time after those in the published answers.
var afterPublished = time.Unix(1795690800, 0)

// numberings are the numbers of the previous revision and the failed one, and the ids
// of the rollouts that brought the first, brought the second and rolled back.
var numberings = []struct {
	name              string
	previous, failed  int
	first, bad, again string
}{
	{"as published", 11, 12, firstID, failedID, backID},
	{"more digits, ids that fall", 9, 10, "ecs-svc/9", "ecs-svc/8", "ecs-svc/7"},
	{"a first deployment, ids of many digits", 1, 2, "ecs-svc/09223372036854775807", "ecs-svc/18446744073709551615",
		"ecs-svc/18446744073709551614"},
	{"revisions between them", 3, 100, "ecs-svc/10", "ecs-svc/100", "ecs-svc/1000"},
}

// TestRollbackIsOneFailure handles the events of a rollback in every order, each in
// every state in which it may be handled, once and twice. The revision is reported
// as failed once, and nothing else is.
func TestRollbackIsOneFailure(t *testing.T) {
	t.Parallel()
	for _, n := range numberings {
		for name, tags := range previousRevisions {
			for _, inactive := range []bool{false, true} {
				usual := name == "ours" || name == "external"
				if (inactive || n.failed != 12) && !usual || inactive && n.failed != 12 {
					continue
				}
				t.Run(fmt.Sprint(n.name, ", ", name, ", inactive ", inactive), func(t *testing.T) {
					t.Parallel()
					number := strings.NewReplacer(":11\"", fmt.Sprintf(":%d\"", n.previous), ":12\"",
						fmt.Sprintf(":%d\"", n.failed), firstID, n.first, failedID, n.bad, backID, n.again)
					rollbackIsOneFailure(t, tags, n.previous, n.failed, inactive, number)
				})
			}
		}
	}
}

// rollbackIsOneFailure is [TestRollbackIsOneFailure] for one previous revision, which
// has tags and may be inactive. Number changes the published numbers.
func rollbackIsOneFailure(
	t *testing.T, tags map[string]string, previous, failed int, inactive bool, number *strings.Replacer,
) {
	t.Helper()
	var each [][]string // the states of three events
	for _, a := range rollbackStates {
		for _, b := range rollbackStates {
			for _, c := range rollbackStates {
				each = append(each, []string{a, b, c})
			}
		}
	}
	once := []event.Rollout{backStarts, backEnds, fails}
	want := []string{fmt.Sprintf("Deployment Failed of %d: %s Back to %d", failed, breakerText, previous)}
	known := map[string]handling{} // most sequences begin like another one, or lead to the same tags
	try := func(order []event.Rollout, states []string) {
		t.Helper()
		bad, before := strconv.Itoa(failed), strconv.Itoa(previous)
		eleven := maps.Clone(tags)
		if eleven["deployer:deployment"] != "" {
			eleven["deployer:deployment"] = number.Replace(firstID)
		}
		a := &publishedAccount{t: t, change: number, inactive: map[string]bool{before: inactive}, known: known,
			tags: map[string]map[string]string{
				before: eleven, bad: journalOf(failed, previous, "deployer:deployment", number.Replace(failedID))}}
		var reports []outcome.Outcome
		var steps []string
		for i, e := range order {
			state := states[i%len(states)]
			steps = append(steps, strings.TrimPrefix(string(e.Step), "SERVICE_DEPLOYMENT_")+" in "+state)
			e.DeploymentID, e.Reason = number.Replace(e.DeploymentID), number.Replace(e.Reason)
			more, _ := a.handle(e, state)
			reports = append(reports, more...)
		}
		if diff := cmp.Diff(want, summary(reports)); diff != "" {
			t.Errorf("%s: %s", strings.Join(steps, ", "), diff)
		}
		twelve := a.tags[bad]
		if twelve["deployer:outcome"] != "failed" || twelve["deployer:return"] != number.Replace(backID) {
			t.Errorf("%s: journal of the failed revision: %v", strings.Join(steps, ", "), twelve)
		}
		if got := a.tags[before]["deployer:outcome"]; got == "failed" || got == "superseded" ||
			len(tags) == 0 && len(a.tags[before]) > 0 {
			t.Errorf("%s: journal of the previous revision: %v", strings.Join(steps, ", "), a.tags[before])
		}
	}
	for _, order := range orders(once) {
		for i, states := range each {
			if failed == 12 && !inactive || i%13 == 0 { // the others need not be tried in every state
				try(order, states)
			}
		}
	}
	for i, order := range orders(append(once, once...)) {
		for j, state := range rollbackStates {
			if failed == 12 && !inactive || i%3 == j {
				try(order, []string{state})
			}
		}
	}
}

// TestRollbackSiblings handles the events of rollbacks that differ from the usual
// one.
func TestRollbackSiblings(t *testing.T) {
	t.Parallel()
	ours, external := previousRevisions["ours"], previousRevisions["external"]
	twelve := journalOf(12, 11, "deployer:deployment", failedID)
	moved := event.Rollout{Step: event.RolloutStarted, DeploymentID: backID,
		Reason: "ECS deployment " + backID + " in progress."}
	alarm := backStarts
	alarm.Reason = "ECS deployment failed: alarm detected: Rolling back to deploymentId " + firstID
	stop := backStarts
	stop.Reason = "Stopped by a user; rolling back to deploymentId " + firstID + "."
	nothing := backEnds
	nothing.Step, nothing.Reason = event.RolloutStarted, ""
	backFails := fails
	backFails.DeploymentID = backID
	newer := event.Rollout{Step: event.RolloutStarted, DeploymentID: "ecs-svc/4444444444444444444",
		Reason: "ECS deployment ecs-svc/4444444444444444444 in progress."}
	newerEnds := newer
	newerEnds.Step, newerEnds.Reason = event.RolloutCompleted, "ECS deployment ecs-svc/4444444444444444444 completed."
	failure := "Deployment Failed of 12: " + breakerText + " Back to 11"
	type handled struct {
		event event.Rollout
		state string
	}
	tests := []struct {
		name           string
		eleven, twelve map[string]string
		events         []handled
		want           []string
	}{
		{"an external rollout", external, external, []handled{{backStarts, "1-rolling-back"},
			{backEnds, "2-rolled-back"}, {fails, "3-failed"}}, []string{failure + " (external)"}},
		{"an external rollout, in another order", ours, external, []handled{{backEnds, "3-failed"},
			{fails, "3-failed"}, {backStarts, "3-failed"}}, []string{failure + " (external)"}},
		{"by an alarm", external, twelve, []handled{{alarm, "2-rolled-back"}, {backEnds, "2-rolled-back"},
			{fails, "3-failed"}}, []string{failure}},
		{"because it was stopped", external, twelve, []handled{{stop, "3-failed"}, {fails, "3-failed"}},
			[]string{failure}},
		{"without a reason", external, twelve, []handled{{nothing, "2-rolled-back"}, {fails, "2-rolled-back"}},
			[]string{failure}},
		{"its end comes long after, and the service deployments may not be read", external, twelve,
			[]handled{{backStarts, "1-rolling-back"}, {backEnds, "6-long-after"}, {fails, "6-long-after"}},
			[]string{failure}},
		{"a person moved the service to the older revision", external, twelve,
			[]handled{{moved, "2-rolled-back"}, {backEnds, "2-rolled-back"}},
			[]string{"Deployment Started of 11: " + moved.Reason + " (external)", "Deployment Superseded of 12: ",
				"Deployment Succeeded of 11: " + backEnds.Reason + " (external)"}},
		{"of two concurrent events, the later one's revision is the older one", journalOf(11, 10),
			journalOf(12, 10, "deployer:deployment", failedID),
			[]handled{{backEnds, "2-rolled-back"}, {moved, "2-rolled-back"}},
			[]string{"Deployment Succeeded of 11: " + backEnds.Reason, "Deployment Superseded of 12: "}},
		{"the rollback fails too", ours, twelve, []handled{{backStarts, "1-rolling-back"}, {fails, "4-rollback-failed"},
			{backFails, "4-rollback-failed"}},
			[]string{failure, "Deployment Failed of 11: " + breakerText + " (external)"}},
		{"a newer deployment replaces the rollback", external, twelve, []handled{{backStarts, "1-rolling-back"},
			{newer, "5-replaced"}, {fails, "5-replaced"}, {newerEnds, "5-replaced"}},
			[]string{"Deployment Started of 13: " + newer.Reason,
				"Deployment Failed of 12: " + rollbackText + " Back to 11",
				"Deployment Succeeded of 13: " + newerEnds.Reason}},
		{"a newer deployment replaces the rollback, and the failure is handled first", ours, twelve,
			[]handled{{fails, "5-replaced"}, {newer, "5-replaced"}, {backStarts, "5-replaced"}},
			[]string{failure, "Deployment Started of 13: " + newer.Reason}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &publishedAccount{t: t, tags: map[string]map[string]string{
				"11": maps.Clone(tt.eleven), "12": maps.Clone(tt.twelve), "13": journalOf(13, 11)}}
			var reports []outcome.Outcome
			for _, h := range tt.events {
				more, _ := a.handle(h.event, h.state)
				reports = append(reports, more...)
			}
			if diff := cmp.Diff(tt.want, summary(reports)); diff != "" {
				t.Error(diff)
			}
			if got := a.tags["11"]["deployer:outcome"]; got == "failed" || got == "superseded" {
				t.Errorf("revision 11 is %s", got)
			}
		})
	}
}

// TestRollbackShown checks that a rollout that ECS rolls back is shown as failed in
// every state of the rollback, and the service as rolling back or rolled back.
func TestRollbackShown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state     string
		journal   []string // more of revision 12
		phase     journal.Phase
		reason    string
		condition Condition
	}{
		{"1-rolling-back", nil, journal.Failed, rollbackText, RollingBack},
		{"2-rolled-back", nil, journal.Failed, "", RolledBack},
		{"2-rolled-back", []string{"deployer:outcome", "failed", "deployer:why", breakerText},
			journal.Failed, breakerText, RolledBack},
		{"2-rolled-back", []string{"deployer:outcome", "superseded"}, journal.Superseded, "", Steady},
		{"3-failed", nil, journal.Failed, breakerText, RolledBack},
		{"4-rollback-failed", nil, journal.Failed, breakerText, Failed},
	} {
		t.Run(fmt.Sprint(tt.state, tt.journal), func(t *testing.T) {
			t.Parallel()
			a := &publishedAccount{t: t, answer: tt.state, tags: map[string]map[string]string{
				"11": {}, "12": journalOf(12, 11, tt.journal...)}}
			c := New(a.client())
			p, err := c.Follow(t.Context(), publishedTarget, publishedFamily+"12", func(Progress) {})
			must(t, err)
			if p.Phase != tt.phase || p.Reason != tt.reason {
				t.Errorf("followed: %s: %q, want %s: %q", p.Phase, p.Reason, tt.phase, tt.reason)
			}
			must(t, c.Statuses(t.Context(), publishedTarget.Cluster, []ecsservice.Target{publishedTarget}, &Memory{},
				func(_ int, s Status, err error) {
					must(t, err)
					if s.Condition != tt.condition || s.Failed() != (tt.condition != Steady) {
						t.Errorf("condition %s, want %s", s.Condition, tt.condition)
					}
				}))
			service, err := a.client().DescribeService(t.Context(), publishedTarget)
			must(t, err)
			if phase, _ := c.listedPhase(t.Context(), publishedTarget, service,
				publishedFamily+"12"); phase != journal.Failed {
				t.Errorf("in the history: %s", phase)
			}
		})
	}
}
