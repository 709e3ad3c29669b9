package pointer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
)

// TestRead checks which pointers are refused, and what is said then.
func TestRead(t *testing.T) {
	t.Parallel()
	_, a, c := world(t)
	for name, body := range map[string]string{
		"pinned": schedule("rate(1 hour)", first), "floating": schedule("rate(1 hour)", definedA+"report"),
		"word": schedule("rate(1 hour)", definedA+"report:latest"), "zero": schedule("rate(1 hour)", "report:0"),
		"none": schedule("rate(1 hour)", "report:"), "twice": schedule("rate(1 hour)", "report:1:2"),
		"short": schedule("rate(1 hour)", "report:3"), "other": schedule("rate(1 hour)", definedA+"other:1"),
		"elsewhere": strings.Replace(schedule("rate(1 hour)", first), "cluster/c", "cluster/d", 1),
		"far": strings.Replace(schedule("rate(1 hour)", first), "us-east-1:222222222222:cluster",
			"eu-west-1:222222222222:cluster", 1),
		"foreign": strings.Replace(schedule("rate(1 hour)", first), "222222222222:cluster",
			"999999999999:cluster", 1),
		"lent":          schedule("rate(1 hour)", strings.Replace(first, account, "999999999999", 1)),
		"lent-floating": schedule("rate(1 hour)", strings.Replace(definedA, "us-east-1", "eu-west-1", 1)+"report"),
		"over":          schedule("at(2026-01-22T09:29:00)", first), "once": schedule("at(2026-01-22T09:31:00)", first),
		"function": `{"ActionAfterCompletion":"DELETE","FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs",` +
			`"ScheduleExpression":"rate(1 hour)","Target":{"Arn":"arn:aws:lambda:us-east-1:222222222222:function:f",` +
			`"RoleArn":"r"}}`,
	} {
		if err := a.Schedule(t.Context(), name, body); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(a.Rule(t.Context(), "empty"), a.Rule(t.Context(), "others",
		targetOf("x", cluster, definedA+"other:1"), targetOf("y", cluster+"d", first)),
		a.Rule(t.Context(), "two", targetOf("a", cluster, first), targetOf("b", cluster, definedA+"report")))
	if err != nil {
		t.Fatal(err)
	}
	const reading = `reading schedule "%s" in group "jobs", which starts task "nightly": `
	const fix = ` (name the right one in deployer.workloads.nightly.schedule in dev.yaml, or its family in ` +
		`deployer.workloads.nightly.family)`
	const number = ` (let it hold report and the number of a revision, such as report:1, or no number)`
	for _, tt := range []struct{ pointers, want string }{
		{"schedule/jobs/pinned", "schedule/jobs/pinned 1"},
		{"schedule/jobs/floating", "schedule/jobs/floating 0"},
		{"schedule/jobs/short,schedule/jobs/once", "schedule/jobs/short 3, schedule/jobs/once 1"},
		{"rule/two,schedule/jobs/pinned", "rule/two/a 1, rule/two/b 0, schedule/jobs/pinned 1"},
		{"schedule/jobs/missing", fmt.Sprintf(reading, "missing") + `schedule "missing" in group "jobs" does not ` +
			`exist (create it with the infrastructure, or correct deployer.workloads.nightly.schedule in dev.yaml)`},
		{"schedule/jobs/other", fmt.Sprintf(reading, "other") + `it starts family "other", not "report"` + fix},
		{"schedule/jobs/elsewhere", fmt.Sprintf(reading, "elsewhere") + `its target is ` +
			`"arn:aws:ecs:us-east-1:222222222222:cluster/d", not cluster "c"` + fix},
		{"schedule/jobs/far", fmt.Sprintf(reading, "far") + `its target is ` +
			`"arn:aws:ecs:eu-west-1:222222222222:cluster/c", not cluster "c" in us-east-1` + fix},
		{"schedule/jobs/foreign", fmt.Sprintf(reading, "foreign") + `its target is ` +
			`"arn:aws:ecs:us-east-1:999999999999:cluster/c", not cluster "c" of account 222222222222` + fix},
		{"schedule/jobs/lent", fmt.Sprintf(reading, "lent") + `it starts ` +
			`"arn:aws:ecs:us-east-1:999999999999:task-definition/report:1", not family "report" of account ` +
			`222222222222` + fix},
		{"schedule/jobs/lent-floating", fmt.Sprintf(reading, "lent-floating") + `it starts ` +
			`"arn:aws:ecs:eu-west-1:222222222222:task-definition/report", not family "report" in us-east-1` + fix},
		{"schedule/jobs/function", fmt.Sprintf(reading, "function") + `its target is ` +
			`"arn:aws:lambda:us-east-1:222222222222:function:f", not cluster "c"` + fix},
		{"schedule/jobs/over", "schedule/jobs/over 1"}, // it can be read, but not moved
		{"schedule/jobs/word", fmt.Sprintf(reading, "word") + `it starts "` + definedA + `report:latest", which ` +
			`names no revision of family "report"` + number},
		{"schedule/jobs/zero", fmt.Sprintf(reading, "zero") + `it starts "report:0", which names no revision of ` +
			`family "report"` + number},
		{"schedule/jobs/none", fmt.Sprintf(reading, "none") + `it starts "report:", which names no revision of ` +
			`family "report"` + number},
		{"schedule/jobs/twice", fmt.Sprintf(reading, "twice") + `it starts "report:1:2", which names no revision of ` +
			`family "report"` + number},
		{"rule/missing", `reading rule "missing", which starts task "nightly": rule "missing" does not exist (create ` +
			`it with the infrastructure, or correct deployer.workloads.nightly.rule in dev.yaml)`},
		{"rule/empty", `reading rule "empty", which starts task "nightly": the rule has no targets (add a target ` +
			`with the infrastructure, or name the right rule in deployer.workloads.nightly.rule in dev.yaml, or the ` +
			`task's family in deployer.workloads.nightly.family)`},
		{"rule/others", `reading rule "others", which starts task "nightly": none of its targets starts the task: of ` +
			`target "x" it starts family "other", not "report"; of target "y" its target is ` +
			`"arn:aws:ecs:us-east-1:222222222222:cluster/cd", not cluster "c" (add a target with the ` +
			`infrastructure, or name the right rule in deployer.workloads.nightly.rule in dev.yaml, or the task's ` +
			`family in deployer.workloads.nightly.family)`},
		{"", `finding what starts task "nightly": the conventional name of its schedule or rule is longer than AWS ` +
			`allows (name it in deployer.workloads.nightly.schedule or .rule in dev.yaml)`},
	} {
		read, err := c.Read(t.Context(), owner, environment.TaskPointers(tt.pointers))
		var got string
		for i, p := range read {
			got += strings.Repeat(", ", min(i, 1)) + fmt.Sprintf("%s %d", p, p.Revision())
		}
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.pointers, diff)
		}
		if err != nil && !fault.IsMisconfigured(err) {
			t.Errorf("%s: %T", tt.pointers, err)
		}
	}
}
