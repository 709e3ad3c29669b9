package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/journal"
	"deployer/internal/pointer"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// tasks are the tasks of a project, whose pointers the test creates.
const tasks = `project: p
env: dev
region: us-east-1
account_id: "222222222222"
scheduled_tasks: [{name: nightly}, {name: hourly}, {name: off}, {name: gone}]
event_processor_tasks: [{name: uploads}, {name: both, rules: [{name: a}, {name: b}]},
  {name: twins, rules: [{name: c}, {name: d}]}]
`

// newTasks creates the tasks. Each has two revisions, of which its pointers hold the first, and b and d the second.
// These have the same image for twins only.
func newTasks(t *testing.T) (*Client, *environment.Environment, *emulator.Clock) {
	t.Helper()
	clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
	_, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	a := accounts.Connect(url, "222222222222", "us-east-1")
	env, err := environment.Parse("dev.yaml", []byte(tasks))
	check(t, err)
	check(t, a.Cluster(t.Context(), env.Cluster))
	const target = `"Arn":"arn:aws:ecs:us-east-1:222222222222:cluster/p_cluster_dev",` +
		`"RoleArn":"arn:aws:iam::222222222222:role/r","EcsParameters":{"TaskDefinitionArn":%q}`
	for _, w := range env.Workloads {
		if w.HasService() {
			continue
		}
		var arns []string
		for _, tag := range []string{"v1", "v2"} {
			if w.Name == "twins" {
				tag = "v1"
			}
			arn, err := a.Family(t.Context(), w.Family, w.Container, "222222222222.dkr.ecr.us-east-1.amazonaws.com/"+
				w.Repository+":"+tag)
			check(t, err)
			arns = append(arns, arn)
		}
		for i, p := range w.Pointers.All() {
			into := fmt.Sprintf(target, arns[i])
			switch {
			case p.Rule:
				check(t, a.Rule(t.Context(), p.Name, `{"Id":"task",`+into+"}"))
			case w.Name == "gone":
			default:
				expression := map[string]string{"hourly": "rate(1 hour)"}[w.Name]
				if expression == "" {
					expression = "cron(0 3 * * ? *)"
				}
				state := map[string]string{"off": "DISABLED"}[w.Name]
				if state == "" {
					state = "ENABLED"
				}
				check(t, a.ScheduleGroup(t.Context(), p.Group))
				check(t, a.Schedule(t.Context(), p.Name, fmt.Sprintf(`{"GroupName":%q,"State":%q,`+
					`"FlexibleTimeWindow":{"Mode":"OFF"},"ScheduleExpression":%q,`+
					`"ScheduleExpressionTimezone":"Europe/Zurich","Target":{`+into+"}}", p.Group, state, expression)))
			}
		}
	}
	c := New(ecsservice.New(a.Config))
	c.now = clock.Now
	return c, env, clock
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTaskStatuses checks what is shown of tasks: when each runs next, and pointers that hold another revision.
func TestTaskStatuses(t *testing.T) {
	t.Parallel()
	c, env, _ := newTasks(t)
	var targets []ecsservice.Target
	for _, w := range env.Workloads[1:] {
		targets = append(targets, ecsservice.TargetOf(env, w))
	}
	got := make([]string, len(targets))
	err := c.Statuses(t.Context(), env.Cluster, targets, &Memory{}, func(i int, s Status, err error) {
		if err != nil {
			got[i] = err.Error()
			return
		}
		due := ""
		if !s.Task.Due.IsZero() {
			due = s.Task.Due.Format(time.RFC3339)
		}
		got[i] = fmt.Sprintf("%s %d since %s: %s; %q %t %s", s.Condition, s.Running.Revision,
			s.Since.Format("15:04"), s.Task.Next, due, s.Task.Disabled, s.Task.Others)
	})
	check(t, err)
	want := []string{
		`steady 1 since 10:00: due at 2026-01-23T03:00:00+01:00; "2026-01-23T03:00:00+01:00" false []`,
		`steady 1 since 10:00: due by rate(1 hour); "" false []`,
		`steady 1 since 10:00: when schedule/p-schedule-group-dev-off/p-scheduler-off-dev, which is DISABLED, ` +
			`is enabled; "" true []`,
		`reading schedule "p-scheduler-gone-dev" in group "p-schedule-group-dev-gone", which starts task "gone": ` +
			`schedule "p-scheduler-gone-dev" in group "p-schedule-group-dev-gone" does not exist (create it with the ` +
			`infrastructure, or correct deployer.workloads.gone.schedule in dev.yaml)`,
		`steady 1 since 10:00: when rule/p_rule_uploads_dev starts it; "" false []`,
		`steady 1 since 10:00: when rule/p_rule_a_dev starts it, and when rule/p_rule_b_dev starts it; ` +
			`"" false [rule/p_rule_b_dev/task holds revision 2]`,
		`steady 1 since 10:00: when rule/p_rule_c_dev starts it, and when rule/p_rule_d_dev starts it; "" false []`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTaskIsOver checks which tasks never run again: those all of whose schedules are over or DISABLED.
func TestTaskIsOver(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 22, 9, 30, 20, 0, time.UTC)
	runs := pointer.Pointer{Expression: "cron(0 3 * * ? *)"}
	over, off := runs, runs
	over.Ends, off.Disabled = now, true
	rule := pointer.Pointer{TaskPointer: environment.TaskPointer{Rule: true, Name: "r"}}
	for _, tt := range []struct {
		pointers       []pointer.Pointer
		over, disabled bool
	}{
		{[]pointer.Pointer{runs}, false, false},
		{[]pointer.Pointer{over}, true, false},
		{[]pointer.Pointer{over, over}, true, false},
		{[]pointer.Pointer{over, runs}, false, false},
		{[]pointer.Pointer{off, over}, true, false},
		{[]pointer.Pointer{off}, false, true},
		{[]pointer.Pointer{over, rule}, false, false},
	} {
		var s Status
		s.asTask(tt.pointers, nil, now)
		if s.Task.Over != tt.over || s.Task.Disabled != tt.disabled {
			t.Errorf("%+v: over %t, disabled %t", tt.pointers, s.Task.Over, s.Task.Disabled)
		}
	}
}

// TestTaskProgress checks the progress of a task's deployment: before it is moved, when it is, and when it was moved
// on.
func TestTaskProgress(t *testing.T) {
	t.Parallel()
	c, env, _ := newTasks(t)
	w, _ := env.Find("both", environment.Tasks...)
	target := ecsservice.TargetOf(env, w)
	arn := func(n int) string {
		return fmt.Sprintf("arn:aws:ecs:us-east-1:222222222222:task-definition/both:%d", n)
	}
	is := func(n int, phase journal.Phase, held int, next string) {
		t.Helper()
		p, err := c.Progress(t.Context(), target, arn(n))
		if err != nil || p.Phase != phase || p.Running != held || p.Desired != 2 || p.NextRun != next {
			t.Errorf("revision %d: %+v, %v", n, p, err)
		}
	}
	is(1, journal.RollingOut, 1, "")
	is(2, journal.RollingOut, 1, "")
	move := func(index, to int) {
		t.Helper()
		pointers, err := c.services.Pointers(t.Context(), target)
		check(t, err)
		check(t, c.services.MovePointer(t.Context(), target, pointers[index], arn(to)))
	}
	move(0, 2)
	const next = "when rule/p_rule_a_dev starts it, and when rule/p_rule_b_dev starts it"
	is(2, journal.Succeeded, 2, next)
	is(1, journal.Superseded, 0, "")
	check(t, c.services.AddNote(t.Context(), journal.Record{TaskDefinition: arn(2), Revision: 2},
		TaskNote(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))))
	move(0, 1)
	move(1, 1)
	is(1, journal.Succeeded, 2, next)
}
