package stack

import (
	"fmt"
	"testing"
)

// TestPatterns checks which lists are given up, and that this is reported, when a
// project has more services than fit into the role's policy.
func TestPatterns(t *testing.T) {
	t.Parallel()
	const (
		families     = "families myproject_service_prod and myproject_service_*_prod (FamilyArns)"
		roles        = "roles myproject_service_*_task_prod and myproject_service_*_task_execution_prod (RoleArns)"
		taskRoles    = "roles myproject_scheduler_*_task_execution_prod (RoleArns)"
		allRoles     = "roles myproject_*_task_prod and myproject_*_task_execution_prod (RoleArns)"
		repositories = "repositories myproject_service_* (RepositoryArns)"
		ofTasks      = "repositories myproject_task_* (RepositoryArns)"
		schedules    = "schedules myproject-scheduler-*-prod (ScheduleArns)"
		rules        = "rules myproject_rule_*_prod (RuleArns)"
		scheduling   = "roles myproject_scheduler_*_role_prod (ScheduleRoleArns)"
		ruling       = "roles myproject_scheduler_*_task_execution_prod (RuleRoleArns)"
	)
	for _, tt := range []struct {
		services, scheduled, processors int
		want                            string
	}{
		{1, 1, 0, ""},
		{46, 0, 0, ""},
		{47, 0, 0, families},
		{54, 0, 0, families + "; " + roles + "; " + repositories},
		{120, 0, 0, families + "; " + roles + "; " + repositories},
		{0, 32, 0, ""},
		{0, 33, 0, schedules},
		{0, 56, 0, taskRoles + "; " + schedules},
		{0, 57, 0, taskRoles + "; " + ofTasks + "; " + schedules + "; " + scheduling},
		{0, 63, 0, allRoles + "; " + ofTasks + "; " + schedules + "; " + scheduling},
		{0, 0, 37, ""},
		{0, 0, 38, rules},
		{0, 0, 50, rules + "; " + ruling},
		{0, 25, 25, ""},
		{30, 12, 12, ""},
	} {
		file := "project: myproject\nenv: prod\nregion: us-east-1\naccount_id: \"333333333333\"\n"
		for list, n := range map[string]int{"services": tt.services, "scheduled_tasks": tt.scheduled,
			"event_processor_tasks": tt.processors} {
			file += list + ":\n"
			for i := range n {
				file += fmt.Sprintf("  - name: %s-%02d\n", list[:7], i)
			}
		}
		env := parse(t, file)
		parameters, err := Parameters(env)
		if err != nil {
			t.Fatal(err)
		}
		want := tt.want
		if want != "" {
			want = fmt.Sprintf("the ARNs of %d workloads do not fit into the policies of the deployer's role. It uses "+
				"name "+
				"patterns for some, which can match a neighbour's resources too: %s", len(env.Workloads), tt.want)
		}
		if got := Patterns(env, parameters); got != want {
			t.Errorf("%d services, %d scheduled tasks, %d event-processor tasks: %q, want "+
				"%q", tt.services, tt.scheduled,
				tt.processors, got, want)
		}
	}
	// An environment without conventional repositories has an empty list, and nothing to report.
	env := parse(t, "project: p\nenv: dev\nregion: us-east-1\n"+
		"workload: {backend_external_docker_image: \"nginx:1\"}\n")
	parameters, err := Parameters(env)
	if got := Patterns(env, parameters); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTooManyTasks checks that an environment is refused whose tasks' names do not fit into
// the policy of the stack's role.
func TestTooManyTasks(t *testing.T) {
	t.Parallel()
	for tasks, want := range map[int]string{
		64: "",
		70: "ExtraFamilyArns would have 4269 characters, and CloudFormation accepts 4096: dev.yaml has too many " +
			"tasks, or names of its own (give some of the workloads an environment of their own)",
		100: "the policy \"outcomes\" of the deployer's role would have 6830 characters, and IAM accepts 6144: " +
			"dev.yaml has too many tasks, or names of its own (give some of the workloads an environment of their own)",
	} {
		text := "project: myproject\nenv: prod\nregion: us-east-1\naccount_id: \"333333333333\"\nscheduled_tasks:\n"
		for i := range tasks {
			text += fmt.Sprintf("  - name: task-%02d\n", i)
		}
		parameters, err := Parameters(parse(t, text))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d tasks: %s", tasks, got)
		}
		accepted(t, parameters)
	}
}
