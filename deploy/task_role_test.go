package deploy_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// taskFile is an environment with a task of each kind.
const taskFile = "project: myproject\nenv: prod\nregion: us-east-1\naccount_id: %q\necr_strategy: local\n" +
	"scheduled_tasks: [{name: report}]\nevent_processor_tasks: [{name: resize, rules: [{name: uploads}]}]\n"

const (
	taskGroup    = "myproject-schedule-group-prod-report"
	taskSchedule = "myproject-scheduler-report-prod"
	taskRule     = "myproject_rule_uploads_prod"
	taskCluster  = "arn:aws:ecs:us-east-1:" + prod + ":cluster/myproject_cluster_prod"
	taskRole     = "arn:aws:iam::" + prod + ":role/myproject_"
	ruleRole     = taskRole + "scheduler_resize_task_execution_prod"
)

// createTasks adds the tasks of taskFile to prod's account, as Terraform does, with an image v2 for each. The rule's
// target has the role with an ARN.
func createTasks(t *testing.T, url, startRole string) *accounts.Account {
	t.Helper()
	a := accounts.Connect(url, prod, region)
	err := errors.Join(a.Cluster(t.Context(), "myproject_cluster_prod"), a.ScheduleGroup(t.Context(), taskGroup))
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, task := range []string{"report", "resize"} {
		repository := "myproject_task_" + task
		for _, tag := range []string{"v1", "v2"} {
			if _, err := a.Push(t.Context(), repository, tag, tag); err != nil {
				t.Fatal(err)
			}
		}
		image := prod + ".dkr.ecr.us-east-1.amazonaws.com/" + repository + ":v1"
		definition, err := a.Family(t.Context(), task, "myproject_container_"+task+"_prod", image,
			func(in *ecs.RegisterTaskDefinitionInput) {
				in.ExecutionRoleArn = aws.String(taskRole + "scheduler_" + task + "_task_execution_prod")
			})
		if err != nil {
			t.Fatal(err)
		}
		starts := map[string]string{"report": "myproject_scheduler_report_role_prod",
			"resize": startRole[strings.LastIndexByte(startRole, '/')+1:]}[task]
		const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:RunTask","Resource":%q},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}`
		if err := a.Role(t.Context(), starts, "events.amazonaws.com", fmt.Sprintf(policy,
			"arn:aws:ecs:us-east-1:"+prod+":task-definition/"+task+":*")); err != nil {
			t.Fatal(err)
		}
		held[task] = fmt.Sprintf(`"EcsParameters":{"TaskDefinitionArn":%q}`, definition)
	}
	err = errors.Join(
		a.Schedule(t.Context(), taskSchedule, fmt.Sprintf(`{"GroupName":%q,"FlexibleTimeWindow":{"Mode":"OFF"},
			"ScheduleExpression":"cron(0 3 * * ? *)","Target":{"Arn":%q,"RoleArn":%q,%s}}`, taskGroup, taskCluster,
			taskRole+"scheduler_report_role_prod", held["report"])),
		a.Rule(t.Context(), taskRule, fmt.Sprintf(`{"Id":"task","Arn":%q,"RoleArn":%q,%s}`, taskCluster,
			startRole, held["resize"])))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// taskHolders returns what the schedule and the rule's target of taskFile hold.
func taskHolders(t *testing.T, a *accounts.Account) string {
	t.Helper()
	schedule, err := a.ReadSchedule(t.Context(), taskGroup, taskSchedule)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := a.ReadTargets(t.Context(), taskRule)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, text := range []string{string(schedule), string(slices.Concat(targets...))} {
		_, held, _ := strings.Cut(text, "task-definition/")
		held, _, _ = strings.Cut(held, `"`)
		all = append(all, held)
	}
	return strings.Join(all, " ")
}

// TestRoleOfTasks deploys a scheduled task and an event-processor task with the template's role, and without each of
// the statements for schedules and rules: then the task that needs it is not moved, and the other one is.
func TestRoleOfTasks(t *testing.T) {
	t.Parallel()
	const notChecked = "not checked: iam:SimulatePrincipalPolicy is denied"
	for _, tt := range []struct{ without, denied, held string }{
		{"", "", "report:2 resize:2"},
		{"CheckPointerRoles", "", "report:2 resize:2"},
		{"MoveSchedules", "scheduler:GetSchedule", "report:1 resize:2"},
		{"PassScheduleRoles", "iam:PassRole", "report:1 resize:2"},
		{"ReadRuleTargets", "events:ListTargetsByRule", "report:2 resize:1"},
		{"MoveRuleTargets", "events:PutTargets", "report:2 resize:1"},
		{"PassRuleRoles", "iam:PassRole", "report:2 resize:1"},
	} {
		t.Run("without "+tt.without, func(t *testing.T) {
			t.Parallel()
			e, url := emulatortest.Start(t, emulator.Options{})
			a := createTasks(t, url, ruleRole)
			env, template := install(t, fmt.Sprintf(taskFile, prod))
			all := roleStatements(template)
			some := slices.DeleteFunc(slices.Clone(all), func(s any) bool {
				return fmt.Sprint(member(s, "Sid")) == tt.without
			})
			if tt.without != "" && len(some) != len(all)-1 {
				t.Fatalf("the role has %d statements %s", len(all)-len(some), tt.without)
			}
			e.SetRolePolicy(prod, "deployer", document(t, some))
			function, ctx := functionIn(t, url, prod, env)
			var failed error // of the one task that is denied
			doubts := 0
			for _, task := range []string{"report", "resize"} {
				result, err := function.Handle(ctx, deployTask(task))
				failed = cmp.Or(err, failed)
				if strings.Contains(fmt.Sprintf("%+v", result), notChecked) {
					doubts++
				}
			}
			if (tt.without == "CheckPointerRoles") != (doubts == 2) {
				t.Errorf("%d roles were not checked", doubts)
			}
			denied := fault.NameOf(failed) == "AccessDenied" &&
				strings.Contains(failed.Error(), "not authorized to perform: "+tt.denied)
			if (failed != nil) != (tt.denied != "") || failed != nil && !denied {
				t.Errorf("%v; want %q to be denied", failed, tt.denied)
			}
			if got := taskHolders(t, a); got != tt.held {
				t.Errorf("the pointers hold %s, want %s", got, tt.held)
			}
		})
	}
}

// deployTask returns a DEPLOY event of a task's image v2.
func deployTask(task string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"detail-type":"DEPLOY","source":"action.prod","time":%q,
		"detail":{"task":%[1]q,"tag":"v2"}}`, task, time.Now().UTC().Format(time.RFC3339))
}

// TestRoleOfTasksByName deploys a task whose rule's target has a role with an unconventional name. It is moved if the
// environment file or a parameter of the stack names the role; else the error says what to write.
func TestRoleOfTasksByName(t *testing.T) {
	t.Parallel()
	const named = taskRole + "events_prod"
	for _, tt := range []struct {
		name, more string
		settings   []string
		held, want string
	}{
		{"not named", "", nil, "report:1 resize:1", "write `start_role: myproject_events_prod` below " +
			"deployer.workloads.resize in environment.yaml, and update the stack, which then has it in the statement " +
			"PassRuleRoles: make deploy env=prod"},
		{"in the file", "deployer: {workloads: {resize: {start_role: myproject_events_prod}}}\n", nil,
			"report:1 resize:2", ""},
		{"by its ARN", "deployer: {workloads: {resize: {start_role: '" + named + "'}}}\n", nil, "report:1 " +
			"resize:2", ""},
		{"as a parameter", "", []string{"ExtraRoleArns=" + named}, "report:1 resize:2", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, url := emulatortest.Start(t, emulator.Options{})
			a := createTasks(t, url, named)
			env, template := install(t, fmt.Sprintf(taskFile, prod)+tt.more, tt.settings...)
			e.SetRolePolicy(prod, "deployer", document(t, roleStatements(template)))
			function, ctx := functionIn(t, url, prod, env)
			_, err := function.Handle(ctx, deployTask("resize"))
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if got := taskHolders(t, a); got != tt.held {
				t.Errorf("the pointers hold %s, want %s", got, tt.held)
			}
		})
	}
}
