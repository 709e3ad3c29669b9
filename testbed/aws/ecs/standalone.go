package ecs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// A task is one that RunTask started. It is PENDING for a step, RUNNING for another one, and then STOPPED: its
// containers exit with 0, or fail as those of a service would.
type task struct {
	cluster        *cluster
	arn            string
	definition     *taskDefinition
	startedBy      string
	group          string
	launchType     string
	overrides      json.RawMessage
	tags           []tag
	status         string
	version        int
	next           time.Time // when its status changes; zero for a stopped one
	created        time.Time
	started        time.Time // zero if no container started
	stopped        time.Time
	failure        taskFailure
	exits          bool // it has stopped after its containers ran
	digestsByImage map[string]string
}

// start starts a task. Its first event says that it is pending.
func (e *Server) start(c *cluster, td *taskDefinition, in runTaskInput, body []byte) *task {
	now := e.backend.Clock()
	id := e.backend.NewID()
	var sent struct {
		Overrides json.RawMessage `json:"overrides"`
	}
	json.Unmarshal(body, &sent) // it was decoded before
	if sent.Overrides == nil {
		sent.Overrides = json.RawMessage(`{"containerOverrides":[]}`)
	}
	t := &task{
		cluster: c, arn: c.scope.ARN("ecs", fmt.Sprintf("task/%s/%x", c.name, id[:16])), definition: td,
		startedBy: in.StartedBy, group: cmp.Or(in.Group, "family:"+td.family), launchType: cmp.Or(in.LaunchType, "EC2"),
		overrides: sent.Overrides, tags: in.tags(td), status: taskPending, version: 1, created: now,
		next: now.Add(e.options.RolloutStep), digestsByImage: e.imageDigests(td.arn()),
	}
	if len(in.Strategy) > 0 {
		t.launchType = "FARGATE"
	}
	c.tasks = append(c.tasks, t)
	e.publishTask(t, now)
	return t
}

// advanceTasks advances the tasks of a cluster to the clock's time, and forgets those that ECS no longer shows.
func (e *Server) advanceTasks(c *cluster) {
	now := e.backend.Clock()
	for _, t := range c.tasks {
		for !t.next.IsZero() && !t.next.After(now) {
			e.stepTask(t, t.next)
		}
	}
	c.tasks = slices.DeleteFunc(c.tasks, func(t *task) bool {
		return !t.stopped.IsZero() && t.stopped.Before(now.Add(-stoppedKept))
	})
}

// stepTask changes the status of a task, and publishes its event.
func (e *Server) stepTask(t *task, at time.Time) {
	failure, fails := e.failureOf(t.definition)
	switch {
	case t.status == taskPending && failure.code == taskFailedToStart:
		t.status, t.failure, t.stopped, t.next = taskStopped, failure, at, time.Time{}
	case t.status == taskPending:
		t.status, t.started, t.next = taskRunning, at, at.Add(e.options.RolloutStep)
	default:
		t.status, t.exits, t.stopped, t.next = taskStopped, true, at, time.Time{}
		t.failure = taskFailure{code: essentialExited, reason: "Essential container in task exited"}
		if fails {
			t.failure = failure
		}
	}
	t.version++
	e.publishTask(t, at)
}

// describe returns the task as DescribeTasks does, with times in the form of stamp.
func (t *task) describe(stamp func(time.Time) any) api.Object {
	containers := []api.Object{}
	for _, c := range t.definition.containers() {
		o := api.Object{"name": c.Name, "image": c.Image, "lastStatus": t.status, "taskArn": t.arn,
			"containerArn": strings.Replace(t.arn, ":task/", ":container/", 1) + "/" + c.Name}
		if digest := t.digestsByImage[c.Image]; digest != "" {
			o["imageDigest"] = digest
		}
		if t.exits {
			o["exitCode"] = 0
		}
		if c.Image == t.failure.container {
			if t.failure.exitCode != nil {
				o["exitCode"] = *t.failure.exitCode
			}
			if t.failure.containerReason != "" {
				o["reason"] = t.failure.containerReason
			}
		}
		containers = append(containers, o)
	}
	desired := taskRunning
	if t.status == taskStopped {
		desired = taskStopped
	}
	o := api.Object{
		"taskArn": t.arn, "clusterArn": clusterARN(t.cluster.scope, t.cluster.name),
		"taskDefinitionArn": t.definition.arn(), "group": t.group, "launchType": t.launchType,
		"lastStatus": t.status, "desiredStatus": desired, "createdAt": stamp(t.created), "containers": containers,
		"overrides": t.overrides, "version": t.version, "attachments": []api.Object{},
	}
	if t.startedBy != "" {
		o["startedBy"] = t.startedBy
	}
	if !t.started.IsZero() {
		o["startedAt"] = stamp(t.started)
	}
	if t.status == taskStopped {
		o["stopCode"], o["stoppedReason"] = t.failure.code, t.failure.reason
		o["stoppingAt"], o["stoppedAt"] = stamp(t.stopped), stamp(t.stopped)
	}
	return o
}

// publishTask publishes the event of a task whose status changed (ECS developer guide, "Amazon ECS task state change
// events"): the task as DescribeTasks returns it, with times as text.
func (e *Server) publishTask(t *task, at time.Time) {
	detail := t.describe(func(at time.Time) any { return at.UTC().Format("2006-01-02T15:04:05.000Z") })
	detail["updatedAt"] = at.UTC().Format("2006-01-02T15:04:05.000Z")
	e.publish(t.cluster.scope, at, "ECS Task State Change", []string{t.arn}, detail)
}

// timestamp returns a time as answers have it.
func timestamp(at time.Time) any { return api.Timestamp(at) }
