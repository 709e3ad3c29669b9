package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStartRoles checks which roles start a task, by convention and as the file says.
func TestStartRoles(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::222222222222:role/"
	for _, tt := range []struct{ name, yaml, schedules, rules string }{
		{"a schedule", "scheduled_tasks: [{name: t}]", role + "myproject_scheduler_t_role_staging", ""},
		{"a rule", "event_processor_tasks: [{name: t}]", "", role + "myproject_scheduler_t_task_execution_staging"},
		{"a scheduled task with a rule", "scheduled_tasks: [{name: t}]\ndeployer: {workloads: {t: {rule: r}}}", "",
			role + "myproject_scheduler_t_task_execution_staging"},
		{"an event-processor task with a schedule and a rule",
			"event_processor_tasks: [{name: t}]\ndeployer: {workloads: {t: {schedule: g/n, rule: r}}}",
			role + "myproject_scheduler_t_role_staging", role + "myproject_scheduler_t_task_execution_staging"},
		{"another role", "event_processor_tasks: [{name: t}]\ndeployer: {workloads: {t: {start_role: events}}}", "",
			role + "events"},
		{"by ARN", "event_processor_tasks: [{name: t}]\n" +
			"deployer: {workloads: {t: {start_role: 'arn:aws:iam::222222222222:role/service-role/events'}}}", "",
			role + "service-role/events"},
		{"several, of several pointers", "scheduled_tasks: [{name: t}]\n" +
			"deployer: {workloads: {t: {schedule: [g/a, g/b], start_role: [a, b, a]}}}", role + "a " + role + "b", ""},
		{"a role for both", "scheduled_tasks: [{name: t}]\n" +
			"deployer: {workloads: {t: {schedule: g/a, rule: r, start_role: x}}}", role + "x", role + "x"},
		{"one for several tasks", "scheduled_tasks: [{name: t}, {name: u}]\n" +
			"deployer: {workloads: {t: {start_role: ecsEventsRole}, u: {start_role: ecsEventsRole}}}",
			role + "ecsEventsRole", ""},
		{"a name that IAM does not take", "event_processor_tasks: [{name: " + strings.Repeat("n", 30) + "}]", "", ""},
		{"a service of the same name", "services: [{name: t}]\nscheduled_tasks: [{name: t}]\n" +
			"deployer: {workloads: {'task:t': {start_role: x}}}", role + "x", ""},
		{"no task", "services: [{name: t}]", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(head+tt.yaml+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			schedules, rules := e.StartRoles()
			if diff := cmp.Diff([]string{tt.schedules, tt.rules},
				[]string{strings.Join(schedules, " "), strings.Join(rules, " ")}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStartRolesWithoutAccount checks that the ARNs have a wildcard for an account that the file does not name.
func TestStartRolesWithoutAccount(t *testing.T) {
	t.Parallel()
	e, err := Parse("x.yaml", []byte("project: p\nenv: dev\nregion: cn-north-1\nscheduled_tasks: [{name: t}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	schedules, _ := e.StartRoles()
	if diff := cmp.Diff([]string{"arn:aws-cn:iam::*:role/p_scheduler_t_role_dev"}, schedules); diff != "" {
		t.Error(diff)
	}
}

func TestStartRoleFaults(t *testing.T) {
	t.Parallel()
	const tasks = "scheduled_tasks: [{name: t}]\n"
	for _, tt := range []struct{ name, role, want string }{
		{"a pattern", "myproject_*_staging",
			"is \"myproject_*_staging\", which is not the name of a role (write the name of the role that the " +
				"schedule " +
				"or the rule's target has, or its ARN)"},
		{"a comma", "a,b", "is \"a,b\", and the stack's parameters cannot hold a role with a comma in its name " +
			"(start the " +
			"task with a role that has none; several roles are a list: [a, b])"},
		{"too long", strings.Repeat("r", 65), "is \"" + strings.Repeat("r", 65) + "\", which is not the name of a " +
			"role " +
			"(write the name of the role that the schedule or the rule's target has, or its ARN)"},
		{"a user", "arn:aws:iam::222222222222:user/x",
			"is \"arn:aws:iam::222222222222:user/x\", which is not the ARN of a role (write the name of the role " +
				"that " +
				"the schedule or the rule's target has, or its ARN)"},
		{"another account", "arn:aws:iam::999999999999:role/x",
			"is in account 999999999999, and the environment in 222222222222: a role is passed within one account " +
				"(name one of the environment's own account)"},
		{"another partition", "arn:aws-cn:iam::222222222222:role/x",
			"is in partition aws-cn, and the environment in aws (name one of the environment's own account)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x.yaml", []byte(head+tasks+"deployer: {workloads: {t: {start_role: '"+tt.role+"'}}}\n"))
			got := "no error"
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff("x.yaml:6:40: `deployer.workloads.t.start_role` "+tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
