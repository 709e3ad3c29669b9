package scheduler_test

import (
	"fmt"
	"strings"
	"testing"

	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestRunTask checks that a schedule runs its task as its role, with its network and its input.
func TestRunTask(t *testing.T) {
	t.Parallel()
	const arns = "arn:aws:ecs:us-east-1:" + account + ":"
	const events, dead = "arn:aws:sqs:us-east-1:" + account + ":events", "arn:aws:sqs:us-east-1:" + account + ":dead"
	may := policy(t, "ecs:RunTask", arns+"task-definition/job:*")
	for _, tt := range []struct {
		name, state string
		policies    []*iam.Document
		err         string
		runs        string // a part of the event of a task; "" for none
		dead        string // a part of the error of the dead letter
	}{
		{"allowed", "ENABLED", []*iam.Document{may}, "", `"overrides":{"containerOverrides":[{"name":"app",` +
			`"command":["sh"]}]}`, ""},
		{"denied", "ENABLED", []*iam.Document{policy(t, "sqs:SendMessage", dead)}, "", "",
			"no identity-based policy allows the ecs:RunTask action"},
		{"disabled", "DISABLED", []*iam.Document{may}, `schedule "s" of group "g" is disabled`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, account, "ecs:CreateCluster", `{"clusterName":"c"}`)
			w.Do(t, account, "ecs:RegisterTaskDefinition", `{"family":"job","networkMode":"awsvpc","containerDefinitions":[{
				"name":"app","image":"nginx","memory":128}]}`)
			w.Rule(t, account, `{"source":["aws.ecs"]}`, events, "")
			w.AWS.CreateScheduleGroup(account, "us-east-1", "g")
			w.AWS.SetRolePolicy(account, "retry", tt.policies...)
			body := fmt.Sprintf(`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"g","State":%q,
				"ScheduleExpression":"rate(1 hour)","Target":{"Arn":%q,"RoleArn":%q,"DeadLetterConfig":{"Arn":%q},
				"Input":"{\"containerOverrides\":[{\"name\":\"app\",\"command\":[\"sh\"]}]}",
				"EcsParameters":{"TaskDefinitionArn":%q,"NetworkConfiguration":{"awsvpcConfiguration":{"Subnets":["s-1"]}}}}}`,
				tt.state, arns+"cluster/c", role, dead, arns+"task-definition/job")
			if got := create(t, w.URL, "", "s", body); got != "" {
				t.Fatal(got)
			}
			err := w.AWS.RunSchedule(account, "us-east-1", "g", "s")
			if got := fmt.Sprint(err); err != nil && got != tt.err || err == nil && tt.err != "" {
				t.Errorf("%v, want %q", err, tt.err)
			}
			got := strings.Join(w.Bodies(t, events), "\n")
			if tt.runs == "" && got != "" || !strings.Contains(got, tt.runs) ||
				tt.runs != "" && !strings.Contains(got, `"startedBy":"chronos-schedule/s"`) {
				t.Errorf("events: %s\nwant %s", got, tt.runs)
			}
			letters := w.AWS.Queue(dead)
			if (len(letters) == 1) != (tt.dead != "") ||
				tt.dead != "" && !strings.Contains(letters[0].Attributes["ERROR_MESSAGE"], tt.dead) {
				t.Errorf("dead letters: %+v", letters)
			}
		})
	}
}
