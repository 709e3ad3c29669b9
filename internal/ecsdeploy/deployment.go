// Package ecsdeploy deploys one image to one workload: it reads the service and
// its task definition family, plans, registers a new revision, and updates the
// service to it. Package converge is the rule for what it does.
//
//	state, err := deployer.Read(ctx, target)
//	deployment, err := deployer.Deploy(ctx, state, order)
//
// Its files:
//
//   - state.go has what was read, and view.go what the rule sees of it.
//   - run.go makes the calls of the rule, with reread.go, origin.go and task.go.
//   - plan.go makes the revision to register, with clone.go, copy.go and body.go.
//   - turns.go, locks.go and memory.go have what the deployments of one process share.
//   - look.go, rollback.go, seen.go and change.go have what else is asked about a service.
package ecsdeploy

import (
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// Status is how a request ended.
type Status string

// The statuses, as results and logs spell them.
const (
	Deployed   Status = "deployed"   // ECS accepted an update
	Unchanged  Status = "unchanged"  // the service already runs this image, or the event was carried out before
	Superseded Status = "superseded" // a newer event or external rollout won; at most its update was completed
	Planned    Status = "planned"    // a dry run: says what would change
	Ignored    Status = "ignored"    // not for this environment, or not repeated: the event's rollout failed before
	Followed   Status = "followed"   // a rollout event of ECS, whose outcome was reported
	Waiting    Status = "waiting"    // the image is not in ECR yet: the event is handled again later
	Rejected   Status = "rejected"   // the sender's fault, which a retry cannot mend
)

// Deployment is the result of one workload's request. Its JSON is part of the
// function's answer and of what the command line prints as JSON.
type Deployment struct {
	Service                string `json:"service"` // as events name the workload
	Status                 Status `json:"status"`
	Cluster                string `json:"cluster,omitempty"`
	ECSService             string `json:"ecs_service,omitempty"`
	Image                  string `json:"image,omitempty"` // the image reference in the task definition
	Tag                    string `json:"tag,omitempty"`
	Digest                 string `json:"digest,omitempty"`
	TaskDefinition         string `json:"task_definition,omitempty"`          // ARN of the revision that runs now
	PreviousTaskDefinition string `json:"previous_task_definition,omitempty"` // ARN of the revision that ran before
	DeploymentID           string `json:"deployment_id,omitempty"`            // ECS's id of the rollout, "ecs-svc/…"
	Reason                 string `json:"reason,omitempty"`

	// Recorded is the ARN of the revision that records the event of an unchanged deployment. The
	// workload runs another one.
	Recorded string `json:"recorded,omitempty"`

	LastFailure *LastFailure `json:"last_failure,omitempty"` // the last rollout of the image, if it failed

	// HeldBack means that nothing is wrong with the request itself: its event deploys all of
	// its workloads or none, and another one cannot be deployed.
	HeldBack bool `json:"-"`

	// RolloutFailed means that it is ignored because the event's rollout failed before.
	RolloutFailed bool `json:"-"`

	Newer Newer `json:"-"` // what superseded it, if it was superseded
	// Pointers are what starts a task, which has no ECS service.
	Pointers []string `json:"pointers,omitempty"`
	// Ended are the records of revisions of a task whose move has ended, and is to be
	// reported and noted in their journals: the newest choice's first. NextRun says when
	// the task runs next, as [NextRun] does.
	Ended   []journal.Record `json:"-"`
	Before  journal.Record   `json:"-"` // of the revision that the task ran before
	NextRun string           `json:"-"`

	EventSeen bool `json:"-"` // it was superseded, and its event was handled before: see [Deployer.EventSeen]
}

// Newer is the deployment that superseded another: the event that asked for it,
// if there was one, and ECS's id of its rollout, as far as they are known.
type Newer struct{ EventID, DeploymentID string }

// Order is an image to deploy, and the event that asked for it.
type Order struct {
	Cause event.Cause
	Image image.Reference // with tag and digest
	// Manifest says which platforms the image is built for; the zero value, that it is
	// not known.
	Manifest image.Manifest
	Form     environment.ImageForm
	Force    bool // deploy even if the service runs the image
	// Unattended means that no person asked for it, but a push of the image or a change of
	// configuration: it does not end a rollback of ECS's.
	Unattended bool

	// Configuration means that a newer configuration of the family is deployed too, even
	// if the service runs the image.
	Configuration bool
	Redeploy      bool   // Image is what the service runs, which its tag need not have any more
	Principal     string // see [journal.Principal]; "" if it is not known
	Request       string // the invocation, so that another delivery of the event is known; "" if it has no id

	Restores string // ARN of the revision that a rollback restores; "" for any other deployment
}
