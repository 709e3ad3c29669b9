package event

import (
	"encoding/json"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Step is what an event of Amazon ECS says of a service's rollout.
type Step string

// The steps, by ECS's own names of them. See "Amazon ECS service deployment
// state change events" and "service action events" in its developer guide.
const (
	RolloutStarted   Step = "SERVICE_DEPLOYMENT_IN_PROGRESS"
	RolloutCompleted Step = "SERVICE_DEPLOYMENT_COMPLETED"
	RolloutFailed    Step = "SERVICE_DEPLOYMENT_FAILED"   // a circuit breaker or an alarm tripped
	TasksImpaired    Step = "SERVICE_TASK_START_IMPAIRED" // tasks do not stay up; ECS goes on trying
	ecsSource             = "aws.ecs"
	deploymentChange      = "ECS Deployment State Change"
	serviceAction         = "ECS Service Action"
)

// Rollout is what ECS tells of one rollout of a workload's service.
type Rollout struct {
	Workload     environment.Workload
	Step         Step
	DeploymentID string // ECS's id, "ecs-svc/…"; "" of TasksImpaired, which is told of the service
	Reason       string // in ECS's words; may be ""
}

// rollout reads an event of ECS about a service. It is believed which step of
// which rollout it tells of, and when and why: only ECS can put it on a bus. All
// else ECS is asked.
func (r reader) rollout() Reading {
	fields, err := object(r.Detail)
	if err != nil {
		return r.rejected("the ECS event is malformed: \"detail\" " + err.Error())
	}
	name, _ := text(fields["eventName"])
	step := Step(name)
	switch {
	case r.DetailType == serviceAction && step == TasksImpaired:
	case r.DetailType == deploymentChange && (step == RolloutStarted || step == RolloutCompleted || step == RolloutFailed):
	default:
		return r.ignored("the ECS event " + quote(name) + " is no step of a rollout that the deployer follows")
	}
	w, elsewhere := r.serviceOf()
	if elsewhere != "" {
		return r.ignored(elsewhere)
	}
	id, _ := text(fields["deploymentId"])
	if step != TasksImpaired && !strings.HasPrefix(id, "ecs-svc/") {
		return r.rejected("the ECS event is malformed: \"deploymentId\" is " + quote(id) + ", not like ecs-svc/1234567890")
	}
	reason, _ := text(fields["reason"])
	return Reading{ID: r.ID, Verdict: Followed, Reason: name + " of " + w.Name, At: r.at,
		Rollout: Rollout{Workload: w, Step: step, DeploymentID: id, Reason: reason}}
}

// serviceOf returns the workload whose service the event is about, or the
// reason why it is none of this environment's.
func (r reader) serviceOf() (w environment.Workload, elsewhere string) {
	var arns []string
	if json.Unmarshal(r.Resources, &arns) != nil || len(arns) != 1 {
		return w, "the ECS event names no service"
	}
	cluster := "arn:" + image.PartitionOf(r.env.Region).Name + ":ecs:" + r.env.Region + ":" + r.env.AccountID + ":service/" + r.env.Cluster + "/"
	name, ok := strings.CutPrefix(arns[0], cluster)
	if !ok || r.Account != r.env.AccountID {
		return w, "the service " + quote(arns[0]) + " is not in cluster " + r.env.Cluster + " of " + r.env.Name
	}
	for _, w := range r.env.Workloads {
		if w.Deployable() && w.Pointer.Name() == name {
			return w, ""
		}
	}
	return w, "the service " + quote(name) + " is no workload of " + r.env.Project
}
