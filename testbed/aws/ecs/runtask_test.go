package ecs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// jobRoles are the roles of the family job.
const (
	jobRoles = `,"taskRoleArn":"arn:aws:iam::111111111111:role/job_task","executionRoleArn":"job_execution"`
	arns     = "arn:aws:ecs:us-east-1:111111111111:"
)

// newJob returns an env with the cluster c and the family job, of two revisions with a tag. It runs nginx:one and :two.
func newJob(t *testing.T) *env {
	t.Helper()
	w := newEnv(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	for _, tag := range []string{"one", "two"} {
		w.Do(t, dev, "ecs:RegisterTaskDefinition", `{"family":"job","containerDefinitions":[{"name":"app",
			"image":"nginx:`+tag+`","memory":128}],"tags":[{"key":"team","value":"a"}]`+jobRoles+`}`)
	}
	return w
}

var taskID = regexp.MustCompile(`task/c/[0-9a-f]{32}`)

// bodies returns the events of ECS tasks, with their ids replaced, each as its time, the status and some members.
func (w *env) bodies(t *testing.T) (events []string) {
	t.Helper()
	for _, body := range w.Bodies(t, devQueue) {
		var event struct {
			Time   string
			Detail struct {
				LastStatus, StopCode, StoppedReason, StartedBy, Group, TaskDefinitionArn string

				Containers []struct {
					Name, Reason string
					ExitCode     *int
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			t.Fatal(err)
		}
		d := event.Detail
		line := strings.Join([]string{event.Time, d.LastStatus, d.Group, d.StartedBy,
			strings.TrimPrefix(d.TaskDefinitionArn, arns)}, " ")
		if d.StopCode != "" {
			line += fmt.Sprintf(" %s: %s", d.StopCode, d.StoppedReason)
		}
		for _, c := range d.Containers {
			if c.ExitCode != nil {
				line += fmt.Sprintf("; %s exited with %d", c.Name, *c.ExitCode)
			}
			if c.Reason != "" {
				line += "; " + c.Name + ": " + c.Reason
			}
		}
		events = append(events, line)
	}
	return events
}

// TestTaskEvents: a task that RunTask started is pending, runs and stops, and each is an event.
func TestTaskEvents(t *testing.T) {
	t.Parallel()
	pull := "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref " +
		registryImage + ":gone: " + registryImage + ":gone: not found"
	for _, tt := range []struct {
		name, image string
		want        []string
	}{
		{"a task that ends well", "nginx:fine", []string{
			"2026-01-22T09:30:00Z PENDING family:job me task-definition/job:3",
			"2026-01-22T09:31:00Z RUNNING family:job me task-definition/job:3",
			"2026-01-22T09:32:00Z STOPPED family:job me task-definition/job:3 EssentialContainerExited: Essential " +
				"container in task exited; app exited with 0",
		}},
		{"a task that fails", "nginx:broken", []string{
			"2026-01-22T09:30:00Z PENDING family:job me task-definition/job:3",
			"2026-01-22T09:31:00Z RUNNING family:job me task-definition/job:3",
			"2026-01-22T09:32:00Z STOPPED family:job me task-definition/job:3 EssentialContainerExited: Essential " +
				"container in task exited; app exited with 1",
		}},
		{"an image that is gone", registryImage + ":gone", []string{
			"2026-01-22T09:30:00Z PENDING family:job me task-definition/job:3",
			"2026-01-22T09:31:00Z STOPPED family:job me task-definition/job:3 TaskFailedToStart: " + pull + "; app: " +
				pull,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newJob(t)
			w.AWS.FailImage("broken")
			w.Register(t, dev, "job", tt.image)
			w.Rule(t, dev, `{"source":["aws.ecs"],"detail-type":["ECS Task State Change"]}`, devQueue, "")
			answer := w.Do(t, dev, "ecs:RunTask", `{"cluster":"c","taskDefinition":"job","startedBy":"me"}`)
			arn := taskID.FindString(answer)
			w.Clock.Advance(30 * time.Minute)
			w.AWS.Tick()
			if diff := cmp.Diff(tt.want, w.bodies(t)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			describe := `{"cluster":"c","tasks":["` + arns + arn + `"]}`
			if got := w.Do(t, dev, "ecs:DescribeTasks", describe); !strings.Contains(got, `"lastStatus":"STOPPED"`) {
				t.Error(got)
			}
			w.Clock.Advance(time.Hour)
			if got := w.Do(t, dev, "ecs:DescribeTasks", describe); !strings.Contains(got, `"MISSING"`) {
				t.Errorf("an hour later: %s", got)
			}
		})
	}
}

// TestRunTaskRefuses: what RunTask does not accept.
func TestRunTaskRefuses(t *testing.T) {
	t.Parallel()
	w := newJob(t)
	w.Do(t, dev, "ecs:RegisterTaskDefinition", `{"family":"net","networkMode":"awsvpc","containerDefinitions":[{
		"name":"app","image":"nginx","memory":128}]}`)
	w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"job:1"}`)
	for _, tt := range []struct{ name, more, want string }{
		{"no family", `"taskDefinition":"other"`, "ClientException: TaskDefinition not found."},
		{"an INACTIVE revision", `"taskDefinition":"job:1"`, "ClientException: TaskDefinition is inactive"},
		{"eleven tasks", `"taskDefinition":"job","count":11`,
			"InvalidParameterException: Count must be between 1 and 10."},
		{"both", `"taskDefinition":"job","launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"p"}]`,
			"InvalidParameterException: Specifying both a launch type and capacity provider strategy is not " +
				"supported. Remove one and try again."},
		{"no network", `"taskDefinition":"net"`, "InvalidParameterException: Network Configuration must be provided " +
			"when networkMode 'awsvpc' is specified."},
		{"not for Fargate", `"taskDefinition":"job","launchType":"FARGATE"`,
			"InvalidParameterException: Task definition does not support launch_type FARGATE."},
		{"another container", `"taskDefinition":"job","overrides":{"containerOverrides":[{"name":"web"}]}`,
			"InvalidParameterException: Override for container named web is not a container in the TaskDefinition."},
		{"a long token", `"taskDefinition":"job","clientToken":"` + strings.Repeat("t", 65) + `"`,
			"InvalidParameterException: clientToken is not valid."},
		{"no cluster", `"taskDefinition":"job","cluster":"other"`, "ClusterNotFoundException: Cluster not found."},
	} {
		body := `{` + tt.more + `}`
		if !strings.Contains(tt.more, `"cluster"`) {
			body = `{"cluster":"c",` + tt.more + `}`
		}
		status, answer := w.Raw(t, dev, "ecs:RunTask", body)
		var got struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusBadRequest {
			t.Fatalf("%s: %d %s", tt.name, status, answer)
		}
		if name := got.Type + ": " + got.Message; name != tt.want {
			t.Errorf("%s: got %s\nwant %s", tt.name, name, tt.want)
		}
	}
	w.AWS.FailRuns("RESOURCE:MEMORY")
	const failures = `{"failures":[{"arn":"` + arns + `cluster/c","reason":"RESOURCE:MEMORY"}],"tasks":[]}`
	got := w.Do(t, dev, "ecs:RunTask", `{"cluster":"c","taskDefinition":"job"}`)
	if diff := cmp.Diff(failures, strings.TrimSpace(got)); diff != "" {
		t.Error(diff)
	}
}

// TestRunTaskOnce: a client token starts tasks once.
func TestRunTaskOnce(t *testing.T) {
	t.Parallel()
	w := newJob(t)
	const run = `{"cluster":"c","taskDefinition":"job","clientToken":"t1"`
	run1 := taskID.FindString(w.Do(t, dev, "ecs:RunTask", run+`}`))
	w.Clock.Advance(time.Minute)
	if again := taskID.FindString(w.Do(t, dev, "ecs:RunTask", run+`}`)); again != run1 || again == "" {
		t.Errorf("again: %s, want %s", again, run1)
	}
	status, answer := w.Raw(t, dev, "ecs:RunTask", run+`,"count":2}`)
	if !strings.Contains(answer, "ConflictException") {
		t.Errorf("other parameters: %d %s", status, answer)
	}
	other := taskID.FindString(w.Do(t, dev, "ecs:RunTask", `{"cluster":"c","taskDefinition":"job"}`))
	if other == run1 {
		t.Error("the same task without a token")
	}
	w.Clock.Advance(25 * time.Hour)
	if other := taskID.FindString(w.Do(t, dev, "ecs:RunTask", run+`}`)); other == run1 {
		t.Error("the same task a day later")
	}
}

// TestRunTaskRights: which permissions of a role RunTask needs, as a call and as a rule and a schedule with that role.
func TestRunTaskRights(t *testing.T) {
	t.Parallel()
	const passed = `,"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`
	statement := func(action, resource, condition string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q%s}`, action, resource, condition)
	}
	anyRun := statement("ecs:RunTask", arns+"task-definition/job:*", "")
	pass := statement("iam:PassRole", "arn:aws:iam::111111111111:role/job_*", passed)
	tagging := statement("ecs:TagResource", arns+"task/c/*",
		`,"Condition":{"StringEquals":{"ecs:CreateAction":"RunTask"}}`)
	for _, tt := range []struct {
		name, definition, more string // members of RunTask
		policy                 []string
		denied                 string // the action
	}{
		{"all", "job", "", []string{anyRun, pass}, ""},
		{"one revision, which is the latest", "job", "",
			[]string{statement("ecs:RunTask", arns+"task-definition/job:2", ""), pass}, ""},
		{"an older revision", "job", "", []string{statement("ecs:RunTask", arns+"task-definition/job:1", ""), pass},
			"ecs:RunTask"},
		{"the family without a revision", "job", "", []string{statement("ecs:RunTask", arns+"task-definition/job", ""),
			pass}, "ecs:RunTask"},
		{"in another cluster", "job:1", "", []string{statement("ecs:RunTask", arns+"task-definition/job:*",
			`,"Condition":{"ArnEquals":{"ecs:cluster":"`+arns+`cluster/d"}}`), pass}, "ecs:RunTask"},
		{"no role", "job:1", "", []string{anyRun}, "iam:PassRole"},
		{"one of two roles", "job:1", "", []string{anyRun, statement("iam:PassRole",
			"arn:aws:iam::111111111111:role/job_task", passed)}, "iam:PassRole"},
		{"another role by overrides", "job:1", `,"overrides":{"taskRoleArn":"other"}`, []string{anyRun, pass},
			"iam:PassRole"},
		{"tags", "job:1", `,"propagateTags":"TASK_DEFINITION"`, []string{anyRun, pass}, "ecs:TagResource"},
		{"managed tags", "job:1", `,"enableECSManagedTags":true`, []string{anyRun, pass}, "ecs:TagResource"},
		{"own tags", "job:1", `,"tags":[{"key":"k","value":"v"}]`, []string{anyRun, pass}, "ecs:TagResource"},
		{"tags with permission", "job:1", `,"propagateTags":"TASK_DEFINITION"`, []string{anyRun, pass, tagging}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newJob(t)
			w.AWS.SetRolePolicy(dev, "runs", policy(t, tt.policy))
			status, answer := w.Raw(t, dev+"-runs", "ecs:RunTask",
				`{"cluster":"c","taskDefinition":"`+tt.definition+`"`+tt.more+`}`)
			denied := "perform: " + tt.denied + " on"
			if (tt.denied == "") != (status == http.StatusOK) || tt.denied != "" && !strings.Contains(answer, denied) {
				t.Errorf("called: %d %s", status, answer)
			}
			if strings.Contains(tt.more, `"tags"`) || strings.Contains(tt.more, "overrides") {
				return // the targets below have none
			}
			w.Rule(t, dev, `{"source":["aws.ecs"],"detail-type":["ECS Task State Change"],"detail":{"lastStatus":[
				"PENDING"]}}`, devQueue, "")
			w.Do(t, dev, "events:PutRule", `{"Name":"uploads","EventPattern":"{\"source\":[\"app\"]}"}`)
			capitals := strings.NewReplacer("propagateTags", "PropagateTags", "enableECS", "EnableECS")
			w.Do(t, dev, "events:PutTargets", `{"Rule":"uploads","Targets":[{"Id":"t","Arn":"`+arns+`cluster/c",
				"RoleArn":"arn:aws:iam::111111111111:role/runs","EcsParameters":{"TaskDefinitionArn":"`+arns+
				"task-definition/"+tt.definition+`"`+capitals.Replace(tt.more)+`},
				"DeadLetterConfig":{"Arn":"arn:aws:sqs:us-east-1:111111111111:dead"}}]}`)
			w.Do(t, dev, "events:PutEvents", `{"Entries":[{"Source":"app","DetailType":"d","Detail":"{}"}]}`)
			events, dead := w.bodies(t), w.AWS.Queue("arn:aws:sqs:us-east-1:111111111111:dead")
			if tt.denied != "" && (len(events) > 0 || len(dead) != 1) {
				t.Errorf("as a rule: %q, dead letters %+v", events, dead)
			}
			number := map[string]string{"job": "job:2", "job:1": "job:1"}[tt.definition]
			want := []string{"2026-01-22T09:30:00Z PENDING family:job events-rule/uploads task-definition/" + number}
			if diff := cmp.Diff(want, events); tt.denied == "" && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// policy returns a policy with statements.
func policy(t *testing.T, statements []string) *iam.Document {
	t.Helper()
	return emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
}
