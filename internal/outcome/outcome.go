// Package outcome defines what the deployer publishes about a deployment: that it
// started, and how it ended. An outcome is the detail of an event, whose contract
// is docs/reference/outcome.schema.json.
//
//	o := outcome.New(env, workload)
//	o.Time, o.Cause, o.Revision = now, request.Cause, outcome.Change{Before: old, After: new}
//	o, err := outcome.Succeeded(o)
package outcome

import (
	"encoding/json"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// Kind is the kind of an outcome: the detail-type of its event.
type Kind string

// The kinds.
const (
	DeploymentStarted    Kind = "Deployment Started"    // ECS has accepted the deployment
	DeploymentSucceeded  Kind = "Deployment Succeeded"  // the service runs the new revision
	DeploymentFailed     Kind = "Deployment Failed"     // the rollout failed, or ECS did not accept the deployment
	DeploymentRejected   Kind = "Deployment Rejected"   // the event is wrong; a retry cannot change that
	DeploymentSuperseded Kind = "Deployment Superseded" // a newer deployment replaced it
	DeploymentImpaired   Kind = "Deployment Impaired"   // its tasks do not start, or a hook failed; it has not ended
	DeploymentPaused     Kind = "Deployment Paused"     // it waits to be continued
	FirstRunSucceeded    Kind = "First Run Succeeded"   // of a task's revision
	FirstRunFailed       Kind = "First Run Failed"
)

// Source is the source of the events of outcomes.
const Source = "deployer"

// Outcome is the outcome of one deployment. Fields that are unknown are left out
// of its JSON, and are never empty there. Make one with [New] and a constructor
// such as [Succeeded], which checks and completes it.
type Outcome struct {
	Kind            Kind      `json:"-"` // the event's detail-type; set by the constructor
	Time            time.Time `json:"-"` // when it happened: the event's time
	Accepted        time.Time `json:"-"` // when ECS accepted the deployment, for the metrics
	ServiceARN      string    `json:"-"` // of the ECS service: the event's resource
	File            string    `json:"-"` // the environment file in commands; "" if they name the environment
	PreviousForeign bool      `json:"-"` // an external deployment made the previous revision: a rollback must name it
	ServiceDeleted  bool      `json:"-"` // the service was deleted: there is nothing to roll back

	Schema      int    `json:"schema"`            // always 1
	Environment string `json:"environment"`       // such as "prod"
	Project     string `json:"project"`           // such as "myproject"
	Service     string `json:"service,omitempty"` // as events name the workload
	Cluster     string `json:"cluster,omitempty"` // the ECS cluster's name
	Tag         string `json:"tag,omitempty"`
	Digest      string `json:"digest,omitempty"`

	Image        Change   `json:"image,omitzero"`          // image references, as task definitions hold them
	Revision     Change   `json:"revision,omitzero"`       // ARNs of task definition revisions
	DeploymentID string   `json:"deployment_id,omitempty"` // ECS's id of the rollout, "ecs-svc/…"
	event.Cause           // the event that asked; zero if the deployment is foreign
	ECSReason    string   `json:"ecs_reason,omitempty"` // the reason that ECS gives for the state of the rollout
	Problem      string   `json:"cause,omitempty"`      // why it was rejected or failed, where the deployer found that
	Seconds      *float64 `json:"seconds,omitempty"`    // from the event to the outcome; set by the constructor

	NextRun      string          `json:"next_run,omitempty"`      // when a task runs next, of a success
	StoppedTasks []string        `json:"stopped_tasks,omitempty"` // why tasks stopped, of a failure or an impairment
	Hook         Hook            `json:"hook,omitzero"`           // the lifecycle hook, of a pause or a failed hook
	Run          Run             `json:"run,omitzero"`            // of a first run
	RolledBackTo Revision        `json:"rolled_back_to,omitzero"` // of a failure
	SupersededBy Newer           `json:"superseded_by,omitzero"`
	Foreign      bool            `json:"foreign,omitempty"` // an external deployment: its revision has no journal
	Links        Links           `json:"links,omitzero"`    // set by the constructor
	Event        json.RawMessage `json:"event,omitempty"`   // the original event, of a rejection or a failure
	Message      string          `json:"message"`           // one sentence for people; set by the constructor
}

// Change is what runs before and after a deployment.
type Change struct {
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Revision is a task definition revision and the image in it.
type Revision struct {
	Revision string `json:"revision,omitempty"` // ARN
	Image    string `json:"image,omitempty"`
}

// Newer is the deployment that superseded another.
type Newer struct {
	EventID      string `json:"event_id,omitempty"`
	DeploymentID string `json:"deployment_id,omitempty"`
}

// New returns an outcome with what all outcomes of a workload have in common. The
// workload is zero if the event names none. The service's ARN is set if the
// environment has its account.
func New(env *environment.Environment, w environment.Workload) Outcome {
	o := Outcome{Environment: env.Name, Project: env.Project, Service: w.Label(), File: fileOf(env)}
	if !w.Deployable() {
		return o
	}
	o.Cluster = env.Cluster
	if env.AccountID != "" && w.HasService() {
		o.ServiceARN = w.Pointer.ARN(env)
	}
	return o
}

// Ended reports whether the deployment has ended.
func (o Outcome) Ended() bool {
	return o.Kind != DeploymentStarted && o.Kind != DeploymentImpaired && o.Kind != DeploymentPaused
}

// Kept reports whether the function keeps the event in its failure queue: one that was
// rejected, or whose rollout failed. An event on which the function itself failed is
// kept by Lambda, after the last retry.
func (o Outcome) Kept() bool {
	if o.Event == nil || o.Foreign {
		return false
	}
	return o.Kind == DeploymentRejected || o.Kind == DeploymentFailed && o.Revision.After != ""
}

// CanRollBack reports whether there is a deployment to roll back: one that took
// effect, and that ECS has not rolled back itself, nor is rolling back.
func (o Outcome) CanRollBack() bool {
	tookEffect := o.Kind == DeploymentSucceeded || o.Kind == FirstRunFailed || o.Kind == DeploymentFailed ||
		o.Kind == DeploymentImpaired && o.Hook == Hook{}
	return tookEffect && !o.ServiceDeleted && o.RolledBackTo == Revision{} &&
		o.Service != "" && o.Revision.Before != "" && o.Revision.After != ""
}

// Undo returns the command that rolls the deployment back, "" if there is nothing
// to roll back. If the deployment is paused, it stops it, and ECS rolls back.
func (o Outcome) Undo() string {
	if o.Kind == DeploymentPaused {
		return o.command("stop")
	}
	if !o.CanRollBack() {
		return ""
	}
	command := o.command("rollback")
	n := number(o.Revision.Before)
	if o.PreviousForeign && n != "" {
		command += " --to " + n
	}
	return command
}

// Why returns why a deployment failed or was rejected: the reason of ECS if there
// is one, else that of the deployer.
func (o Outcome) Why() string {
	if o.ECSReason != "" {
		return o.ECSReason
	}
	return o.Problem
}

// Took returns the time from the event to the outcome, and whether it is known.
func (o Outcome) Took() (time.Duration, bool) {
	if o.Seconds == nil {
		return 0, false
	}
	return time.Duration(*o.Seconds * float64(time.Second)), true
}
