package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	must(t, c.account.Role(t.Context(), "tasks", "scheduler.amazonaws.com", `{"Version":"2012-10-17","Statement":[{`+
		`"Effect":"Allow","Action":["ecs:RunTask","iam:PassRole"],"Resource":"*"}]}`))
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

// members returns the members of a schedule that a person sets.
func members(t *testing.T, schedule string) (all map[string]any) {
	t.Helper()
	must(t, json.Unmarshal([]byte(schedule), &all))
	for _, of := range []string{"Arn", "CreationDate", "LastModificationDate"} {
		delete(all, of)
	}
	return all
}
