// Package ecsdeploy puts one image onto one workload: it reads the service and
// its task definition, plans, registers a new revision and moves the service to
// it. Only this package speaks to Amazon ECS.
package ecsdeploy

import (
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
)

// Status is how a request ended.
type Status string

// The statuses, as results and logs spell them.
const (
	Deployed   Status = "deployed"   // a revision is registered and UpdateService accepted
	Unchanged  Status = "unchanged"  // the service already runs this image
	Superseded Status = "superseded" // a newer event's deployment is in place; nothing was changed
	Planned    Status = "planned"    // what would change, and nothing was
	Ignored    Status = "ignored"    // not for us
	Followed   Status = "followed"   // ECS told of a rollout, and what became of it was made known
	Rejected   Status = "rejected"   // the sender's fault, which a retry cannot mend
)

// Deployment is what became of one workload's request. Its JSON is the
// contract with whoever invokes the function or reads the CLI's -json.
type Deployment struct {
	Service                string `json:"service"` // as events name the workload
	Status                 Status `json:"status"`
	Cluster                string `json:"cluster,omitempty"`
	ECSService             string `json:"ecs_service,omitempty"`
	Image                  string `json:"image,omitempty"` // the image reference in the task definition
	Tag                    string `json:"tag,omitempty"`
	Digest                 string `json:"digest,omitempty"`
	TaskDefinition         string `json:"task_definition,omitempty"`          // ARN of the revision that the service was moved to, or runs
	PreviousTaskDefinition string `json:"previous_task_definition,omitempty"` // ARN of the revision that ran before
	DeploymentID           string `json:"deployment_id,omitempty"`            // ECS's id of the rollout, "ecs-svc/…"
	Reason                 string `json:"reason,omitempty"`

	Newer Newer `json:"-"` // of a superseded one: what won
	Again bool  `json:"-"` // of a superseded one: its event was carried out before
}

// Newer is the deployment that won over another: the event that asked for it,
// if any did, and ECS's id of its rollout, as far as it is known.
type Newer struct{ EventID, DeploymentID string }

// Target is where an image is to run, by the names of the environment file.
type Target struct {
	Workload string // as events name it
	Cluster  string
	Service  string // the ECS service
	Family   string // the conventional task definition family; the service's own wins
	// Container is the conventional name of the container that runs the image,
	// Repository the ECR repository by which it is recognised first.
	Container  string
	Repository string
	Base       environment.Base
}

// TargetOf returns the target of a workload that runs as an ECS service.
func TargetOf(env *environment.Environment, w environment.Workload) Target {
	return Target{Workload: w.Name, Cluster: env.Cluster, Service: w.ECSService, Family: w.Family,
		Container: w.Container, Repository: w.Repository, Base: env.Base}
}

// Order is what is to run, and the event that asked for it.
type Order struct {
	Cause event.Cause
	Image image.Reference // with tag and digest
	Form  environment.ImageForm
	Force bool // deploy even what runs already
	Push  bool // a push asked, not a person

	Restores string // ARN of the revision that a rollback goes back to; "" of anything else
}
