package ecsdeploy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// report is the task that taskWorld makes.
var report = ecsservice.Target{File: "dev.yaml", Workload: "task:report", Cluster: "c", Service: "task:report",
	Task: true, Region: "us-east-1", Pointers: "schedule/jobs/nightly", Family: "report",
	Container: "p_container_report_dev", Repository: "p_task_report",
	Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}}

// taskWorld is an account with the task report, whose revision 1 runs p_task_report:v0,
// and with what starts it: a schedule and two targets of a rule. They hold definition.
func taskWorld(t *testing.T, definition string) *world {
	t.Helper()
	clock := emulator.NewClock(eventTime.Add(-time.Hour))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now, RolloutStep: time.Second})
	w := &world{Emulator: e, clock: clock, Account: accounts.Connect(url, "111111111111", "us-east-1")}
	must(t, w.Cluster(t.Context(), "c"))
	_, err := w.Push(t.Context(), "p_task_report", "v0", "v0")
	must(t, err)
	w.digest, err = w.Push(t.Context(), "p_task_report", "v1", "v1")
	must(t, err)
	_, err = w.Family(t.Context(), "report", "p_container_report_dev", host+"/p_task_report:v0")
	must(t, err)
	e.CreateScheduleGroup("111111111111", "us-east-1", "jobs")
	const cluster = "arn:aws:ecs:us-east-1:111111111111:cluster/c"
	must(t, w.Schedule(t.Context(), "nightly", fmt.Sprintf(`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs",`+
		`"ScheduleExpression":"cron(0 3 * * ? *)","Description":"reports","Target":{"Arn":%q,"RoleArn":"r",`+
		`"EcsParameters":{"TaskDefinitionArn":%q,"LaunchType":"FARGATE"}}}`, cluster, definition)))
	target := func(id string) string {
		return fmt.Sprintf(`{"Id":%q,"Arn":%q,"RoleArn":"r","EcsParameters":{"TaskDefinitionArn":%q}}`, id, cluster,
			definition)
	}
	must(t, w.Rule(t.Context(), "uploads", target("a"), target("b")))
	clock.Advance(2 * time.Hour)
	return w
}

// holds returns what the schedule and the rule's targets hold, without what all ARNs have
// in common.
func (w *world) holds(t *testing.T) (all []string) {
	t.Helper()
	raw, err := w.ReadSchedule(t.Context(), "jobs", "nightly")
	must(t, err)
	targets, err := w.ReadTargets(t.Context(), "uploads")
	must(t, err)
	var s struct {
		Target struct {
			EcsParameters struct{ TaskDefinitionArn string }
		}
	}
	must(t, json.Unmarshal(raw, &s))
	all = append(all, strings.TrimPrefix(s.Target.EcsParameters.TaskDefinitionArn, arn))
	for _, raw := range targets {
		must(t, json.Unmarshal(raw, &s.Target))
		all = append(all, strings.TrimPrefix(s.Target.EcsParameters.TaskDefinitionArn, arn))
	}
	return all
}

// taskOrder returns an order for the image p_task_report:v1, for event e1.
func (w *world) taskOrder() Order {
	o := order(w.digest)
	o.Image.Repository = "p_task_report"
	return o
}

func TestDeployTask(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	got, calls, err := w.deploy(t, report, w.taskOrder())
	must(t, err)
	want := Deployment{
		Service: "task:report", Status: Deployed, Cluster: "c", Pointers: []string{"schedule/jobs/nightly"},
		Image: host + "/p_task_report@" + w.digest, Tag: "v1", Digest: w.digest,
		TaskDefinition: arn + "report:2", PreviousTaskDefinition: arn + "report:1",
		Reason: "the next run uses revision 2, due at 2026-01-23T03:00:00Z",
	}
	ended := got.Ended
	got.Before, got.Ended, want.NextRun = journal.Record{}, nil, "due at 2026-01-23T03:00:00Z"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(ended) != 1 || ended[0].Revision != 2 || ended[0].Cause.ID != "e1" {
		t.Errorf("ended: %+v", ended)
	}
	slices.Sort(calls[:2]) // the two reads are sent together
	if diff := cmp.Diff([]string{"DescribeTaskDefinition", "GetSchedule", "RegisterTaskDefinition", "GetSchedule",
		"UpdateSchedule", "DescribeTaskDefinition"}, calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"report:2", "report:1", "report:1"}, w.holds(t)); diff != "" {
		t.Error(diff)
	}
	raw, err := w.ReadSchedule(t.Context(), "jobs", "nightly")
	must(t, err)
	for _, kept := range []string{`"Description":"reports"`, `"ScheduleExpression":"cron(0 3 * * ? *)"`} {
		if !strings.Contains(string(raw), kept) {
			t.Errorf("the schedule lost %s: %s", kept, raw)
		}
	}

	got, calls, err = w.deploy(t, report, w.taskOrder()) // a duplicate
	must(t, err)
	if got.Status != Unchanged || got.Reason != "this event was carried out before" || len(calls) != 2 {
		t.Errorf("again: %+v after %v", got, calls)
	}
	late := w.taskOrder()
	late.Cause.ID, late.Cause.Time = "e0", eventTime.Add(-time.Minute)
	late.Image.Digest = "sha256:" + strings.Repeat("0", 64)
	got, _, err = w.deploy(t, report, late)
	must(t, err)
	const why = "a newer event already deployed: the task runs " + arn + "report:2, for event e1 of " +
		"2026-01-22T10:15:30Z"
	if got.Status != Superseded || got.Reason != why {
		t.Errorf("a late event: %s %s", got.Status, got.Reason)
	}
}

// TestFloatingTaskIsRepaired registers an older event's revision after a newer one's: the
// task, whose pointer floats, would run the older one.
func TestFloatingTaskIsRepaired(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report")
	newer := w.taskOrder()
	newer.Cause.ID, newer.Cause.Time = "e2", eventTime.Add(time.Minute)
	newer.Image.Tag, newer.Image.Digest = "v0", "sha256:"+strings.Repeat("0", 64)
	old := w.taskOrder()
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	before, err := d.Read(t.Context(), report) // reads nothing of the newer event
	must(t, err)
	_, _, err = w.deploy(t, report, newer)
	must(t, err)
	got, err := d.Deploy(t.Context(), before, old)
	must(t, err)
	if got.Status != Superseded || !strings.Contains(got.Reason, "for event e2 ") {
		t.Errorf("%s %s", got.Status, got.Reason)
	}
	r, err := ecsservice.New(w.Config).DescribeRevision(t.Context(), "report")
	must(t, err)
	record := report.Record(r)
	if record.Cause.ID != "e2" || record.Revision != 4 || record.CopyOf != 2 {
		t.Errorf("the newest revision is %+v", record)
	}
}

// TestTaskConflict checks that a schedule is read again if something else changed it at the
// same time, so that its change is kept.
func TestTaskConflict(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	w.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Times: 2,
		Error: &emulator.Error{Status: 409, Code: "ConflictException", Message: "Updating."}})
	got, calls, err := w.deploy(t, report, w.taskOrder())
	must(t, err)
	reads := 0
	for _, c := range calls {
		reads += map[string]int{"GetSchedule": 1}[c]
	}
	if got.Status != Deployed || reads < 4 || w.holds(t)[0] != "report:2" {
		t.Errorf("%+v after %v", got, calls)
	}
}

// TestTaskMovedByOthers checks what counts as a person's choice: the task is not moved back
// by a duplicate, and is by a newer event.
func TestTaskMovedByOthers(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	got, _, err := w.deploy(t, report, w.taskOrder())
	must(t, err)
	services := ecsservice.New(w.Config)
	must(t, services.AddNote(t.Context(), got.Ended[0], journal.Note{Outcome: journal.Succeeded,
		Finished: w.clock.Now()}))
	w.clock.Advance(time.Minute)
	pointers, err := services.Pointers(t.Context(), report)
	must(t, err)
	must(t, services.MovePointer(t.Context(), report, pointers[0], arn+"report:1"))
	got, _, err = w.deploy(t, report, w.taskOrder())
	must(t, err)
	if want := "another tool or a person moved the task later: the task runs " + arn + "report:1"; got.Reason != want ||
		got.Status != Superseded || w.holds(t)[0] != "report:1" {
		t.Errorf("a duplicate: %s %q, %v", got.Status, got.Reason, w.holds(t))
	}
	newer := w.taskOrder()
	newer.Cause.ID, newer.Cause.Time = "e2", eventTime.Add(2*time.Hour)
	got, _, err = w.deploy(t, report, newer)
	must(t, err)
	if got.Status != Deployed || w.holds(t)[0] != "report:3" {
		t.Errorf("a newer event: %+v, %v", got, w.holds(t))
	}
}

// TestTaskOfAnotherEnvironment checks that a floating pointer is refused whose family
// another environment deploys to, and that a pinned one is not.
func TestTaskOfAnotherEnvironment(t *testing.T) {
	t.Parallel()
	other := report
	other.Service = "task:other"
	for _, tt := range []struct{ definition, want string }{
		{arn + "report:1", ""},
		{arn + "report", `deploying task "report": schedule/jobs/nightly runs every revision of family "report", and ` +
			arn + `report:2 was registered for another task (write the number of a revision into the pointer, or ` +
			`give each environment a family of its own: deployer.workloads.report.family)`},
	} {
		w := taskWorld(t, tt.definition)
		d := New(ecsservice.New(w.Config))
		d.now = w.clock.Now
		s, err := d.Read(t.Context(), report)
		must(t, err)
		s.target = other
		_, err = d.Deploy(t.Context(), s, w.taskOrder())
		must(t, err)
		newer := w.taskOrder()
		newer.Cause.ID, newer.Cause.Time = "e2", eventTime.Add(time.Minute)
		_, _, err = w.deploy(t, report, newer)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || got != "" && fault.NameOf(err) != "PointerUnusable" {
			t.Errorf("%s: %s", tt.definition, diff)
		}
	}
}
