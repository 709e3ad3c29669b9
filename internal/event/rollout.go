package event

import (
	"encoding/json"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Step is a step of a rollout that Amazon ECS reports, by the eventName of its
// event. See "Amazon ECS service deployment state change events" and "Amazon ECS
// service action events" in the ECS developer guide.
type Step string

// The steps that are handled.
const (
	RolloutStarted   Step = "SERVICE_DEPLOYMENT_IN_PROGRESS"
	RolloutCompleted Step = "SERVICE_DEPLOYMENT_COMPLETED"
	RolloutFailed    Step = "SERVICE_DEPLOYMENT_FAILED"   // the circuit breaker or an alarm ended it
	TasksImpaired    Step = "SERVICE_TASK_START_IMPAIRED" // tasks keep failing to start; ECS goes on trying
)

// Rollout is a step of the rollout of a workload's service, as ECS reports it.
type Rollout struct {
	Workload     environment.Workload
	Step         Step
	DeploymentID string // ECS's id of the rollout, "ecs-svc/…"; "" for TasksImpaired, which is about the service
	Reason       string // the event's reason; may be ""
	Hook         Hook   // of a hook's step; else zero
}

// rollout reads an event of ECS about a service. The event is trusted for the
// step, the rollout, the time and the reason, because only ECS can send events
// from its source. Everything else is read from ECS.
func (r reader) rollout() Reading {
	detail, err := object(r.event.Detail)
	if err != nil {
		return r.unexpected("the ECS event is not as AWS documents it: \"detail\" " + err.Error())
	}
	name, _ := text(detail["eventName"])
	step := Step(name)
	if !r.isStep(step) {
		return r.ignored("the ECS event " + quote(name) + " is not a rollout step that the deployer handles")
	}
	cluster, _ := text(detail["clusterArn"])
	w, reason := r.workloadOfService(cluster)
	if reason != "" {
		return r.ignored(reason)
	}
	id, _ := text(detail["deploymentId"])
	if step != TasksImpaired && !strings.HasPrefix(id, "ecs-svc/") {
		return r.unexpected("the ECS event is not of a rollout that the deployer can follow: \"deploymentId\" is " +
			quote(id) + ", not like ecs-svc/1234567890")
	}
	var wrong problems
	if r.checkTime(maxAheadOfAWS, &wrong); len(wrong) > 0 {
		return r.unexpected("the ECS event is not as AWS documents it: " + wrong.String())
	}
	ecsReason, _ := text(detail["reason"])
	return Reading{ID: r.event.ID, Verdict: Followed, Reason: name + " of " + w.Name, At: r.event.Time,
		Rollout: Rollout{Workload: w, Step: step, DeploymentID: id, Reason: ecsReason}}
}

// isStep reports whether the event is of a type that has the step.
func (r reader) isStep(s Step) bool {
	if r.event.DetailType == serviceAction {
		return s == TasksImpaired
	}
	return s == RolloutStarted || s == RolloutCompleted || s == RolloutFailed
}

// workloadOfService returns the workload whose service the event is about, or
// the reason why the environment has none. A service that was created before its
// account opted in to long ARNs (2019) has the old form of ARN, service/NAME, without
// the cluster (ECS developer guide, "Amazon Resource Names and IDs"). Then the event's
// own cluster counts, "" if it has none: services of several clusters may share a name.
func (r reader) workloadOfService(cluster string) (w environment.Workload, reason string) {
	var arns []string
	if json.Unmarshal(r.event.Resources, &arns) != nil || len(arns) != 1 {
		return w, "the ECS event names no service"
	}
	w, reason = r.workloadWithARN(arns[0])
	if reason == "" && arns[0] != w.Pointer.ARN(r.env) && cluster != "" && cluster != r.clusterARN() {
		return environment.Workload{}, "the service " + quote(arns[0]) + " is in cluster " + quote(cluster) +
			", not in " + r.env.Cluster + " of " + r.env.Name
	}
	return w, reason
}

// clusterARN returns the ARN of the environment's cluster.
func (r reader) clusterARN() string {
	return "arn:" + image.PartitionOf(r.env.Region).Name + ":ecs:" + r.env.Region + ":" + r.env.AccountID +
		":cluster/" + r.env.Cluster
}

// workloadWithARN returns the workload whose service has an ARN, or the reason why
// the environment has none.
func (r reader) workloadWithARN(arn string) (w environment.Workload, reason string) {
	services := "arn:" + image.PartitionOf(r.env.Region).Name + ":ecs:" + r.env.Region + ":" + r.env.AccountID +
		":service/"
	for _, w := range r.env.Workloads {
		named := w.HasService() && (w.Pointer.ARN(r.env) == arn || services+w.Pointer.Name() == arn)
		if named && r.event.Account == r.env.AccountID {
			return w, ""
		}
	}
	if account := r.event.Account; account != r.env.AccountID {
		return w, "the event is of account " + account + ", and " + r.env.Name + " is in " + r.env.AccountID
	}
	name, ours := strings.CutPrefix(arn, services)
	name, inCluster := strings.CutPrefix(name, r.env.Cluster+"/")
	old := !strings.Contains(name, "/")
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && strings.Count(parts[5], "/") == 1 && !ours {
		return w, "the service " + quote(arn) + " is in account " + parts[4] + " in " + parts[3] + ", and " +
			r.env.Name + " is in " + r.env.AccountID + " in " + r.env.Region
	}
	if !ours || !inCluster && !old {
		return w, "the service " + quote(arn) + " is not in cluster " + r.env.Cluster + " of " + r.env.Name
	}
	return w, "the service " + quote(name) + " is not a workload of " + r.env.Project
}
