package ecsdeploy

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/testbed/aws/emulator"
)

// event returns the order of an event at eventTime plus so many seconds. It pushes the
// order's image under a tag.
func (w *world) event(t *testing.T, id string, seconds int, tag string) Order {
	t.Helper()
	o := order("")
	var err error
	o.Image.Digest, err = w.Push(t.Context(), "p_service_web", tag, tag)
	must(t, err)
	o.Cause.ID, o.Image.Tag, o.Cause.Time = id, tag, eventTime.Add(time.Duration(seconds)*time.Second)
	return o
}

// running returns the number of the revision that the service runs.
func (w *world) running(t *testing.T) int {
	t.Helper()
	got, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	return int(got.TaskDefinition.Revision)
}

// newest returns the number of the family's newest revision.
func (w *world) newest(t *testing.T) int {
	t.Helper()
	got, err := w.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(target.Family)})
	must(t, err)
	return int(got.TaskDefinition.Revision)
}

func TestSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	older, newer := w.event(t, "older", 1, "v2"), w.event(t, "newer", 2, "v3")
	if _, _, err := w.deploy(t, target, newer); err != nil {
		t.Fatal(err)
	}
	got, calls, err := w.deploy(t, target, older)
	must(t, err)
	want := "a newer event already deployed: the service runs " + arn +
		"p_service_web_dev:2, for event newer of 2026-01-22T10:15:32Z"
	if got.Status != Superseded || got.Reason != want || len(calls) != 2 || w.running(t) != 2 || w.newest(t) != 2 {
		t.Errorf("%+v after %v", got, calls)
	}
}

// TestResume checks that a retry completes the deployment of an event whose update
// failed, however late. It moves the service to a revision of its own: the first one
// could have been rolled out in the meantime.
func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.event(t, "e", 1, "v2")
	w.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1,
		Error: emulator.AccessDenied("User: u is not authorized to perform: ecs:UpdateService")})
	_, _, err := w.deploy(t, target, e)
	if fault.NameOf(err) != "AccessDenied" || w.running(t) != 1 || w.newest(t) != 2 {
		t.Fatalf("%v; it runs %d of %d", err, w.running(t), w.newest(t))
	}
	w.clock.Advance(40 * 24 * time.Hour)
	got, _, err := w.deploy(t, target, e)
	if err != nil || got.Status != Deployed || got.TaskDefinition != arn+"p_service_web_dev:3" || w.running(t) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	got, calls, err := w.deploy(t, target, e)
	if err != nil || got.Status != Unchanged || got.Reason != "this event was carried out before" || len(calls) != 2 {
		t.Errorf("again: %+v after %v, %v", got, calls, err)
	}
}

// TestLook checks that a look completes the update of an event that its deliveries left
// unfinished, and that a late event leaves it to them.
func TestLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	first, older, newer := w.event(t, "first", 0, "v1"), w.event(t, "older", 1, "v2"), w.event(t, "newer", 2, "v3")
	got, _, err := w.deploy(t, target, first)
	must(t, err)
	rollout := got.DeploymentID
	w.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Error: emulator.AccessDenied("no")})
	if _, _, err := w.deploy(t, target, newer); err == nil {
		t.Fatal("the update did not fail")
	}
	got, _, err = w.deploy(t, target, older)
	if err != nil || got.Status != Superseded || w.running(t) != 2 || w.newest(t) != 3 {
		t.Errorf("older: %+v, %v; it runs %d of %d", got, err, w.running(t), w.newest(t))
	}
	if moved, err := d.Look(t.Context(), target, "ecs-svc/1", Order{}); err != nil || moved != "" {
		t.Errorf("the event of another rollout: %q, %v", moved, err)
	}
	if moved, err := d.Look(t.Context(), target, rollout, Order{}); err != nil || moved != arn+"p_service_web_dev:4" ||
		w.running(t) != 4 {
		t.Errorf("moved to %q, %v", moved, err)
	}
	if got, _, err = w.deploy(t, target, newer); err != nil || got.Status != Unchanged || w.newest(t) != 4 {
		t.Errorf("newer again: %+v, %v", got, err)
	}
}

// TestSupersededByUnchanged checks the reason of an event that an event superseded which changed
// nothing.
func TestSupersededByUnchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, older, newer := w.event(t, "first", 1, "v2"), w.event(t, "older", 60, "v3"), w.event(t, "newer", 3600, "v2")
	_, _, err := w.deploy(t, target, first)
	must(t, err)
	w.settle(t)
	got, _, err := w.deploy(t, target, newer)
	if err != nil || got.Status != Unchanged {
		t.Fatalf("newer: %+v, %v", got, err)
	}
	got, _, err = w.deploy(t, target, older)
	if err != nil || got.Status != Superseded || !strings.HasPrefix(got.Reason, "a newer event won: event newer of ") {
		t.Errorf("older: %+v, %v", got, err)
	}
}

// TestExternalDeployment checks that a foreign revision that the service runs counts by
// the time of its registration.
func TestExternalDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, older, newer := w.event(t, "first", 1, "v2"), w.event(t, "older", 60, "v3"), w.event(t, "newer", 5*3600,
		"v4")
	_, _, err := w.deploy(t, target, first)
	must(t, err)
	w.clock.Advance(3 * time.Hour)
	w.register(t, target.Family, host+"/p_service_web:v0")
	_, err = w.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), TaskDefinition: aws.String(target.Family + ":3")})
	must(t, err)

	got, _, err := w.deploy(t, target, older)
	if err != nil || got.Status != Superseded ||
		got.Reason != "a newer external rollout won: the service runs "+arn+"p_service_web_dev:3" ||
		w.running(t) != 3 {
		t.Errorf("older: %+v, %v", got, err)
	}
	got, calls, err := w.deploy(t, target, newer)
	if err != nil || got.Status != Deployed || w.running(t) != 4 || len(calls) != 5 {
		t.Errorf("newer: %+v after %v, %v", got, calls, err)
	}
	// Registered, but not run, it does not count; and it is behind the next one's base.
	w.register(t, target.Family, host+"/p_service_web:v0")
	last := w.event(t, "last", 6*3600, "v5")
	if got, _, err = w.deploy(t, target, last); err != nil || got.Status != Deployed || w.running(t) != 6 {
		t.Errorf("last: %+v, %v", got, err)
	}
	if got, _, err = w.deploy(t, target, newer); err != nil || got.Status != Superseded || w.running(t) != 6 {
		t.Errorf("newer again: %+v, %v", got, err)
	}
}

// TestSimultaneousEvents delivers several events at the same time. In the end the
// service runs the image of the newest one.
func TestSimultaneousEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var events []Order
	for i, tag := range []string{"a", "b", "c", "d"} {
		e := w.event(t, "event-"+tag, i, tag)
		events = append(events, e, e)
	}
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	var all sync.WaitGroup
	for _, e := range events {
		all.Go(func() {
			state, err := d.Read(t.Context(), target)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := d.Deploy(t.Context(), state, e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	if image := aws.ToString(got.TaskDefinition.ContainerDefinitions[0].Image); !strings.HasSuffix(image,
		events[7].Image.Digest) {
		t.Errorf("it runs %s of event %s", image, tagOf(got.Tags, "deployer:event-id"))
	}
}

// TestRollingBack checks that during a rollback a push is retried, that a DEPLOY event
// is deployed, and that the failed revision does not win.
func TestRollingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(t)
	bad := w.event(t, "bad", 1, "bad")
	w.FailImage(bad.Image.Digest)
	_, _, err := w.deploy(t, target, bad)
	must(t, err)
	for range 20 { // until the circuit breaker trips
		w.clock.Advance(time.Second)
		w.Tick()
		if w.running(t) == 1 {
			break
		}
	}
	if w.running(t) != 1 {
		t.Fatal("the circuit breaker did not trip")
	}
	push := w.event(t, "push", 2, "v2")
	push.Unattended = true
	_, calls, err := w.deploy(t, target, push)
	if fault.NameOf(err) != "RollbackInProgress" || slices.Contains(calls, "RegisterTaskDefinition") ||
		!strings.HasPrefix(err.Error(),
			`deploying tag "v2" to service "p_service_web_dev": the service is being rolled back: `+
				"ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/") ||
		!strings.HasSuffix(err.Error(), "(it is retried; a DEPLOY event is deployed at once)") {
		t.Errorf("push: %v after %v", err, calls)
	}
	older := w.event(t, "older", 0, "v2")
	if got, _, err := w.deploy(t, target, older); err != nil || got.Status != Deployed ||
		!strings.HasPrefix(got.Reason, "the service is being moved to the new revision; the service was being "+
			"rolled back: ECS deployment circuit breaker: rolling back to deploymentId ") {
		t.Errorf("older than the failed one: %+v, %v", got, err)
	}
	manual := w.event(t, "manual", 3, "v3") // the deployment before has replaced the rollback
	if got, _, err := w.deploy(t, target, manual); err != nil || got.Status != Deployed ||
		got.Reason != "the service is being moved to the new revision" {
		t.Errorf("manual: %+v, %v", got, err)
	}
}

// TestFailedDoesNotWin checks that a revision whose journal says that it failed does not
// win, even if ECS no longer lists its rollout.
func TestFailedDoesNotWin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outcome journal.Phase
		want    Status
	}{{journal.Failed, Deployed}, {journal.Succeeded, Superseded}} {
		t.Run(string(tt.outcome), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			older, newer := w.event(t, "older", 1, "v2"), w.event(t, "newer", 2, "v3")
			got, _, err := w.deploy(t, target, newer)
			must(t, err)
			must(t, ecsservice.New(w.Config).AddNote(t.Context(), journal.Record{TaskDefinition: got.TaskDefinition},
				journal.Note{Outcome: tt.outcome}))
			if got, _, err = w.deploy(t, target, older); err != nil || got.Status != tt.want {
				t.Errorf("%+v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// settle lets the service's rollouts end.
func (w *world) settle(t *testing.T) {
	t.Helper()
	for range 5 {
		w.clock.Advance(time.Second)
		w.Tick()
	}
}
