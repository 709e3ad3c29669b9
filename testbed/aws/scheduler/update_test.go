package scheduler_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// send makes a call as a role, "" for the administrator, and returns the answer's body, or the name of the error.
func send(t *testing.T, method, url, caller, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+caller+
		"/20260122/us-east-1/scheduler/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if name := answer.Header.Get("X-Amzn-ErrorType"); name != "" {
		return name
	}
	return string(text)
}

const (
	task = `"Target":{"Arn":"arn:aws:ecs:us-east-1:333333333333:cluster/c","RoleArn":"` + role + `",` +
		`"EcsParameters":{"TaskDefinitionArn":"arn:aws:ecs:us-east-1:333333333333:task-definition/report:1",` +
		`"NewMember":{"a":1.0}},"Input":"{\"a\":  1}"}`
	full = `{"ActionAfterCompletion":"DELETE","Description":"d","EndDate":1800000000,"FlexibleTimeWindow":` +
		`{"Mode":"FLEXIBLE","MaximumWindowInMinutes":5},"GroupName":"g","KmsKeyArn":"k","ScheduleExpression":` +
		`"cron(0 3 * * ? *)","ScheduleExpressionTimezone":"Europe/Zurich","StartDate":1769076000.5,` +
		`"State":"DISABLED",` + task + `}`
	least = `{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"g","ScheduleExpression":"rate(1 hour)",` + task + `}`
	was   = `"ActionAfterCompletion":"DELETE","Arn":"arn:aws:scheduler:us-east-1:333333333333:schedule/g/s",` +
		`"CreationDate":1769076000,"Description":"d","EndDate":1800000000,"FlexibleTimeWindow":{"Mode":"FLEXIBLE",` +
		`"MaximumWindowInMinutes":5},"GroupName":"g","KmsKeyArn":"k","LastModificationDate":1769076000,"Name":"s",` +
		`"ScheduleExpression":"cron(0 3 * * ? *)","ScheduleExpressionTimezone":"Europe/Zurich",` +
		`"StartDate":1769076000.5,"State":"DISABLED",`
	is = `"ActionAfterCompletion":"NONE","Arn":"arn:aws:scheduler:us-east-1:333333333333:schedule/g/s",` +
		`"CreationDate":1769076000,"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"g",` +
		`"LastModificationDate":1769076000,"Name":"s","ScheduleExpression":"rate(1 hour)",` +
		`"ScheduleExpressionTimezone":"UTC","State":"ENABLED",`
	filled = `"Target":{"Arn":"arn:aws:ecs:us-east-1:333333333333:cluster/c","EcsParameters":{"TaskDefinitionArn":` +
		`"arn:aws:ecs:us-east-1:333333333333:task-definition/report:1","NewMember":{"a":1.0}},"Input":"{\"a\":  1}",` +
		`"RetryPolicy":{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185},"RoleArn":"` + role + `"}`
)

// TestUpdate checks that a schedule is returned as it was sent, and that an update resets what it does not send.
func TestUpdate(t *testing.T) {
	t.Parallel()
	clock := emulator.NewClock(start)
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	e.CreateScheduleGroup(account, "us-east-1", "g")
	e.SetRolePolicy(account, "passless", policy(t, "scheduler:*", "*"))
	path := url + "/schedules/s"
	for _, step := range []struct{ name, method, path, caller, body, want string }{
		{"create", "POST", path, "", full,
			`{"ScheduleArn":"arn:aws:scheduler:us-east-1:333333333333:schedule/g/s"}`},
		{"get", "GET", path + "?groupName=g", "", "", "{" + was + filled + "}"},
		{"get of the default group", "GET", path, "", "", "ResourceNotFoundException"},
		{"a role that may not pass the target's", "PUT", path, "-passless", least, "AccessDeniedException"},
		{"without a target", "PUT", path, "", `{"ScheduleExpression":"rate(1 hour)"}`, "ValidationException"},
		{"no expression", "PUT", path, "", strings.Replace(least, "rate(1 hour)", "hourly", 1), "ValidationException"},
		{"no task definition", "PUT", path, "", strings.Replace(least, "TaskDefinitionArn", "X", 1),
			"ValidationException"},
		{"no group", "PUT", path, "", strings.Replace(least, `"g"`, `"h"`, 1), "ResourceNotFoundException"},
		{"another schedule", "PUT", path + "2", "", least, "ResourceNotFoundException"},
		{"update", "PUT", path, "", least, `{"ScheduleArn":"arn:aws:scheduler:us-east-1:333333333333:schedule/g/s"}`},
		{"get what is left", "GET", path + "?groupName=g", "", "", "{" + is + filled + "}"},
		{"a start in the past", "POST", path + "2", "", strings.Replace(full, "1769076000.5", "1769075600", 1),
			"ValidationException"},
		{"delete another", "DELETE", path + "2?groupName=g", "", "", "ResourceNotFoundException"},
		{"delete", "DELETE", path + "?groupName=g", "", "", "{}"},
		{"get what was deleted", "GET", path + "?groupName=g", "", "", "ResourceNotFoundException"},
	} {
		got := send(t, step.method, step.path, step.caller, step.body)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
