package rollout

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// testEnvironment is the environment of target.
var testEnvironment = &environment.Environment{Name: "dev", Project: "p", Region: "us-east-1",
	AccountID: "111111111111", Cluster: "c"}

// testWorkload is the workload of target.
var testWorkload = environment.Workload{Kind: environment.Service, Name: "web", Repository: "p_service_web",
	Pointer: environment.ECSService(target.Service), Family: target.Family, Container: target.Container}

// handle handles an event, and journals its reports. It returns a summary of them.
func (a testAccount) handle(t *testing.T, step event.Step, id string) (reports []string, reason string) {
	t.Helper()
	h := NewHandler(a.services)
	all, reason, err := h.Handle(t.Context(), testEnvironment,
		event.Rollout{Workload: testWorkload, Step: step, DeploymentID: id}, reported)
	must(t, err)
	for _, r := range all {
		must(t, h.Journal(t.Context(), r))
		o := r.Outcome
		before, after := outcome.Short(o.Revision.Before), outcome.Short(o.Revision.After)
		reports = append(reports, fmt.Sprintf("%s %s to %s for %s", o.Kind, before, after, o.Cause.ID))
	}
	return reports, reason
}

// TestHandle handles the events of three rollouts, of which each replaced the one
// before it, and the same events again.
func TestHandle(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var ids []string
	for i, tag := range []string{"v2", "v3", "v4"} { // revisions 2 to 4
		ids = append(ids, a.deploy(t, tag, i, tag).DeploymentID)
	}
	name := func(n string) string { return "p_service_web_dev:" + n }
	for _, tt := range []struct {
		name    string
		step    event.Step
		id      string
		reports []string
		reason  string
	}{
		{"the first starts", event.RolloutStarted, ids[0],
			[]string{"Deployment Started " + name("1") + " to " + name("2") + " for v2"}, ""},
		{"the first starts again", event.RolloutStarted, ids[0], nil, "already reported: started"},
		{"the third completes", event.RolloutCompleted, ids[2],
			[]string{"Deployment Succeeded " + name("3") + " to " + name("4") + " for v4",
				"Deployment Superseded " + name("2") + " to " + name("3") + " for v3",
				"Deployment Superseded " + name("1") + " to " + name("2") + " for v2"}, ""},
		{"the third completes again", event.RolloutCompleted, ids[2], nil, "already reported: succeeded"},
		{"the third starts, late", event.RolloutStarted, ids[2], nil, "already reported: started"},
	} {
		if tt.step == event.RolloutCompleted {
			a.settle()
		}
		reports, reason := a.handle(t, tt.step, tt.id)
		if diff := cmp.Diff(tt.reports, reports); diff != "" || reason != tt.reason {
			t.Errorf("%s: reason %q, reports %s", tt.name, reason, diff)
		}
	}
}

// TestHandleReplaced checks that a started rollout reports those that it replaced.
func TestHandleReplaced(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.deploy(t, "v2", 1, "v2")
	reports, _ := a.handle(t, event.RolloutStarted, a.deploy(t, "v3", 2, "v3").DeploymentID)
	want := []string{"Deployment Started p_service_web_dev:2 to p_service_web_dev:3 for v3",
		"Deployment Superseded p_service_web_dev:1 to p_service_web_dev:2 for v2"}
	if diff := cmp.Diff(want, reports); diff != "" {
		t.Error(diff)
	}
	r, err := a.services.Record(t.Context(), target, target.Family+":2")
	must(t, err)
	if r.Outcome != journal.Superseded || !r.Finished.Equal(reported) {
		t.Errorf("journal %+v", r)
	}
}

// awaitRollback waits until ECS rolls the service back, and returns the id of the rollback.
func (a testAccount) awaitRollback(t *testing.T) string {
	t.Helper()
	for range 20 {
		a.clock.Advance(time.Second)
		a.emulator.Tick()
		service, err := a.services.DescribeService(t.Context(), target)
		must(t, err)
		for _, d := range service.Deployments {
			if ecsservice.RollingBack(d) {
				return aws.ToString(d.Id)
			}
		}
	}
	t.Fatal("the circuit breaker did not trip")
	return ""
}

// TestHandleRollback handles the events of a rollout that the circuit breaker rolls
// back, in both orders of the failure and the rollback's start.
func TestHandleRollback(t *testing.T) {
	t.Parallel()
	for _, startFirst := range []bool{false, true} {
		a := newAccount(t)
		a.settle()
		d := a.deploy(t, "bad", 1, "bad")
		a.emulator.FailImage(d.Digest)
		bad, back := d.DeploymentID, a.awaitRollback(t)
		start := func() {
			reports, reason := a.handle(t, event.RolloutStarted, back)
			if len(reports) != 0 || reason == "" {
				t.Errorf("the rollback's start: %v, %q", reports, reason)
			}
		}
		if startFirst {
			start()
		}
		reports, _ := a.handle(t, event.RolloutFailed, bad)
		want := []string{"Deployment Failed p_service_web_dev:1 to p_service_web_dev:2 for bad"}
		if diff := cmp.Diff(want, reports); diff != "" {
			t.Errorf("the failure: %s", diff)
		}
		if !startFirst {
			start()
		}
		a.settle()
		reports, reason := a.handle(t, event.RolloutCompleted, back)
		if len(reports) != 0 || reason != "it is ECS's rollback, which was reported with the failure" {
			t.Errorf("the rollback's end: %v, %q", reports, reason)
		}
	}
}

// TestHandleWaits checks how often a rollout is read that ECS does not list, on
// fake time: the last time with a search of the journals.
func TestHandleWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newInstantAccount(t, emulator.Options{})
		a.emulator.ResetCalls()
		began := time.Now()
		_, reason := a.handle(t, event.RolloutCompleted, "ecs-svc/99")
		services, _ := emulatortest.Count(a.emulator.Calls(), "DescribeServices")
		revisions, _ := emulatortest.Count(a.emulator.Calls(), "DescribeTaskDefinition")
		if took := time.Since(began); services != 13 || revisions != 1 || took != 3*time.Second ||
			reason != "ECS no longer lists the rollout, and no journal has its id" {
			t.Errorf("%d and %d calls in %s: %s", services, revisions, took, reason)
		}
	})
}

// TestHandleDeleted checks that a rollout whose service was deleted is reported as
// failed, without waiting.
func TestHandleDeleted(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d := a.deploy(t, "e", 1, "v2")
	a.note(t, d.TaskDefinition, journal.Note{DeploymentID: d.DeploymentID})
	_, err := a.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), Force: aws.Bool(true)})
	must(t, err)
	a.emulator.ResetCalls()
	reports, _ := a.handle(t, event.RolloutFailed, d.DeploymentID)
	if diff := cmp.Diff([]string{"Deployment Failed p_service_web_dev:1 to p_service_web_dev:2 for e"},
		reports); diff != "" {
		t.Error(diff)
	}
	if services, _ := emulatortest.Count(a.emulator.Calls(), "DescribeServices"); services > 2 {
		t.Errorf("the service was read %d times", services)
	}
}
