package ecsdeploy

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
)

// TestDeployUnusableTask deploys the image of a revision that ECS starts no more, because it was deregistered: the task
// is moved to a new revision, by an event and by a look.
func TestDeployUnusableTask(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	order := w.taskOrder()
	_, _, err := w.deploy(t, report, order)
	must(t, err)
	_, err = w.Family(t.Context(), "report", "p_container_report_dev", host+"/p_task_report:v0")
	must(t, err)
	w.clock.Advance(time.Minute)
	w.deregister(t, "report:2")
	order.Cause.ID, order.Cause.Time = "e2", eventTime.Add(time.Minute)
	s, err := w.deployer().Read(t.Context(), report)
	must(t, err)
	plan, err := w.deployer().Plan(t.Context(), s, order)
	if err != nil || plan.Status != Planned {
		t.Errorf("plan: %+v, %v", plan, err)
	}
	got, _, err := w.deploy(t, report, order)
	if err != nil || got.Status != Deployed || w.holds(t)[0] != "report:4" || got.TaskDefinition != arn+"report:4" ||
		got.Reason != "the next run uses revision 4, due at 2026-01-23T03:00:00Z" {
		t.Errorf("%+v, %v, %v", got, err, w.holds(t))
	}
	w.clock.Advance(time.Minute)
	w.deregister(t, "report:4")
	for range 2 {
		look, err := w.deployer().LookAtTask(t.Context(), report, Order{})
		if err != nil || w.holds(t)[0] != "report:5" || look.TaskDefinition != arn+"report:5" {
			t.Errorf("a look: %+v, %v, %v", look, err, w.holds(t))
		}
		w.clock.Advance(time.Minute)
	}
	if got, _, err := w.deploy(t, report, order); err != nil || got.Status != Unchanged {
		t.Errorf("again: %+v, %v", got, err)
	}
}

// TestLookAtRefusedTask looks every 15 minutes at a task that AWS refuses to move: a look registers a copy more and
// more rarely. Once AWS takes the move, a delivery makes it at once.
func TestLookAtRefusedTask(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	w.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: &emulator.Error{Status: 400,
		Code: "ValidationException", Message: "The StartDate you specify cannot be earlier than 5 minutes ago."}})
	for range 3 {
		if _, _, err := w.deploy(t, report, w.taskOrder()); err == nil {
			t.Error("it was moved")
		}
		w.clock.Advance(time.Minute)
	}
	var registered []int // at which look
	for look := range 5 * 96 {
		w.clock.Advance(15 * time.Minute)
		w.ResetCalls()
		_, err := w.deployer().LookAtTask(t.Context(), report, Order{})
		tried := slices.ContainsFunc(w.Calls(), func(c emulator.Call) bool {
			return c.Operation == "RegisterTaskDefinition"
		})
		if tried != (err != nil) {
			t.Errorf("look %d: %t, %v", look, tried, err)
		}
		if tried {
			registered = append(registered, look)
		}
	}
	if diff := cmp.Diff([]int{0, 3, 12, 39, 120, 216, 312, 408}, registered); diff != "" {
		t.Error(diff)
	}
	w.ClearFaults()
	got, _, err := w.deploy(t, report, w.taskOrder())
	if err != nil || got.Status != Deployed || w.holds(t)[0] == "report:1" {
		t.Errorf("%+v, %v, %v", got, err, w.holds(t))
	}
}

// TestLookAtOneTimeTask looks at a task that AWS refused to move before the time of its one-time schedule: it must not
// be moved any more, so nothing is registered.
func TestLookAtOneTimeTask(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	_, err := w.Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", strings.Replace(w.held("report:1"),
		"cron(0 3 * * ? *)", "at(2026-01-22T11:30:00)", 1))
	must(t, err)
	w.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: emulator.AccessDenied(
		"User: u is not authorized to perform: scheduler:UpdateSchedule")})
	if _, _, err := w.deploy(t, report, w.taskOrder()); !fault.IsMisconfigured(err) {
		t.Errorf("before its time: %v", err)
	}
	w.ClearFaults()
	w.clock.Advance(24 * time.Hour)
	w.ResetCalls()
	_, err = w.deployer().LookAtTask(t.Context(), report, Order{})
	if want := "at(2026-01-22T11:30:00) is over"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("after its time: %v, want %q", err, want)
	}
	for _, c := range w.Calls() {
		if c.Operation == "RegisterTaskDefinition" || c.Operation == "UpdateSchedule" {
			t.Errorf("after its time: %s", c.Operation)
		}
	}
}

// TestPlanOfSecondPointer plans a deployment of the image that the first pointer runs, and another one does not.
func TestPlanOfSecondPointer(t *testing.T) {
	t.Parallel()
	for _, definition := range []string{arn + "report:1", arn + "report"} { // of the schedule, which is the first
		w := taskWorld(t, arn+"report:1")
		w.hold(t, strings.TrimPrefix(definition, arn))
		target := report
		target.Pointers = "schedule/jobs/nightly"
		_, _, err := w.deploy(t, target, w.taskOrder())
		must(t, err)
		target.Pointers = "schedule/jobs/nightly,rule/uploads"
		order := w.taskOrder()
		order.Cause.ID, order.Cause.Time = "e2", eventTime.Add(time.Minute)
		s, err := w.deployer().Read(t.Context(), target)
		must(t, err)
		must(t, s.Check(order))
		plan, err := w.deployer().Plan(t.Context(), s, order)
		if err != nil || plan.Status != Planned {
			t.Errorf("%s: plan: %s, %s, %v", definition, plan.Status, plan.Reason, err)
		}
		got, _, err := w.deploy(t, target, order)
		if err != nil || got.Status != Deployed || w.holds(t)[1] != "report:3" {
			t.Errorf("%s: %s, %v, %v", definition, got.Status, err, w.holds(t))
		}
		order.Cause.ID, order.Cause.Time = "e3", eventTime.Add(2*time.Minute)
		s, err = w.deployer().Read(t.Context(), target)
		must(t, err)
		plan, err = w.deployer().Plan(t.Context(), s, order)
		if err != nil || plan.Status != Unchanged {
			t.Errorf("%s: plan again: %s, %s, %v", definition, plan.Status, plan.Reason, err)
		}
	}
}

// TestDeployTaskWithoutRevision deploys a task whose schedule holds a revision that does not exist: because it was
// deleted, or because a person wrote a wrong number.
func TestDeployTaskWithoutRevision(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ holds, image, want string }{
		{"report:9", "p_task_report:v0", "report:4"},
		{"report:9", "p_task_report", "report:4"}, // the newest revision has the image
		{"report:2", "p_task_report:v0", "report:4"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, d, answers := newLaggingWorld(t)
			image := host + "/" + tt.image
			if !strings.Contains(tt.image, ":") {
				image += "@" + w.digest
			}
			for range 2 {
				_, err := w.Family(t.Context(), "report", "p_container_report_dev", image)
				must(t, err)
			}
			w.hold(t, tt.holds)
			answers.hidden, answers.until = "report:2", time.Now().AddDate(1, 0, 0) // it is deleted
			time.Sleep(time.Minute)
			order := w.taskOrder()
			order.Cause.Time = d.now()
			s, err := d.Read(t.Context(), report)
			must(t, err)
			plan, err := d.Plan(t.Context(), s, order)
			if err != nil || plan.Status != Planned {
				t.Errorf("%+v: plan: %+v, %v", tt, plan, err)
			}
			began := time.Now()
			got := deployTask(t, d, order)
			took := time.Since(began)
			if wants := tt.holds == "report:9"; wants != (took == 5*time.Second) || !wants && took != 0 {
				t.Errorf("%+v took %s", tt, took)
			}
			if got.Status != Deployed || w.holds(t)[0] != tt.want || got.TaskDefinition != arn+tt.want {
				t.Errorf("%+v: %+v, %v", tt, got, w.holds(t))
			}
		})
	}
}
