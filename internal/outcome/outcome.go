// Package outcome makes the end of every deployment known: as an event on the
// bus that anybody may listen to, and as metrics in the function's own log.
package outcome

import (
	"encoding/json"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// Kind is what became of a deployment: the detail-type of its event.
type Kind string

// The kinds.
const (
	DeploymentStarted    Kind = "Deployment Started"    // ECS has accepted to move the service
	DeploymentSucceeded  Kind = "Deployment Succeeded"  // the service runs the new revision
	DeploymentFailed     Kind = "Deployment Failed"     // it does not: ECS gave up, or the deployer was refused
	DeploymentRejected   Kind = "Deployment Rejected"   // the sender's fault, which a retry cannot mend
	DeploymentSuperseded Kind = "Deployment Superseded" // a newer one took its place
)

// Source is the source of every outcome's event.
const Source = "deployer"

// Outcome is what became of one deployment: the detail of an event on the bus.
// Fields that are unknown are absent, and never empty. docs/reference/outcome.schema.json
// is its contract; a constructor such as [Succeeded] checks and completes it.
type Outcome struct {
	Kind       Kind      `json:"-"` // the event's detail-type; set by the constructor
	Time       time.Time `json:"-"` // when it happened: the event's time
	Accepted   time.Time `json:"-"` // when ECS accepted to move the service, for the metrics
	ServiceARN string    `json:"-"` // of the ECS service: the event's resource
	Unproven   bool      `json:"-"` // somebody else deployed what ran before: who goes back to it has to name it
	Gone       bool      `json:"-"` // the service was deleted: there is nothing to roll back

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

	RolledBackTo Revision        `json:"rolled_back_to,omitzero"` // of a failure
	SupersededBy Newer           `json:"superseded_by,omitzero"`
	Foreign      bool            `json:"foreign,omitempty"` // somebody else deployed: the revision has no journal
	Links        Links           `json:"links,omitzero"`    // set by the constructor
	Event        json.RawMessage `json:"event,omitempty"`   // the event that asked, as it came, of a rejection or a failure
	Message      string          `json:"message"`           // one sentence for people; set by the constructor
}

// Change is what ran before and what is to run after a deployment.
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

// Of returns what every outcome of a workload says; the workload is the zero
// value where an event named none. The environment must know its account for
// the service's ARN to be known.
func Of(env *environment.Environment, w environment.Workload) Outcome {
	o := Outcome{Environment: env.Name, Project: env.Project, Service: w.Name}
	if !w.Deployable() {
		return o
	}
	o.Cluster = env.Cluster
	if env.AccountID != "" {
		o.ServiceARN = w.Pointer.ARN(env)
	}
	return o
}

// Ended reports whether nothing more will come of the deployment.
func (o Outcome) Ended() bool { return o.Kind != DeploymentStarted }

// CanRollBack reports whether there is a deployment to undo: one that took
// effect, and that neither ECS nor the service's end has undone.
func (o Outcome) CanRollBack() bool {
	return !o.Gone && o.Service != "" && o.Revision.Before != "" && o.Revision.After != "" && o.RolledBackTo == Revision{} &&
		(o.Kind == DeploymentSucceeded || o.Kind == DeploymentFailed)
}

// Undo returns the command that rolls the deployment back, in which FILE stands
// for the environment's file; "" where there is nothing to undo.
func (o Outcome) Undo() string {
	if !o.CanRollBack() {
		return ""
	}
	command := "deployer rollback -f FILE " + o.Service
	if n := number(o.Revision.Before); o.Unproven && n != "" {
		command += " -to " + n
	}
	return command
}

// Why returns why a deployment failed or was rejected: in ECS's words if there
// are any, else in the deployer's.
func (o Outcome) Why() string {
	if o.ECSReason != "" {
		return o.ECSReason
	}
	return o.Problem
}
