package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// oddCase is an event that is handled while an operation has an odd answer.
type oddCase struct {
	name    string
	world   oddOptions
	prepare func(*testing.T, *oddWorld) (event string)
	// statuses are those with which the event may be handled in spite of odd answers.
	statuses []ecsdeploy.Status
	only     []string // the operations whose answers are replaced; nil for all
}

var (
	deployed = []ecsdeploy.Status{ecsdeploy.Deployed}
	followed = []ecsdeploy.Status{ecsdeploy.Followed}
)

var oddCases = []oddCase{
	{"deploy", oddOptions{noAccount: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.push(t, "v2")
		return w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v2"}`)
	}, deployed, nil},
	{"roll back", oddOptions{}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.deploy(t)
		time.Sleep(10 * time.Minute)
		w.aws.Tick()
		w.mustHandle(t, w.rollout(t, "SERVICE_DEPLOYMENT_COMPLETED"))
		if _, err := w.dev.Push(t.Context(), "p_service_s0", "v3", "v3"); err != nil {
			t.Fatal(err)
		}
		w.mustHandle(t, w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v3"}`))
		time.Sleep(time.Minute)
		return w.event("DEPLOY", "action.dev", `{"service":"s0","action":"rollback"}`)
	}, deployed, []string{"ListTaskDefinitions", "DescribeTaskDefinition"}},
	{"rollout started", oddOptions{}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.deploy(t)
		return w.rollout(t, "SERVICE_DEPLOYMENT_IN_PROGRESS")
	}, followed, nil},
	{"rollout completed", oddOptions{notifies: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.deploy(t)
		time.Sleep(10 * time.Minute)
		w.aws.Tick()
		return w.rollout(t, "SERVICE_DEPLOYMENT_COMPLETED")
	}, followed, nil},
	{"rollout failed", oddOptions{keeps: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.aws.FailImage("sha256")
		w.deploy(t)
		event := w.rollout(t, "SERVICE_DEPLOYMENT_FAILED")
		time.Sleep(10 * time.Minute)
		w.aws.Tick()
		return event
	}, followed, nil},
	{"rejected", oddOptions{keeps: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		return w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v9"}`)
	}, []ecsdeploy.Status{ecsdeploy.Rejected}, []string{"PutEvents", "SendMessage"}},
	{"lost push", oddOptions{}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		time.Sleep(time.Hour)
		w.push(t, "latest")
		time.Sleep(time.Hour)
		return strings.Replace(scheduled, "2026-01-22T10:15:00Z", time.Now().UTC().Format(time.RFC3339), 1)
	}, deployed, []string{"DescribeImages", "DescribeServices", "DescribeTaskDefinition"}},
	{"several services", oddOptions{services: 2}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.push(t, "v2")
		return w.event("DEPLOY", "action.dev", `{"services":["s0","s1"],"tag":"v2"}`)
	}, deployed, nil},
	{"changed parameter", oddOptions{services: 2, refers: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		time.Sleep(time.Hour)
		return w.changed()
	}, deployed, nil},
	{"changed parameter, collected", oddOptions{refers: true, waits: true}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		time.Sleep(time.Hour)
		return w.changed()
	}, []ecsdeploy.Status{ecsdeploy.Waiting}, nil},
	{"scheduled task", oddOptions{task: "pinned"}, deployTask, deployed, nil},
	// Registering a revision is all that there is to do: after a lost answer, it was done.
	{"scheduled task that floats", oddOptions{task: "floating"}, deployTask,
		[]ecsdeploy.Status{ecsdeploy.Deployed, ecsdeploy.Unchanged}, nil},
	{"event task", oddOptions{task: "event"}, deployTask, deployed, nil},
	{"first run", oddOptions{task: "pinned"}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		w.mustHandle(t, deployTask(t, w))
		time.Sleep(time.Hour)
		return w.ran()
	}, []ecsdeploy.Status{ecsdeploy.Unchanged}, nil},
	{"look at a task", oddOptions{task: "pinned"}, func(t *testing.T, w *oddWorld) string {
		t.Helper()
		// The move is done, and nothing was reported.
		w.aws.Inject(emulator.Fault{Operation: "events:PutEvents", Error: emulator.AccessDenied("no"), Times: 1})
		if _, err := w.handle(t, deployTask(t, w)); err == nil {
			t.Fatal("it was reported")
		}
		time.Sleep(time.Hour)
		return strings.Replace(scheduled, "2026-01-22T10:15:00Z", time.Now().UTC().Format(time.RFC3339), 1)
	}, []ecsdeploy.Status{ecsdeploy.Unchanged}, nil},
}

// deployTask pushes an image of the task, and returns the event that deploys it.
func deployTask(t *testing.T, w *oddWorld) string {
	t.Helper()
	if _, err := w.dev.Push(t.Context(), cloud.Project+"_task_"+cloud.Task, "v2", "v2"); err != nil {
		t.Fatal(err)
	}
	return w.event("DEPLOY", "action.dev", fmt.Sprintf(`{"task":%q,"tag":"v2"}`, cloud.Task))
}

// changed returns SSM's event about the parameter to which the services refer.
func (w *oddWorld) changed() string {
	event := w.event("Parameter Store Change", "aws.ssm",
		fmt.Sprintf(`{"operation":"Update","name":%q,"type":"String"}`, oddParameter))
	return strings.Replace(event, "ecs:us-east-1:111111111111:service/p_cluster_dev/p_service_s0_dev",
		"ssm:us-east-1:111111111111:parameter"+oddParameter, 1)
}

// ran returns ECS's event about the end of a run of the task's second revision.
func (w *oddWorld) ran() string {
	arn := "arn:aws:ecs:" + accounts.Region + ":" + accounts.Dev + ":"
	return w.event("ECS Task State Change", "aws.ecs", fmt.Sprintf(`{"clusterArn":%q,"taskArn":%q,
		"taskDefinitionArn":%q,"group":"family:%s","lastStatus":"STOPPED","desiredStatus":"STOPPED",
		"startedBy":"chronos-schedule/x","stopCode":"EssentialContainerExited",
		"stoppedReason":"Essential container in task exited",
		"containers":[{"name":%q,"exitCode":1,"lastStatus":"STOPPED"}],"createdAt":%[6]q,"stoppedAt":%[6]q}`,
		arn+"cluster/"+cloud.ClusterName("dev"), arn+"task/"+cloud.ClusterName("dev")+"/1",
		arn+"task-definition/"+cloud.Task+":2", cloud.Task, cloud.Project+"_container_"+cloud.Task+"_dev",
		time.Now().UTC().Format(time.RFC3339)))
}
