package ecsdeploy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pointer"
	"deployer/testbed/aws/emulator"
)

// TestDeployTaskPointers deploys a task with other pointers than one pinned schedule.
func TestDeployTaskPointers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, definition string
		pointers         environment.TaskPointers
		holds            []string
		calls            int
		reason           string
	}{
		{"targets of a rule", arn + "report:1", "rule/uploads", []string{"report:1", "report:2", "report:2"}, 7,
			"the next run uses revision 2, when rule/uploads starts it"},
		{"both", arn + "report:1", "schedule/jobs/nightly,rule/uploads", []string{"report:2", "report:2", "report:2"},
			10, "the next run uses revision 2, due at 2026-01-23T03:00:00Z, and when rule/uploads starts it"},
		{"floating", arn + "report", "schedule/jobs/nightly,rule/uploads", []string{"report", "report", "report"}, 5,
			"the next run uses revision 2, due at 2026-01-23T03:00:00Z, and when rule/uploads starts it"},
		{"a short name", "report:1", "schedule/jobs/nightly", []string{"report:2", "report:1", "report:1"}, 6,
			"the next run uses revision 2, due at 2026-01-23T03:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := taskWorld(t, tt.definition)
			target := report
			target.Pointers = tt.pointers
			got, calls, err := w.deploy(t, target, w.taskOrder())
			must(t, err)
			if diff := cmp.Diff(tt.holds, w.holds(t)); diff != "" {
				t.Error(diff)
			}
			if got.Status != Deployed || got.Reason != tt.reason || len(calls) != tt.calls {
				t.Errorf("%s %q after %d calls, want %q after %d: %v", got.Status, got.Reason, len(calls), tt.reason,
					tt.calls, calls)
			}
			if again, _, err := w.deploy(t, target, w.taskOrder()); err != nil || again.Status != Unchanged {
				t.Errorf("again: %+v %v", again, err)
			}
		})
	}
}

// TestTaskOfTwoForms deploys a task of which one pointer is pinned and another one floats: the pinned one is moved, and
// each keeps its form.
func TestTaskOfTwoForms(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	must(t, w.Rule(t.Context(), "uploads", `{"Id":"b","Arn":"arn:aws:ecs:us-east-1:111111111111:cluster/c",`+
		`"RoleArn":"r","EcsParameters":{"TaskDefinitionArn":"`+arn+`report"}}`))
	target, order := report, w.taskOrder()
	target.Pointers = "schedule/jobs/nightly,rule/uploads"
	for i, want := range [][]string{{"report:2", "report:2", "report"}, {"report:3", "report:3", "report"}} {
		order.Cause.ID, order.Cause.Time = fmt.Sprint("e", i), eventTime.Add(time.Duration(i)*time.Minute)
		order.Force = true
		got, _, err := w.deploy(t, target, order)
		must(t, err)
		held := w.holds(t)
		slices.Sort(held[1:])
		slices.Reverse(held[1:])
		if diff := cmp.Diff(want, held); diff != "" || got.Status != Deployed {
			t.Errorf("%s: %s", got.Status, diff)
		}
	}
}

// TestTaskOfWhichOnePointerFails deploys a task of which one pointer is moved and another one cannot be: the error says
// which, and the next delivery of the event ends with one revision in all of them.
func TestTaskOfWhichOnePointerFails(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	target := report
	target.Pointers = "schedule/jobs/nightly,rule/uploads"
	w.FailTarget("111111111111", "us-east-1", "uploads", "b", "ResourceNotFoundException")
	_, _, err := w.deploy(t, target, w.taskOrder())
	want := `moving target "b" of rule "uploads", which starts task "report", to "` + arn + `report:2", after ` +
		`schedule/jobs/nightly and rule/uploads/a, which hold it: ResourceNotFoundException: It failed. (create it ` +
		`with the infrastructure, or name the right one in the environment file)`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" || !fault.IsMisconfigured(err) {
		t.Errorf("%T: %s", err, diff)
	}
	if diff := cmp.Diff([]string{"report:2", "report:1", "report:2"}, w.holds(t)); diff != "" {
		t.Errorf("one failed: %s", diff)
	}
	w.FailTarget("111111111111", "us-east-1", "uploads", "b", "")
	got, _, err := w.deploy(t, target, w.taskOrder())
	must(t, err)
	all := w.holds(t)
	if got.Status != Deployed || all[0] == "report:1" || all[1] != all[0] || all[2] != all[0] {
		t.Errorf("again: %+v, %v", got, all)
	}
	w.clock.Advance(2 * time.Minute)
	if got, _, err = w.deploy(t, target, w.taskOrder()); err != nil || got.Status != Unchanged {
		t.Errorf("a third time: %+v, %v", got, err)
	}
}

// TestTaskOfWhichFirstPointerFails deploys a task whose first pointer cannot be moved: the others are.
func TestTaskOfWhichFirstPointerFails(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	target := report
	target.Pointers = "schedule/jobs/nightly,rule/uploads"
	w.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: emulator.AccessDenied(
		"User: u is not authorized to perform: scheduler:UpdateSchedule")})
	_, _, err := w.deploy(t, target, w.taskOrder())
	want := `moving schedule "nightly" in group "jobs", which starts task "report", to "` + arn + `report:2", after ` +
		`rule/uploads/a and rule/uploads/b, which hold it: AccessDeniedException: User: u is not authorized to ` +
		`perform: scheduler:UpdateSchedule`
	if got, _, _ := strings.Cut(fmt.Sprint(err), " ("); got != want || !fault.IsMisconfigured(err) {
		t.Errorf("%T: %s", err, cmp.Diff(want, got))
	}
	if diff := cmp.Diff([]string{"report:1", "report:2", "report:2"}, w.holds(t)); diff != "" {
		t.Errorf("one failed: %s", diff)
	}
	w.ClearFaults()
	got, _, err := w.deploy(t, target, w.taskOrder())
	must(t, err)
	diff := cmp.Diff([]string{"report:3", "report:3", "report:3"}, w.holds(t))
	if diff != "" || got.Status != Deployed {
		t.Errorf("again: %+v, %s", got, diff)
	}
}

// conflicting is an HTTP client that calls a function in place of the first change of a schedule, and answers with the
// conflict that it makes.
type conflicting struct {
	aws.HTTPClient
	change func() // nil after that
}

func (c *conflicting) Do(r *http.Request) (*http.Response, error) {
	if c.change == nil || r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "schedules/") {
		return c.HTTPClient.Do(r)
	}
	c.change()
	c.change = nil
	return &http.Response{StatusCode: http.StatusConflict, Request: r,
		Header: http.Header{"X-Amzn-Errortype": {"ConflictException"}},
		Body:   io.NopCloser(strings.NewReader(`{"Message":"Updating."}`))}, nil
}

// TestTaskChangedMeanwhile has a person move the first of a task's pointers right when a deployment moves it: the
// person's choice is the newer one, and the deployment moves no other pointer either.
func TestTaskChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	target := report
	target.Pointers = "schedule/jobs/nightly,rule/uploads"
	client := &conflicting{HTTPClient: w.Config.HTTPClient, change: func() {
		w.clock.Advance(time.Minute)
		_, err := w.Family(t.Context(), "report", "p_container_report_dev", host+"/p_task_report:v9")
		must(t, err)
		w.hold(t, "report:3")
	}}
	d := New(ecsservice.New(w.With(func(c *aws.Config) { c.HTTPClient = client }).Config))
	d.now = w.clock.Now
	s, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Deploy(t.Context(), s, w.taskOrder())
	diff := cmp.Diff([]string{"report:3", "report:1", "report:1"}, w.holds(t))
	if err != nil || got.Status != Superseded || diff != "" {
		t.Errorf("%+v, %v, %s", got, err, diff)
	}
}

// TestDeployOneTimeTask deploys a task that a one-time schedule starts: before its time it is moved, and afterwards
// nothing is registered. What the schedule holds can still be read.
func TestDeployOneTimeTask(t *testing.T) {
	t.Parallel()
	for at, refused := range map[string]bool{"at(2099-01-22T10:00:00)": false, "at(2026-01-22T09:00:00)": true} {
		w := taskWorld(t, arn+"report:1")
		_, err := w.Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", fmt.Sprintf(
			`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs","ScheduleExpression":%q,"Target":{"RoleArn":"r",`+
				`"Arn":"arn:aws:ecs:us-east-1:111111111111:cluster/c",`+
				`"EcsParameters":{"TaskDefinitionArn":"report:1"}}}`, at))
		must(t, err)
		got, calls, err := w.deploy(t, report, w.taskOrder())
		if !refused {
			if err != nil || got.Status != Deployed || w.holds(t)[0] != "report:2" {
				t.Errorf("%s: %+v, %v", at, got, err)
			}
			continue
		}
		want := `moving schedule "nightly" in group "jobs", which starts task "report": it is a one-time schedule, ` +
			`and ` + at + ` is over: AWS may run it again when it is changed (delete the schedule, or give it a ` +
			`time to come)`
		if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" || len(calls) != 2 || !fault.IsMisconfigured(err) {
			t.Errorf("%d calls, %T: %s", len(calls), err, diff)
		}
		s, err := w.deployer().Read(t.Context(), report)
		must(t, err)
		next := NextRun(s.pointers, s.now)
		if next != "when schedule/jobs/nightly, whose "+at+" is over, has a later one" {
			t.Error(next)
		}
	}
}

// TestDeployFloatingOneTimeTask deploys a task of which a one-time schedule that is over floats: that is not changed,
// and nothing is refused because of it.
func TestDeployFloatingOneTimeTask(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	_, err := w.Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", strings.Replace(w.held("report"),
		"cron(0 3 * * ? *)", "at(2026-01-22T09:00:00)", 1))
	must(t, err)
	target := report
	target.Pointers = "schedule/jobs/nightly,rule/uploads"
	got, _, err := w.deploy(t, target, w.taskOrder())
	must(t, err)
	if diff := cmp.Diff([]string{"report", "report:2", "report:2"}, w.holds(t)); diff != "" || got.Status != Deployed {
		t.Errorf("%s: %s", got.Status, diff)
	}
}

// TestNextRun checks what is said of when a task runs next.
func TestNextRun(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 22, 9, 30, 20, 0, time.UTC)
	by := func(name, expression string) pointer.Pointer {
		return pointer.Pointer{TaskPointer: environment.TaskPointer{Group: "jobs", Name: name}, Expression: expression}
	}
	nightly, hourly, disabled, ended := by("a", "cron(0 3 * * ? *)"), by("b", "rate(1 hour)"), by("c", "rate(1 hour)"),
		by("d", "cron(0 3 * * ? *)")
	over, flexible := by("e", "cron(0 3 1 1 ? 2025)"), by("f", "cron(0 3 * * ? *)")
	flexible.Window = 15 * time.Minute
	disabled.Disabled, ended.Ends = true, now.Add(-time.Hour)
	later := hourly
	later.Starts = now.Add(time.Hour)
	rule := pointer.Pointer{TaskPointer: environment.TaskPointer{Rule: true, Name: "uploads"}, Target: "t"}
	for want, pointers := range map[string][]pointer.Pointer{
		"due at 2026-01-23T03:00:00Z":                                                  {nightly},
		"due by rate(1 hour)":                                                          {hourly},
		"due at 2026-01-23T03:00:00Z, or up to 15 min later":                           {flexible},
		"due at 2026-01-22T10:30:20Z":                                                  {later},
		"when schedule/jobs/c, which is DISABLED, is enabled":                          {disabled},
		"when schedule/jobs/d, whose EndDate is 2026-01-22T08:30:20Z, has a later one": {ended},
		"when schedule/jobs/e, whose cron(0 3 1 1 ? 2025) is over, has a later one":    {over},
		"due at 2026-01-23T03:00:00Z, and when rule/uploads starts it":                 {nightly, rule, rule},
	} {
		if got := NextRun(pointers, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
