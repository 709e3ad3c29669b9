package doctor

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

const (
	pointerCluster = "arn:aws:ecs:us-east-1:111111111111:cluster/myproject_cluster_dev"
	definitions    = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
	startsBy       = "schedule/jobs/nightly"
)

// revise registers a revision of the task's family with an image, and with the journal of a deployment of a tag unless
// that is empty.
func (x *fixture) revise(t *testing.T, image, tag, service string) {
	t.Helper()
	_, err := x.accounts["dev"].Family(t.Context(), "nightly-report", "c", image,
		func(in *ecs.RegisterTaskDefinitionInput) {
			for key, value := range map[string]string{"event-id": "e", "event-time": "2026-01-22T10:00:00Z", "tag": tag,
				"service": service} {
				if tag != "" {
					in.Tags = append(in.Tags, types.Tag{Key: aws.String("deployer:" + key), Value: aws.String(value)})
				}
			}
		})
	must(t, err)
}

// TestPointer checks the findings about what starts a task.
func TestPointer(t *testing.T) {
	t.Parallel()
	const (
		cron = `"ScheduleExpression":"cron(0 3 * * ? *)",`
		host = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report:"
		own  = "myproject_cluster_dev/task:nightly-report"
		name = ` (name the right one in deployer.workloads.nightly-report.schedule in dev.yaml, or its family in ` +
			`deployer.workloads.nightly-report.family)`
		reading = `reading schedule "nightly" in group "jobs", which starts task "nightly-report": `
		letters = "ok dead letters: " + startsBy + " has no dead-letter queue: a run that AWS could not start is " +
			"only counted, in a metric"
		starts = "ok pointer: " + startsBy + " starts revision 1 of nightly-report"
		later  = " → give it a later end, or delete the schedule and the task of the environment file"
		target = `{"Id":"task","Arn":"` + pointerCluster + `","RoleArn":"r","EcsParameters":{"TaskDefinitionArn":"` +
			definitions + `nightly-report:1"}}`
		rule = "ok pointer: rule/starts/task starts revision 1 of nightly-report"
		none = "ok dead letters: rule/starts/task has no dead-letter queue: a run that AWS could not start is only " +
			"counted, in a metric"
	)
	inactive := func(t *testing.T, x *fixture) {
		t.Helper()
		x.revise(t, host+"v2", "", "")
		_, err := x.accounts["dev"].ECS.DeregisterTaskDefinition(t.Context(),
			&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("nightly-report:1")})
		must(t, err)
	}
	for _, tt := range []struct {
		name     string
		schedule string // the body; "" for none
		revise   func(t *testing.T, x *fixture)
		change   func(t *testing.T, x *fixture)
		rule     string // its target; "" for the schedule
		want     []string
	}{
		{name: "missing", want: []string{"problem pointer: " + reading + `schedule "nightly" in group "jobs" does ` +
			`not exist → create it with the infrastructure, or correct deployer.workloads.nightly-report.schedule in ` +
			`dev.yaml`}},
		{name: "another family", schedule: schedule(definitions+"other:1", cron, ""), want: []string{
			"problem pointer: " + reading + `it starts family "other", not "nightly-report"` + arrow(name)}},
		{name: "another cluster", schedule: strings.Replace(schedule(definitions+"nightly-report:1", cron, ""),
			"cluster_dev", "cluster_other", 1), want: []string{"problem pointer: " + reading +
			`its target is "arn:aws:ecs:us-east-1:111111111111:cluster/myproject_cluster_other", not cluster ` +
			`"myproject_cluster_dev"` + arrow(name)}},
		{name: "at(…) in the past",
			schedule: schedule(definitions+"nightly-report:1", `"ScheduleExpression":"at(2020-01-01T00:00:00)",`, ""),
			want: []string{"problem pointer: moving" + strings.TrimPrefix(reading, "reading") + "it is a one-time " +
				"schedule, and at(2020-01-01T00:00:00) is over: AWS may run it again when it is changed → delete the " +
				"schedule, or give it a time to come", letters}},
		{name: "at(…) in the past, which floats",
			schedule: schedule(definitions+"nightly-report", `"ScheduleExpression":"at(2020-01-01T00:00:00)",`, ""),
			want: []string{"warning pointer: " + startsBy + " starts the newest revision of nightly-report; its " +
				"at(2020-01-01T00:00:00) is over: it is ENABLED, and never runs again" + later, letters}},
		{name: "a rate with a StartDate",
			schedule: schedule(definitions+"nightly-report:1", `"ScheduleExpression":"rate(1 hour)",`, ""),
			change: func(t *testing.T, x *fixture) {
				t.Helper()
				_, err := x.accounts["dev"].Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", schedule(
					definitions+"nightly-report:1", `"ScheduleExpression":"rate(1 hour)","StartDate":1600000000,`, ""))
				must(t, err)
			},
			want: []string{"warning pointer: " + startsBy + " is rate(1 hour), which counts from a StartDate that is " +
				"over: a deployment is refused if AWS does not take that date back → give it a later StartDate, or " +
				"write a cron(…)", starts, letters}},
		{name: "a rate with a StartDate, which floats",
			schedule: schedule(definitions+"nightly-report", `"ScheduleExpression":"rate(1 hour)",`, ""),
			change: func(t *testing.T, x *fixture) {
				t.Helper()
				_, err := x.accounts["dev"].Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", schedule(
					definitions+"nightly-report", `"ScheduleExpression":"rate(1 hour)","StartDate":1600000000,`, ""))
				must(t, err)
			},
			want: []string{"ok pointer: " + startsBy + " starts the newest revision of nightly-report", letters}},
		{name: "a rate with a StartDate and an EndDate that are over",
			schedule: schedule(definitions+"nightly-report:1", `"ScheduleExpression":"rate(1 hour)",`, ""),
			change: func(t *testing.T, x *fixture) {
				t.Helper()
				_, err := x.accounts["dev"].Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", schedule(
					definitions+"nightly-report:1",
					`"ScheduleExpression":"rate(1 hour)","StartDate":1500000000,"EndDate":1600000000,`, ""))
				must(t, err)
			},
			want: []string{"warning pointer: " + startsBy + " is rate(1 hour), which counts from a StartDate that is " +
				"over: a deployment is refused if AWS does not take that date back → give it a later StartDate, or " +
				"write a cron(…)", "warning" + strings.TrimPrefix(starts, "ok") + "; its EndDate is " +
				"2020-09-13T12:26:40Z: it is ENABLED, and never runs again" + later, letters}},
		{name: "disabled, with a queue", schedule: schedule(definitions+"nightly-report:1", cron+`"State":"DISABLED",`,
			`,"DeadLetterConfig":{"Arn":"arn:aws:sqs:us-east-1:111111111111:late"}`),
			want: []string{starts + "; it is DISABLED: a deployment moves it, and it stays disabled",
				"ok dead letters: runs that " + startsBy + " could not start go to " +
					"arn:aws:sqs:us-east-1:111111111111:late"}},
		{name: "an input for another container", schedule: schedule(definitions+"nightly-report:1", cron,
			`,"Input":"{\"containerOverrides\":[{\"name\":\"c\"},{\"name\":\"app\"}]}"`),
			want: []string{starts, letters, "problem pointer: the input of " + startsBy + " overrides the container " +
				"\"app\", which " + definitions + "nightly-report:1 does not have: no run of it starts → correct the " +
				"input, with the infrastructure; to see it: aws scheduler get-schedule --group-name jobs --name " +
				"nightly --region us-east-1"}},
		{name: "ended",
			schedule: schedule(definitions+"nightly-report:1", cron+`"EndDate":1600000000,`, ""),
			want: []string{"warning" + strings.TrimPrefix(starts, "ok") + "; its EndDate is 2020-09-13T12:26:40Z: it " +
				"is ENABLED, and never runs again" + later, letters}},
		{name: "a cron of a year that is over",
			schedule: schedule(definitions+"nightly-report:1", `"ScheduleExpression":"cron(0 3 1 1 ? 2025)",`, ""),
			want: []string{"warning" + strings.TrimPrefix(starts, "ok") + "; its cron(0 3 1 1 ? 2025) is over: it is " +
				"ENABLED, and never runs again" + later, letters}},
		{name: "ended, and disabled", schedule: schedule(definitions+"nightly-report:1",
			cron+`"EndDate":1600000000,"State":"DISABLED",`, ""),
			want: []string{starts + "; it is DISABLED: a deployment moves it, and it stays disabled", letters}},
		{name: "denied", schedule: schedule(definitions+"nightly-report:1", cron, ""),
			change: func(_ *testing.T, x *fixture) {
				x.aws.Inject(emulator.Fault{Operation: "scheduler:GetSchedule", Error: emulator.AccessDenied(
					"User: u is not authorized to perform: scheduler:GetSchedule")})
			},
			want: []string{"unknown pointer: not checked, access denied: User: u is not authorized to perform: " +
				"scheduler:GetSchedule"}},
		{name: "a floating one whose family another environment deploys to",
			schedule: schedule(definitions+"nightly-report", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				x.revise(t, host+"v1", "v1", own)
				x.revise(t, host+"v2", "v2", "myproject_cluster_qa/task:nightly-report")
			},
			want: []string{"ok pointer: " + startsBy + " starts the newest revision of nightly-report", letters,
				"problem family: " + startsBy + ` starts every new revision of family "nightly-report", and ` +
					definitions + "nightly-report:2 was registered for another task → write the number of a revision " +
					"into the pointer, or give each environment a family of its own: " +
					"deployer.workloads.nightly-report.family"}},
		{name: "a pinned one whose family another environment deploys to",
			schedule: schedule(definitions+"nightly-report:1", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				x.revise(t, host+"v1", "v1", own)
				x.revise(t, host+"v2", "v2", "myproject_cluster_qa/task:nightly-report")
			},
			want: []string{starts, letters}},
		{name: "another image than the journal says", schedule: schedule(definitions+"nightly-report:1", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				x.revise(t, host+"v1", "", "")
				x.revise(t, host+"v2", "v2", own)
			},
			want: []string{starts, letters, "warning journal: " + startsBy + " starts revision 1 (v1), and the " +
				"newest deployment is revision 2 (v2) → another tool moved it, or the deployment is not complete: " +
				"deployer history -f dev.yaml task:nightly-report"}},
		{name: "the same image as the journal says", schedule: schedule(definitions+"nightly-report:1", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				x.revise(t, host+"v2", "v2", own)
				x.revise(t, host+"v2", "v2", own)
			},
			want: []string{starts, letters}},
		{name: "a revision that was deregistered", schedule: schedule(definitions+"nightly-report:1", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				inactive(t, x)
				x.revise(t, host+"v2", "", "")
			},
			want: []string{starts, letters, "problem journal: " + startsBy + " starts " + definitions +
				"nightly-report:1, which is INACTIVE: no run starts → deploy again: deployer redeploy -f dev.yaml " +
				"task:nightly-report"}},
		{name: "no ACTIVE revision", schedule: schedule(definitions+"nightly-report:1", cron, ""), revise: inactive,
			want: []string{starts, letters, "problem journal: " + startsBy + " starts " + definitions +
				"nightly-report:1, which is INACTIVE: no run starts → deploy again: deployer redeploy -f dev.yaml " +
				"task:nightly-report"}},
		{name: "no ACTIVE revision to start", schedule: schedule(definitions+"nightly-report", cron, ""),
			revise: inactive,
			want: []string{"ok pointer: " + startsBy + " starts the newest revision of nightly-report", letters,
				"problem journal: " + startsBy + " starts the newest revision of nightly-report, and none is ACTIVE: " +
					"no run starts, and deployments have none to clone → register one, with the infrastructure"}},
		{name: "a revision that does not exist", schedule: schedule(definitions+"nightly-report:7", cron, ""),
			revise: func(t *testing.T, x *fixture) { t.Helper(); x.revise(t, host+"v2", "v2", own) },
			want: []string{"ok pointer: " + startsBy + " starts revision 7 of nightly-report", letters,
				"problem journal: " + startsBy + " starts " + definitions + "nightly-report:7, which does not exist: " +
					"no run starts → deploy an image: deployer deploy -f dev.yaml task:nightly-report TAG"}},
		{name: "different images of the repository in the newest revision",
			schedule: schedule(definitions+"nightly-report:1", cron, ""),
			revise: func(t *testing.T, x *fixture) {
				t.Helper()
				x.revise(t, host+"v1", "", "")
				_, err := x.accounts["dev"].Family(t.Context(), "nightly-report", "php", host+"v1",
					func(in *ecs.RegisterTaskDefinitionInput) {
						in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
							Name: aws.String("nginx"), Image: aws.String(host + "v2")})
					})
				must(t, err)
			},
			want: []string{starts, letters, "problem container: deployments clone revision 2, the newest, and are " +
				"refused: choosing the container of task definition \"" + definitions + "nightly-report:2\" that " +
				"runs \"myproject_task_nightly-report\": 2 containers run different images of it: php (" + host +
				"v1), nginx (" + host + "v2) → name the one that deployments change, or those of one image: for " +
				"example, write into dev.yaml below deployer: workloads: {task:nightly-report: {container: [php]}}"}},
		{name: "a rule", rule: target, want: []string{rule, none}},
		{name: "a managed rule", rule: target,
			change: func(_ *testing.T, x *fixture) {
				x.aws.ManageRule(accounts.Dev, accounts.Region, "starts", "autoscaling.amazonaws.com")
			},
			want: []string{rule, none, "problem pointer: rule/starts is managed by autoscaling.amazonaws.com, and " +
				"AWS lets no one else change its targets → start the task by a rule of your own"}},
		{name: "a managed rule whose target floats", rule: strings.Replace(target, "report:1", "report", 1),
			change: func(_ *testing.T, x *fixture) {
				x.aws.ManageRule(accounts.Dev, accounts.Region, "starts", "autoscaling.amazonaws.com")
			},
			want: []string{"ok pointer: rule/starts/task starts the newest revision of nightly-report", none}},
		{name: "a disabled rule", rule: target,
			change: func(t *testing.T, x *fixture) {
				t.Helper()
				_, err := x.accounts["dev"].Send(t.Context(), "POST", "events", "", "AWSEvents.PutRule",
					`{"Name":"starts","State":"DISABLED","EventPattern":"{\"source\":[\"example\"]}"}`)
				must(t, err)
			},
			want: []string{rule, none,
				"ok pointer: rule/starts is DISABLED: a deployment moves its target, and it stays disabled"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			a, env := x.accounts["dev"], load(t, "dev")
			must(t, a.ScheduleGroup(t.Context(), "jobs"))
			if tt.revise == nil {
				x.revise(t, host+"v1", "", "")
			} else {
				tt.revise(t, x)
			}
			pointers := environment.TaskPointers(startsBy)
			if tt.rule != "" {
				pointers = "rule/starts"
				must(t, a.Rule(t.Context(), "starts", tt.rule))
			} else if tt.schedule != "" {
				must(t, a.Schedule(t.Context(), "nightly", tt.schedule))
			}
			for i := range env.Workloads {
				if env.Workloads[i].Name == "nightly-report" {
					env.Workloads[i].Pointers = pointers
				}
			}
			if tt.change != nil {
				tt.change(t, x)
			}
			report, err := Examine(t.Context(), env, a.Config, []string{"task:nightly-report"})
			must(t, err)
			var got []string
			for _, line := range report.lines("") {
				_, check, _ := strings.Cut(line, " ")
				for _, about := range []string{"pointer: ", "dead letters: ", "family: ", "journal: ",
					"container: "} {
					if strings.HasPrefix(check, about) {
						if before, _, ok := strings.Cut(line, " → to have it checked"); ok {
							line = before
						}
						got = append(got, line)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
