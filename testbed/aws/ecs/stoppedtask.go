package ecs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// The desired statuses of tasks (ECS API reference, "ListTasks").
const (
	taskRunning = "RUNNING"
	taskPending = "PENDING"
	taskStopped = "STOPPED"
)

const (
	// stoppedKept is how long ECS shows a stopped task: for at least an hour (ECS developer guide, "Viewing Amazon ECS
	// stopped task errors").
	stoppedKept = time.Hour

	// maxStopped is how many stopped tasks of one service the emulator keeps.
	maxStopped = 100

	// pullSilence is after how many steps ECS ends a rollout whose image cannot be pulled, if the circuit breaker is
	// on. It does not try to start tasks meanwhile, and its only event is SERVICE_TASK_START_IMPAIRED. In public
	// drills with one task and the breaker on, ECS ended one such rollout after almost 12 minutes, and left another
	// one alone for more than 17: 70 steps of ten seconds are the former.
	pullSilence = 70

	taskFailedToStart = "TaskFailedToStart"
	essentialExited   = "EssentialContainerExited"
)

// A stoppedTask is a task that failed.
type stoppedTask struct {
	arn            string
	startedBy      string // the deployment's id
	taskDefinition string // ARN
	stopped        time.Time
	failure        taskFailure
	containers     []container
}

// A taskFailure is why a task stopped.
type taskFailure struct {
	code, reason    string
	container       string // the image of the container that failed
	containerReason string
	exitCode        *int // nil if no container started
}

// failure returns why the deployment's tasks fail, and whether they do.
//
// The texts are those of ECS (ECS developer guide, "CannotPullContainer task errors in Amazon ECS" and "Stopped tasks
// error codes").
func (e *Server) failure(d *deployment) (f taskFailure, fails bool) {
	_, owner, _, _ := api.SplitARN(d.taskDefinition)
	return e.failureOf(e.taskDefinition(owner, d.taskDefinition))
}

// failureOf returns why tasks of a revision fail, and whether they do.
func (e *Server) failureOf(td *taskDefinition) (f taskFailure, fails bool) {
	for _, image := range td.images {
		if !e.registries.Pullable(image) {
			reason := fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried 7 time(s): failed "+
				"to resolve ref %s: %[1]s: not found", image)
			return taskFailure{code: taskFailedToStart, reason: reason, container: image, containerReason: reason}, true
		}
		if code := e.exitCode(image); code != 0 {
			return taskFailure{code: essentialExited, reason: "Essential container in task exited",
				container: image, exitCode: &code}, true
		}
	}
	return taskFailure{}, false
}

// exitCode returns the code with which the container of an image exits; 0 if it runs.
func (e *Server) exitCode(image string) int {
	broken := func(part string) bool { return strings.Contains(image, part) }
	if slices.ContainsFunc(e.brokenImages, broken) {
		return 1
	}
	return e.registries.ExitCode(image)
}

// addStopped adds tasks of a deployment that failed.
func (e *Server) addStopped(s *service, d *deployment, f taskFailure, count int, at time.Time) {
	_, owner, _, _ := api.SplitARN(d.taskDefinition)
	var containers []container
	sent := e.taskDefinition(owner, d.taskDefinition).fields["containerDefinitions"]
	json.Unmarshal(sent, &containers) // checked when it was registered
	for range min(count, maxStopped) {
		s.stoppedCount++
		task := stoppedTask{
			arn:       s.taskARN(d, -s.stoppedCount),
			startedBy: d.id, taskDefinition: d.taskDefinition, stopped: at, failure: f, containers: containers,
		}
		s.stopped = slices.Insert(s.stopped, 0, task)
		e.printed(s.scope, task)
	}
	s.stopped = s.stopped[:min(len(s.stopped), maxStopped)]
}

// stoppedTasks returns the service's stopped tasks that ECS still shows, newest first.
func (e *Server) stoppedTasks(s *service) []stoppedTask {
	oldest := e.backend.Clock().Add(-stoppedKept)
	gone := func(t stoppedTask) bool { return t.stopped.Before(oldest) }
	return slices.DeleteFunc(slices.Clone(s.stopped), gone)
}

// describe returns a stopped task as DescribeTasks does.
func (t stoppedTask) describe(s *service) api.Object {
	containers := []api.Object{}
	for _, c := range t.containers {
		o := api.Object{"name": c.Name, "image": c.Image, "lastStatus": taskStopped, "taskArn": t.arn}
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
	return api.Object{
		"taskArn": t.arn, "clusterArn": clusterARN(s.scope, s.cluster), "taskDefinitionArn": t.taskDefinition,
		"group": "service:" + s.name, "startedBy": t.startedBy, "lastStatus": taskStopped, "desiredStatus": taskStopped,
		"stopCode": t.failure.code, "stoppedReason": t.failure.reason, "stoppedAt": api.Timestamp(t.stopped),
		"containers": containers,
	}
}
