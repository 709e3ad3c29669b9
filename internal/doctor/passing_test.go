package doctor

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// TestPassing checks that a schedule is found whose role the deployer may not pass again when
// it moves the schedule.
func TestPassing(t *testing.T) {
	t.Parallel()
	const (
		own = "arn:aws:iam::111111111111:role/myproject_deployer_dev"
		by  = "schedule/myproject-schedule-group-dev-nightly-report/myproject-scheduler-nightly-report-dev"
	)
	for _, tt := range []struct {
		role, holds string
		want        []Finding
	}{
		{"myproject_scheduler_nightly-report_role_dev", "nightly-report:1", nil},
		{"ecsEventsRole", "nightly-report", nil}, // it is never written
		{"ecsEventsRole", "nightly-report:1", []Finding{{"deployer's role", "task:nightly-report", Problem,
			"the policies of " + own + " do not allow it to pass arn:aws:iam::111111111111:role/ecsEventsRole, with " +
				"which " + by + " starts the task: a deployment would not move it",
			"write `start_role: ecsEventsRole` below " +
				"deployer.workloads.nightly-report in dev.yaml, and update the stack, which then has it in the " +
				"statement PassScheduleRoles: make deploy env=dev"}}},
	} {
		t.Run(tt.role+" "+tt.holds, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			must(t, cloud.CreateTasks(t.Context(), x.accounts))
			dev := x.accounts["dev"]
			_, err := dev.Send(t.Context(), "PUT", "scheduler", "schedules/"+cloud.Schedule("dev"), "", fmt.Sprintf(
				`{"GroupName":%q,"FlexibleTimeWindow":{"Mode":"OFF"},"ScheduleExpression":"rate(1 day)","Target":{
				"Arn":"arn:aws:ecs:us-east-1:%s:cluster/%s","RoleArn":"arn:aws:iam::%[2]s:role/%[4]s","EcsParameters":{
				"TaskDefinitionArn":"arn:aws:ecs:us-east-1:%[2]s:task-definition/%[5]s"}}}`,
				cloud.ScheduleGroup("dev"), accounts.Dev, cloud.ClusterName("dev"), tt.role, tt.holds))
			must(t, err)
			report, err := Examine(t.Context(), load(t, "dev"), dev.Config, nil)
			must(t, err)
			var got []Finding
			for _, f := range report.Findings {
				if f.Check == "deployer's role" && f.Service == "task:nightly-report" {
					got = append(got, f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
