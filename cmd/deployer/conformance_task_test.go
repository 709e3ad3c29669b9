package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
)

// mayRun is the policy of a role that starts tasks.
const mayRun = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:RunTask","iam:PassRole"],` +
	`"Resource":"*"}]}`

// TestConformanceOfTasks deploys a scheduled task and an event-processor task: the schedule and the target of the rule
// hold the new revision, and the members that are not changed are as they were.
//
// moto 5.2 is no second implementation of the rest: its UpdateSchedule forgets ActionAfterCompletion and never
// conflicts, its PutTargets has no failed entries and no managed rules, and it has no policy simulator, so that the
// role that starts a task is not checked there.
func TestConformanceOfTasks(t *testing.T) {
	t.Parallel()
	c := newConformance(t, "tasks")
	const group, name = "tasks-schedule-group-dev-nightly", "tasks-scheduler-nightly-dev"
	const rule = "tasks_rule_uploads_dev"
	cluster := "arn:aws:ecs:us-east-1:" + c.account.ID + ":cluster/" + c.cluster
	target := func(definition string) string {
		return fmt.Sprintf(`"Arn":%q,"RoleArn":"arn:aws:iam::%s:role/tasks","Input":"{\"a\":  1}","EcsParameters":{`+
			`"TaskDefinitionArn":%q,"TaskCount":2,"LaunchType":"EC2"}`, cluster, c.account.ID, definition)
	}
	definition := func(family string, revision int) string {
		return fmt.Sprintf("arn:aws:ecs:us-east-1:%s:task-definition/%s:%d", c.account.ID, family, revision)
	}
	for _, task := range []string{"nightly", "uploads"} {
		_, err := c.account.PushManifest(t.Context(), "amd64", "tasks_task_"+task, task, "v2")
		must(t, err)
		_, err = c.account.Family(t.Context(), task, "app", c.account.ID+".dkr.ecr.us-east-1.amazonaws.com/tasks_task_"+
			task+":v1")
		must(t, err)
	}
	must(t, c.account.Role(t.Context(), "tasks", "scheduler.amazonaws.com", mayRun))
	must(t, c.account.ScheduleGroup(t.Context(), group))
	must(t, c.account.Schedule(t.Context(), name, fmt.Sprintf(`{"GroupName":%q,"FlexibleTimeWindow":{`+
		`"Mode":"FLEXIBLE","MaximumWindowInMinutes":5},"ScheduleExpression":"cron(0 3 * * ? *)",`+
		`"ScheduleExpressionTimezone":"Europe/Zurich","State":"DISABLED","Description":"d","Target":{%s}}`, group,
		target(definition("nightly", 1)))))
	must(t, c.account.Rule(t.Context(), rule, `{"Id":"task",`+target(definition("uploads", 1))+`}`,
		`{"Id":"other","Arn":"arn:aws:sqs:us-east-1:`+c.account.ID+`:other"}`))
	held := func() (schedule string, targets []string) {
		raw, err := c.account.ReadSchedule(t.Context(), group, name)
		must(t, err)
		all, err := c.account.ReadTargets(t.Context(), rule)
		must(t, err)
		for _, one := range all {
			targets = append(targets, string(one))
		}
		slices.Sort(targets) // they have no order
		return string(raw), targets
	}
	schedule, targets := held()
	const sent = `{"services":["task:nightly","task:uploads"],"tag":"v2"}`
	for i, want := range []string{"deployed", "unchanged"} {
		if status, reason := c.send(t, fmt.Sprint("e", i), sent); status != want {
			t.Errorf("%s: %s, want %s", status, reason, want)
		}
	}
	movedSchedule, movedTargets := held()
	for i := range targets {
		targets[i] = strings.Replace(targets[i], definition("uploads", 1), definition("uploads", 2), 1)
	}
	if diff := cmp.Diff(targets, movedTargets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	want := strings.Replace(schedule, definition("nightly", 1), definition("nightly", 2), 1)
	if diff := cmp.Diff(members(t, want), members(t, movedSchedule)); diff != "" {
		t.Errorf("schedule (-want +got):\n%s", diff)
	}
	for _, missing := range []string{"missing", "unruled"} {
		_, err := c.account.PushManifest(t.Context(), "amd64", "tasks_task_"+missing, missing, "v2")
		must(t, err)
	}
	for _, tt := range []struct{ detail, status, reason string }{
		{`{"task":"nightly","tag":"v9"}`, "rejected", `looking for tag "v9" in ECR repository `},
		{`{"services":["task:nightly","backend"],"tag":"v9"}`, "rejected", `backend: looking for tag "v9" `},
		{`{"task":"missing","tag":"v2"}`, "", "PointerNotFound"},
		{`{"task":"unruled","tag":"v2"}`, "", "PointerNotFound"},
	} {
		if status, reason := c.send(t, "e"+tt.detail, tt.detail); status != tt.status ||
			!strings.Contains(reason, tt.reason) {
			t.Errorf("%s: %q: %s", tt.detail, status, reason)
		}
	}
}

// TestConformanceOfTaskForms deploys a task twice and rolls it back; then its target floats, and then it starts
// another family.
func TestConformanceOfTaskForms(t *testing.T) {
	t.Parallel()
	c := newConformance(t, "forms")
	const rule = "forms_rule_resize_dev"
	ours := "arn:aws:ecs:us-east-1:" + c.account.ID + ":"
	for _, tag := range []string{"v2", "v3"} {
		_, err := c.account.PushManifest(t.Context(), "amd64", "forms_task_resize", "forms "+tag, tag)
		must(t, err)
	}
	for _, family := range []string{"resize", "resizes"} {
		_, err := c.account.Family(t.Context(), family, "app", c.account.ID+
			".dkr.ecr.us-east-1.amazonaws.com/forms_task_resize:v1")
		must(t, err)
	}
	must(t, c.account.Role(t.Context(), "forms", "events.amazonaws.com", mayRun))
	held := func() string {
		all, err := c.account.ReadTargets(t.Context(), rule)
		must(t, err)
		_, definition, _ := strings.Cut(string(all[0]), ":task-definition/")
		definition, _, _ = strings.Cut(definition, `"`)
		return definition
	}
	for i, tt := range []struct{ starts, detail, status, holds string }{
		{"resize:1", `{"task":"resize","tag":"v2"}`, "deployed", "resize:2"},
		{"", `{"task":"resize","tag":"v3"}`, "deployed", "resize:3"},
		{"", `{"task":"resize","action":"rollback"}`, "deployed", "resize:4"},
		{"", `{"task":"resize","tag":"v2"}`, "unchanged", "resize:4"},
		{"resize", `{"task":"resize","tag":"v3"}`, "deployed", "resize"},
		{"resizes:1", `{"task":"resize","tag":"v2"}`, "", "resizes:1"},
	} {
		if tt.starts != "" {
			must(t, c.account.Rule(t.Context(), rule, fmt.Sprintf(`{"Id":"task","Arn":%q,"RoleArn":%q,`+
				`"EcsParameters":{"TaskDefinitionArn":%q}}`, ours+"cluster/"+c.cluster,
				"arn:aws:iam::"+c.account.ID+":role/forms", ours+"task-definition/"+tt.starts)))
		}
		status, reason := c.send(t, fmt.Sprint("e", i), tt.detail)
		if got := held(); status != tt.status || got != tt.holds || status == "" &&
			!strings.HasPrefix(reason, "PointerUnusable") {
			t.Errorf("%d. %s: %q, and the target holds %s; want %q, %s: %s", i, tt.detail, status, got, tt.status,
				tt.holds, reason)
		}
	}
	newest, err := c.account.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String("resize")})
	must(t, err)
	// Revision 5 notes the choice of the image that ran already.
	if got := newest.TaskDefinition.Revision; got != 6 {
		t.Errorf("the floating target runs revision %d, want 6", got)
	}
}

// members returns the members of a schedule that a person sets.
func members(t *testing.T, schedule string) (all map[string]any) {
	t.Helper()
	must(t, json.Unmarshal([]byte(schedule), &all))
	for _, of := range []string{"Arn", "CreationDate", "LastModificationDate"} {
		delete(all, of)
	}
	return all
}
