// Package failure collects what a rollout that failed left behind: why its tasks stopped,
// what the container that failed wrote last, and what ECS says about the service.
package failure

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/logs"
)

const (
	maxTasks  = 3  // tasks with different reasons
	maxEvents = 10 // of the service
	maxLines  = 20 // of a container's log
)

// Report is what a rollout that failed left behind. Its texts are those of AWS and of the
// containers: escape them before they get to a terminal.
type Report struct {
	TaskDefinition string   `json:"task_definition"`
	Tasks          []Task   `json:"stopped_tasks"`   // newest first, each reason once; ECS shows them for about an hour
	Log            *Log     `json:"log,omitempty"`   // of the container that failed; nil if there is none
	Events         []Event  `json:"service_events"`  // the service's last ones since the rollout began, oldest first
	Notes          []string `json:"notes,omitempty"` // what could not be read, and why
}

// Task is a stopped task.
type Task struct {
	ARN        string      `json:"task"`
	StoppedAt  time.Time   `json:"stopped_at"`
	Reason     string      `json:"reason"`    // with what its containers say
	StopCode   string      `json:"stop_code"` // of ECS, such as EssentialContainerExited
	Containers []Container `json:"containers"`
	Count      int         `json:"count"` // of the tasks that stopped for this reason
}

// ID returns the last part of the task's ARN.
func (t Task) ID() string { return afterSlash(t.ARN) }

// Container is a container of a stopped task.
type Container struct {
	Name     string `json:"name"`
	ExitCode *int   `json:"exit_code"` // nil if it never ran
	Reason   string `json:"reason,omitempty"`
}

// Log is the last lines of a container's log, oldest first.
type Log struct {
	Container string `json:"container"`
	Group     string `json:"group"`
	Stream    string `json:"stream"`
	Region    string `json:"region"`
	Lines     []Line `json:"lines"`
}

// Line is a line of a log.
type Line struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Event is what ECS says about the service.
type Event struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Read returns what the target's rollout of a revision left behind. It calls DescribeServices,
// DescribeTaskDefinition, ListTasks, DescribeTasks and, for a container with the log driver
// awslogs, GetLogEvents of CloudWatch Logs. It is best effort: what could not be read is in
// the notes.
func Read(ctx context.Context, config aws.Config, services *ecsservice.Client, t ecsservice.Target,
	revision string) *Report {
	r := &reader{config: config, services: services, target: t,
		report: &Report{TaskDefinition: revision, Tasks: []Task{}, Events: []Event{}}}
	r.read(ctx, revision)
	return r.report
}

// OfTask returns what a task that stopped left behind, without a service: why it stopped, and
// the last lines of the container that failed or, if none did, of an essential one. It calls
// GetLogEvents.
func OfTask(ctx context.Context, config aws.Config, task types.Task, td *types.TaskDefinition) *Report {
	r := &reader{config: config, report: &Report{TaskDefinition: aws.ToString(td.TaskDefinitionArn),
		Tasks: tasksOf([]types.Task{task}), Events: []Event{}}}
	if container := failed(task, td); container != nil {
		r.readLog(ctx, task, *container, td)
	}
	return r.report
}

// reader reads one report.
type reader struct {
	config   aws.Config
	services *ecsservice.Client
	target   ecsservice.Target
	report   *Report
}

// note notes what could not be read.
func (r *reader) note(err error) { r.report.Notes = append(r.report.Notes, err.Error()) }

func (r *reader) read(ctx context.Context, revision string) {
	if r.target.Task {
		return // its runs are no rollout
	}
	service, err := r.services.DescribeService(ctx, r.target)
	if err != nil {
		r.note(err)
	}
	described, err := r.services.DescribeRevision(ctx, revision)
	if err != nil {
		r.note(err)
	}
	id, began := "", time.Time{}
	if described.TaskDefinition != nil {
		id = r.target.Record(described).DeploymentID
		began = described.Registered()
	}
	if service != nil {
		for _, d := range service.Deployments {
			if aws.ToString(d.TaskDefinition) == revision {
				id, began = aws.ToString(d.Id), aws.ToTime(d.CreatedAt)
			}
		}
		r.report.Events = eventsOf(service, began)
	}
	tasks, err := r.services.StoppedTasks(ctx, r.target, func(task types.Task) bool {
		if id != "" {
			return aws.ToString(task.StartedBy) == id
		}
		return aws.ToString(task.TaskDefinitionArn) == revision
	})
	if err != nil {
		r.note(err)
	}
	r.report.Tasks = tasksOf(tasks)
	if described.TaskDefinition == nil {
		return
	}
	for _, task := range tasks { // the newest one with a log
		if container := failed(task, described.TaskDefinition); container != nil {
			r.readLog(ctx, task, *container, described.TaskDefinition)
			return
		}
	}
}

// eventsOf returns the last events of a service since a time, oldest first.
func eventsOf(service *types.Service, since time.Time) []Event {
	events := []Event{}
	for _, e := range service.Events { // newest first
		at := aws.ToTime(e.CreatedAt).UTC()
		if len(events) == maxEvents || at.Before(since.Truncate(time.Second)) {
			break
		}
		events = append(events, Event{at, aws.ToString(e.Message)})
	}
	slices.Reverse(events)
	return events
}

// tasksOf returns the newest task of each reason.
func tasksOf(tasks []types.Task) []Task {
	found := []Task{}
	for _, task := range tasks {
		one := Task{ARN: aws.ToString(task.TaskArn), StoppedAt: aws.ToTime(task.StoppedAt).UTC(),
			Reason: ecsservice.StopReason(task), StopCode: string(task.StopCode), Containers: []Container{}, Count: 1}
		i := slices.IndexFunc(found, func(t Task) bool {
			return ecsservice.Alike(t.Reason) == ecsservice.Alike(one.Reason)
		})
		if i >= 0 {
			found[i].Count++
			continue
		}
		for _, c := range task.Containers {
			container := Container{Name: aws.ToString(c.Name), Reason: ecsservice.Unsigned(aws.ToString(c.Reason))}
			if c.ExitCode != nil {
				code := int(*c.ExitCode)
				container.ExitCode = &code
			}
			one.Containers = append(one.Containers, container)
		}
		found = append(found, one)
	}
	return found[:min(len(found), maxTasks)]
}

// readLog reads the last lines of a container.
func (r *reader) readLog(ctx context.Context, task types.Task, c types.Container, td *types.TaskDefinition) {
	name := aws.ToString(c.Name)
	to := logOf(name, td)
	if to == nil || to.LogDriver != types.LogDriverAwslogs {
		driver := "the default log driver"
		if to != nil {
			driver = "the log driver " + string(to.LogDriver)
		}
		r.report.Notes = append(r.report.Notes, "container "+name+" writes to "+driver+
			": only awslogs can be read here")
		return
	}
	found := &Log{Container: name, Group: to.Options["awslogs-group"], Region: to.Options["awslogs-region"]}
	if found.Region == "" {
		found.Region = r.config.Region
	}
	// The stream is PREFIX/CONTAINER/TASK, and without a prefix, which Fargate does not allow, the id of
	// the container (ECS developer guide, "Send Amazon ECS logs to CloudWatch", awslogs-stream-prefix).
	if prefix := to.Options["awslogs-stream-prefix"]; prefix != "" {
		found.Stream = prefix + "/" + name + "/" + afterSlash(aws.ToString(task.TaskArn))
	} else {
		found.Stream = aws.ToString(c.RuntimeId)
	}
	if found.Group == "" || found.Stream == "" {
		r.report.Notes = append(r.report.Notes, "the log of container "+name+" is not known: the revision has no "+
			"awslogs-group or no awslogs-stream-prefix")
		return
	}
	config := r.config.Copy()
	config.Region = found.Region
	lines, err := logs.New(config, found.Group).Last(ctx, found.Stream, maxLines)
	if fault.HasCode(err, "ResourceNotFoundException") {
		err = errors.New("log group " + found.Group + " has no stream " + found.Stream +
			": the container wrote nothing, or its log was deleted")
	}
	if err != nil {
		r.note(err)
		return
	}
	found.Lines = []Line{}
	for _, l := range lines {
		found.Lines = append(found.Lines, Line(l))
	}
	r.report.Log = found
}

// logOf returns the log configuration of a container, nil if it has none.
func logOf(name string, td *types.TaskDefinition) *types.LogConfiguration {
	for _, c := range td.ContainerDefinitions {
		if aws.ToString(c.Name) == name {
			return c.LogConfiguration
		}
	}
	return nil
}

func afterSlash(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
