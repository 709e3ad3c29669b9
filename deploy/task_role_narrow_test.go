package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"deployer/internal/iam"
)

// TestRoleOfTasksIsNarrow evaluates requests about schedules and rules that the role must and must not allow.
func TestRoleOfTasksIsNarrow(t *testing.T) {
	t.Parallel()
	const (
		schedules = "arn:aws:scheduler:us-east-1:" + prod + ":schedule/"
		rules     = "arn:aws:events:us-east-1:" + prod + ":rule/"
		role      = "arn:aws:iam::" + prod + ":role/"
	)
	type context = map[string]string
	inCluster := context{"events:TargetArn": taskCluster}
	toScheduler := context{"iam:PassedToService": "scheduler.amazonaws.com"}
	toEvents := context{"iam:PassedToService": "events.amazonaws.com"}
	_, template := install(t, fmt.Sprintf(taskFile, prod))
	d := document(t, roleStatements(template))
	for _, tt := range []struct {
		name, action, resource string
		context                context
		want                   iam.Decision
	}{
		{"read a schedule", "scheduler:GetSchedule", schedules + taskGroup + "/" + taskSchedule, nil, iam.Allow},
		{"move a schedule", "scheduler:UpdateSchedule", schedules + taskGroup + "/" + taskSchedule, nil, iam.Allow},
		{"delete a schedule", "scheduler:DeleteSchedule", schedules + taskGroup + "/" + taskSchedule, nil, iam.NoMatch},
		{"create a schedule", "scheduler:CreateSchedule", schedules + taskGroup + "/new", nil, iam.NoMatch},
		{"another schedule of the group", "scheduler:UpdateSchedule", schedules + taskGroup + "/other", nil,
			iam.NoMatch},
		{"a schedule of another group", "scheduler:UpdateSchedule", schedules + "default/" + taskSchedule, nil,
			iam.NoMatch},
		{"a schedule of another environment", "scheduler:UpdateSchedule",
			schedules + "myproject-schedule-group-dev-report/myproject-scheduler-report-dev", nil, iam.NoMatch},
		{"pass a schedule's role", "iam:PassRole", taskRole + "scheduler_report_role_prod", toScheduler, iam.Allow},
		{"pass it to another service", "iam:PassRole", taskRole + "scheduler_report_role_prod",
			context{"iam:PassedToService": "lambda.amazonaws.com"}, iam.NoMatch},
		{"pass a schedule's role of another environment", "iam:PassRole", taskRole + "scheduler_report_role_dev",
			toScheduler, iam.NoMatch},
		{"pass a schedule's role of another project", "iam:PassRole", role + "other_scheduler_report_role_prod",
			toScheduler, iam.NoMatch},
		{"pass any role to EventBridge Scheduler", "iam:PassRole", role + "Admin", toScheduler, iam.NoMatch},
		{"ask what a schedule's role may", "iam:SimulatePrincipalPolicy", taskRole + "scheduler_report_role_prod",
			nil, iam.Allow},
		{"ask what a rule's role may", "iam:SimulatePrincipalPolicy", ruleRole, nil, iam.Allow},
		{"ask what a role of another environment may", "iam:SimulatePrincipalPolicy", taskRole + "events_dev", nil,
			iam.NoMatch},
		{"ask what any role may", "iam:SimulatePrincipalPolicy", role + "Admin", nil, iam.NoMatch},
		{"read a rule's targets", "events:ListTargetsByRule", rules + taskRule, nil, iam.Allow},
		{"read another rule's targets", "events:ListTargetsByRule", rules + "myproject_rule_uploads_dev", nil,
			iam.NoMatch},
		{"move a rule's target", "events:PutTargets", rules + taskRule, inCluster, iam.Allow},
		{"another rule's target", "events:PutTargets", rules + "myproject_deployer_deploy_prod", inCluster,
			iam.NoMatch},
		{"a target in another cluster", "events:PutTargets", rules + taskRule,
			context{"events:TargetArn": strings.Replace(taskCluster, "prod", "dev", 1)}, iam.NoMatch},
		{"a target that is a function", "events:PutTargets", rules + taskRule,
			context{"events:TargetArn": "arn:aws:lambda:us-east-1:" + prod + ":function:any"}, iam.NoMatch},
		{"change a rule", "events:PutRule", rules + taskRule, nil, iam.NoMatch},
		{"remove a rule's target", "events:RemoveTargets", rules + taskRule, nil, iam.NoMatch},
		{"pass a target's role", "iam:PassRole", ruleRole, toEvents, iam.Allow},
		{"pass it to Lambda", "iam:PassRole", ruleRole, context{"iam:PassedToService": "lambda.amazonaws.com"},
			iam.NoMatch},
		{"pass it to EventBridge Scheduler", "iam:PassRole", ruleRole, toScheduler, iam.NoMatch},
		{"pass a schedule's role to EventBridge", "iam:PassRole", taskRole + "scheduler_report_role_prod", toEvents,
			iam.NoMatch},
		{"pass a target's role of another environment", "iam:PassRole",
			taskRole + "scheduler_resize_task_execution_dev", toEvents, iam.NoMatch},
		{"pass another role of the environment to " +
			"EventBridge", "iam:PassRole", taskRole + "backend_task_prod", toEvents,
			iam.NoMatch},
		{"pass a role of a project whose name is longer to EventBridge", "iam:PassRole",
			role + "myproject_admin_backend_task_prod", toEvents, iam.NoMatch},
		{"pass a role of an environment whose name is longer to EventBridge", "iam:PassRole",
			taskRole + "backend_task_eu_prod", toEvents, iam.NoMatch},
		{"pass another scheduled task's role", "iam:PassRole", taskRole + "scheduler_other_role_prod", toScheduler,
			iam.NoMatch},
	} {
		got := d.Evaluate(iam.Request{Principal: role + "deployer", Account: prod, Action: tt.action,
			Resource: tt.resource, Context: tt.context})
		if got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestRoleWithoutTasks checks that an environment has the statements of the kinds of tasks that it has, and no others.
func TestRoleWithoutTasks(t *testing.T) {
	t.Parallel()
	ofSchedules := []string{"MoveSchedules", "PassScheduleRoles"}
	ofRules := []string{"ReadRuleTargets", "MoveRuleTargets", "PassRuleRoles"}
	base, tasks, _ := strings.Cut(taskFile, "scheduled_tasks")
	scheduled, processors, _ := strings.Cut("scheduled_tasks"+tasks, "event_processor_tasks")
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"no tasks", base, nil},
		{"scheduled tasks", base + scheduled, ofSchedules},
		{"event-processor tasks", base + "event_processor_tasks" + processors, ofRules},
		{"both", taskFile, slices.Concat(ofSchedules, ofRules)},
	} {
		_, template := install(t, fmt.Sprintf(tt.file, prod))
		var got []string
		for _, s := range roleStatements(template) {
			if sid := fmt.Sprint(member(s, "Sid")); slices.Contains(slices.Concat(ofSchedules, ofRules), sid) {
				got = append(got, sid)
			}
		}
		slices.Sort(got) // several policies have them
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
