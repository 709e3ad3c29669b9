package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTaskPointers checks what starts a task, by convention and as the file says.
func TestTaskPointers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 44)
	for _, tt := range []struct{ name, yaml, want string }{
		{"schedule", "scheduled_tasks: [{name: t}]",
			"schedule/myproject-schedule-group-staging-t/myproject-scheduler-t-staging"},
		{"a name that AWS does not take", "scheduled_tasks: [{name: " + long + "}]", ""},
		{"one rule", "event_processor_tasks: [{name: t, rule_name: uploads}]", "rule/myproject_rule_uploads_staging"},
		{"no rule's name", "event_processor_tasks: [{name: t}]", "rule/myproject_rule_t_staging"},
		{"rules", "event_processor_tasks: [{name: t, rule_name: old, rules: [{name: a, sources: [s]}, {name: b}]}]",
			"rule/myproject_rule_a_staging,rule/myproject_rule_b_staging"},
		{"no rules", "event_processor_tasks: [{name: t, rules: []}]", "rule/myproject_rule_t_staging"},
		{"another schedule", "scheduled_tasks: [{name: t}]\ndeployer: {workloads: {t: {schedule: jobs/nightly}}}",
			"schedule/jobs/nightly"},
		{"several", "scheduled_tasks: [{name: t}]\n" +
			"deployer: {workloads: {t: {schedule: [jobs/a, jobs/b, jobs/a], rule: [c, d/e, default/f]}}}",
			"schedule/jobs/a,schedule/jobs/b,rule/c,rule/d/e,rule/f"},
		{"by ARN", "event_processor_tasks: [{name: t}]\ndeployer: {workloads: {t: {schedule: " +
			"'arn:aws:scheduler:us-east-1:222222222222:schedule/jobs/a', rule: " +
			"'arn:aws:events:us-east-1:222222222222:rule/b'}}}", "schedule/jobs/a,rule/b"},
		{"a service of the same name", "services: [{name: t}]\nscheduled_tasks: [{name: t}]\n" +
			"deployer: {workloads: {t: {service: x}, 'task:t': {schedule: jobs/a}}}", "schedule/jobs/a"},
		{"only other names", "scheduled_tasks: [{name: t}]\ndeployer: {workloads: {'task:t': {family: f}}}",
			"schedule/myproject-schedule-group-staging-t/myproject-scheduler-t-staging"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(head+tt.yaml+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			w := e.Workloads[len(e.Workloads)-1]
			if diff := cmp.Diff(tt.want, string(w.Pointers)); diff != "" {
				t.Error(diff)
			}
			if again := pointersOf(w.Pointers.All()); again != w.Pointers {
				t.Errorf("read again: %q", again)
			}
		})
	}
}

func TestTaskPointerARN(t *testing.T) {
	t.Parallel()
	e := &Environment{Region: "us-gov-west-1", AccountID: "222222222222"}
	var got []string
	for _, p := range TaskPointers("schedule/g/n,rule/r,rule/b/r").All() {
		got = append(got, p.ARN(e))
	}
	want := []string{"arn:aws-us-gov:scheduler:us-gov-west-1:222222222222:schedule/g/n",
		"arn:aws-us-gov:events:us-gov-west-1:222222222222:rule/r",
		"arn:aws-us-gov:events:us-gov-west-1:222222222222:rule/b/r"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTaskPointerFaults(t *testing.T) {
	t.Parallel()
	const tasks = "scheduled_tasks: [{name: t}, {name: u}]\n"
	for _, tt := range []struct{ name, yaml, want string }{
		{"no group", "deployer: {workloads: {t: {schedule: nightly}}}",
			"x.yaml:6:38: `deployer.workloads.t.schedule` is \"nightly\", which does not name a schedule (write " +
				"GROUP/NAME)"},
		{"an ARN of another kind", "deployer: {workloads: {t: {rule: 'arn:aws:events:us-east-1:222222222222:x/y'}}}",
			"x.yaml:6:34: `deployer.workloads.t.rule` is \"arn:aws:events:us-east-1:222222222222:x/y\", which is not " +
				"the ARN of a rule (write NAME, or BUS/NAME if its event bus is not the default one)"},
		{"another account", "deployer: {workloads: {t: {rule: 'arn:aws:events:us-east-1:999999999999:rule/y'}}}",
			"x.yaml:6:34: `deployer.workloads.t.rule` is in account 999999999999 and region us-east-1, and the " +
				"environment in 222222222222 and us-east-1 (name one of the environment's own)"},
		{"a service's setting", "deployer: {workloads: {t: {service: x}}}",
			"x.yaml:6:28: `deployer.workloads.t.service` is not a setting of the deployer (the keys are schedule, " +
				"rule, start_role, family, container)"},
		{"one schedule for two", "deployer: {workloads: {t: {schedule: g/n}, u: {schedule: g/n}}}",
			"x.yaml:6:47: `deployer.workloads.u.schedule` makes \"u\" and \"t\" the same schedule \"g/n\" (give each " +
				"a schedule of its own)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x.yaml", []byte(head+tasks+tt.yaml+"\n"))
			got := "no error"
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
