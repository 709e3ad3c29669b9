package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// ownReason is ECS's reason for a rollout that is no rollback.
const ownReason = "ECS deployment " + backID + " in progress."

// moveStarts is the first event of a person's move to revision 11. Its last one is
// backEnds, which is the same for a move and for a rollback.
var moveStarts = event.Rollout{Step: event.RolloutStarted, DeploymentID: backID, Reason: ownReason}

// TestMoveToOlder handles the events of a person's move to an older revision while
// the rollout of revision 12 is in progress, in every order and state, once and
// twice. The deployments look as after a rollback: ECS's service deployments show
// that it is none.
func TestMoveToOlder(t *testing.T) {
	t.Parallel()
	twelve := journalOf(12, 11, "deployer:deployment", failedID)
	for name, eleven := range map[string]map[string]string{
		"ours": previousRevisions["ours"], "external": {},
	} {
		for _, order := range orders([]event.Rollout{moveStarts, backEnds, moveStarts, backEnds}) {
			for _, state := range rollbackStates[:2] {
				a := &publishedAccount{t: t, tags: map[string]map[string]string{
					"10": journalOf(10, 9), "11": maps.Clone(eleven), "12": maps.Clone(twelve)},
					change: strings.NewReplacer(rollbackText, ownReason)}
				a.list, a.describe = deploymentAnswers(backID, types.ServiceDeploymentStatusSuccessful, "", "")
				var all []outcome.Outcome
				for _, e := range order {
					reports, _ := a.handle(e, state)
					all = append(all, reports...)
				}
				want := []string{"Deployment Started of 11: " + ownReason + " (external)",
					"Deployment Succeeded of 11: " + backEnds.Reason + " (external)", "Deployment Superseded of 12: "}
				if order[0] == backEnds { // its start is no news then
					want = want[1:]
				}
				got := summary(all)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %v in %s: %s", name, steps(order), state, diff)
				}
			}
		}
	}
}

// steps returns the steps of events.
func steps(all []event.Rollout) (names []string) {
	for _, e := range all {
		names = append(names, strings.TrimPrefix(string(e.Step), "SERVICE_DEPLOYMENT_"))
	}
	return names
}

// TestRollbackConfirmed handles the end of a rollback after everything else, when ECS
// shows neither its reason nor the failed deployment any more, and no revision is the
// deployer's: ECS's service deployments show that it is a rollback.
func TestRollbackConfirmed(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"2-rolled-back", "3-failed", "6-long-after"} {
		a := &publishedAccount{t: t, tags: map[string]map[string]string{"11": {}, "12": {}}}
		a.list, a.describe = deploymentAnswers(failedID, types.ServiceDeploymentStatusRollbackSuccessful, "", "why")
		reports, reason := a.handle(backEnds, state)
		if len(reports) > 0 || !strings.HasPrefix(reason, "it is ECS's rollback, which ") {
			t.Errorf("%s: %v, %q", state, summary(reports), reason)
		}
	}
}

// TestExternalOnce handles each event about an external rollout twice: it is reported
// once, whether a revision of the deployer keeps what was reported or only the
// function's memory does.
func TestExternalOnce(t *testing.T) {
	t.Parallel()
	starts := event.Rollout{Step: event.RolloutStarted, DeploymentID: failedID, Reason: "started"}
	impaired := event.Rollout{Step: event.TasksImpaired}
	for _, tt := range []struct {
		name   string
		ten    map[string]string
		events []event.Rollout
		states []string
		want   []string
	}{
		{"failed", journalOf(10, 9), []event.Rollout{fails}, []string{"3-failed"},
			[]string{"Deployment Failed of 12: " + breakerText + " Back to 11 (external)"}},
		{"failed, and no revision is ours", map[string]string{}, []event.Rollout{fails}, []string{"3-failed"},
			[]string{"Deployment Failed of 12: " + breakerText + " Back to 11 (external)"}},
		{"started late", journalOf(10, 9), []event.Rollout{fails, starts}, []string{"3-failed", "3-failed"},
			[]string{"Deployment Failed of 12: " + breakerText + " Back to 11 (external)"}},
		{"impaired, then failed", journalOf(10, 9), []event.Rollout{impaired, fails},
			[]string{"7-impaired", "3-failed"},
			[]string{"Deployment Impaired of 12: " + impairedWithBreaker + " (external)",
				"Deployment Failed of 12: " + breakerText + " Back to 11 (external)"}},
		{"impaired, and no revision is ours", nil, []event.Rollout{impaired}, []string{"7-impaired", "3-failed"},
			[]string{"Deployment Impaired of 12: " + impairedWithBreaker + " (external)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &publishedAccount{t: t, tags: map[string]map[string]string{"10": tt.ten, "11": {}, "12": {}}}
			if tt.ten["deployer:event-id"] == "" {
				a.handler = NewHandler(a.client())
			}
			var all []outcome.Outcome
			for i, e := range slices.Concat(tt.events, tt.events) {
				reports, reason := a.handle(e, tt.states[i%len(tt.events)])
				all = append(all, reports...)
				if len(reports) == 0 && !strings.HasPrefix(reason, "already reported: ") {
					t.Errorf("%s: %s", e.Step, reason)
				}
			}
			if diff := cmp.Diff(tt.want, summary(all)); diff != "" {
				t.Error(diff)
			}
			if len(a.tags["11"]) > 0 || len(a.tags["12"]) > 0 {
				t.Errorf("external revisions were written to: %v", fmt.Sprint(a.tags))
			}
		})
	}
}

// copyOf registers a copy of a revision with the tags that the revision has before a change.
func (a testAccount) copyOf(t *testing.T, original string, change func()) (arn string) {
	t.Helper()
	got, err := a.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(original), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
	must(t, err)
	change()
	of := got.TaskDefinition
	copied, err := a.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: of.Family, ContainerDefinitions: of.ContainerDefinitions, Tags: got.Tags, Memory: of.Memory,
		Cpu: of.Cpu, RequiresCompatibilities: of.RequiresCompatibilities, NetworkMode: of.NetworkMode,
		ExecutionRoleArn: of.ExecutionRoleArn})
	must(t, err)
	return aws.ToString(copied.TaskDefinition.TaskDefinitionArn)
}

// TestCopiedJournal handles the end of a person's rollout of a copy whose journal was copied
// too, with the credentials that registered the original. It is an external one, and the
// rollout that it replaced was superseded by it.
func TestCopiedJournal(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.clock.Advance(2 * time.Hour)
	original := a.deploy(t, "e1", 1, "v1")
	a.settle()
	arn := a.copyOf(t, original.TaskDefinition, func() {
		a.note(t, original.TaskDefinition, journal.Note{DeploymentID: original.DeploymentID})
		a.deploy(t, "e2", 2, "v2")
	})
	a.moveTo(t, arn)
	a.settle()
	service, err := a.services.DescribeService(t.Context(), target)
	must(t, err)
	reports, reason := a.handle(t, event.RolloutCompleted, aws.ToString(service.Deployments[0].Id))
	want := []string{"Deployment Succeeded  to p_service_web_dev:4 for ",
		"Deployment Superseded p_service_web_dev:2 to p_service_web_dev:3 for e2"}
	if diff := cmp.Diff(want, reports); diff != "" {
		t.Error(reason, diff)
	}
}

// TestMovedBackAndReplaced handles the end of a rollout that replaced a person's move back to
// a revision whose own end is still to be reported: that is no end of the revision's event.
func TestMovedBackAndReplaced(t *testing.T) {
	t.Parallel()
	for name, noted := range map[string]bool{"its start was reported": true, "nothing was reported": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			movedBackAndReplaced(t, noted)
		})
	}
}

// movedBackAndReplaced is [TestMovedBackAndReplaced]. Noted means that the start of the
// revision's own rollout was reported.
func movedBackAndReplaced(t *testing.T, noted bool) {
	t.Helper()
	a := newAccount(t)
	first := a.deploy(t, "e1", 1, "v1")
	a.settle()
	if noted {
		a.note(t, first.TaskDefinition, journal.Note{DeploymentID: first.DeploymentID})
	}
	a.clock.Advance(2 * ownRollout)
	a.deploy(t, "e2", 2, "v2")
	a.settle()
	a.moveTo(t, first.TaskDefinition)
	third := a.deploy(t, "e3", 3, "v3")
	a.settle()
	reports, reason := a.handle(t, event.RolloutCompleted, third.DeploymentID)
	if len(reports) != 1 || !strings.HasPrefix(reports[0], "Deployment Succeeded ") {
		t.Errorf("%q, %s", reports, reason)
	}
	reports, reason = a.handle(t, event.RolloutCompleted, first.DeploymentID)
	want := []string{"Deployment Succeeded p_service_web_dev:1 to p_service_web_dev:2 for e1"}
	if diff := cmp.Diff(want, reports); diff != "" {
		t.Error(reason, diff)
	}
}

// TestImpairedIsNoLaterWord checks that the report of an impaired rollout does not replace
// the end that another event noted meanwhile.
func TestImpairedIsNoLaterWord(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	first := a.deploy(t, "e1", 1, "v1")
	h := NewHandler(a.services)
	reports, reason, err := h.Handle(t.Context(), testEnvironment, event.Rollout{Workload: testWorkload,
		Step: event.TasksImpaired}, reported)
	if err != nil || len(reports) != 1 {
		t.Fatalf("%+v, %s, %v", reports, reason, err)
	}
	noted := func(want journal.Phase) {
		t.Helper()
		if got, err := a.services.Outcome(t.Context(), first.TaskDefinition); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	must(t, h.Journal(t.Context(), reports[0]))
	noted(journal.Impaired)
	a.note(t, first.TaskDefinition, journal.Note{DeploymentID: first.DeploymentID, Outcome: journal.Superseded})
	must(t, h.Journal(t.Context(), reports[0]))
	noted(journal.Superseded)
	a.note(t, first.TaskDefinition, reports[0].Note) // a write that was delayed
	noted(journal.Superseded)
}
