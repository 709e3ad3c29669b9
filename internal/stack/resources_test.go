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
		roles        = "roles myproject_*_task_prod and myproject_*_task_execution_prod (RoleArns)"
		repositories = "repositories myproject_* (RepositoryArns)"
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
		{10, 1, 0, ""},
		{12, 1, 0, ""},
		{15, 1, 0, repositories},
		{20, 1, 0, families},
		{40, 1, 0, families + "; " + roles + "; " + repositories},
		{0, 5, 0, ""},
		{0, 8, 0, ""},
		{0, 10, 0, repositories},
		{0, 14, 0, roles + "; " + repositories},
		{0, 18, 0, families + "; " + roles + "; " + repositories + "; " + schedules},
		{0, 28, 0, families + "; " + roles + "; " + repositories + "; " + schedules + "; " + scheduling},
		{0, 0, 8, ""},
		{0, 0, 9, repositories},
		{0, 0, 10, families + "; " + repositories + "; " + rules},
		{0, 0, 16, families + "; " + roles + "; " + repositories + "; " + rules},
		{0, 0, 28, families + "; " + roles + "; " + repositories + "; " + rules + "; " + ruling},
		{5, 3, 3, repositories},
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
			want = fmt.Sprintf("the ARNs of %d workloads do not fit into the policy of the deployer's role. It uses "+
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
		38: "",
		50: "the policy of the deployer's role would have 11181 characters, and IAM accepts 10240: dev.yaml has too " +
			"many " +
			"tasks, or names of its own (give some of the workloads an environment of their own)",
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
