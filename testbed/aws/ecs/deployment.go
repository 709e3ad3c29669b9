package ecs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// A rolloutState is the state of a deployment's rollout.
type rolloutState string

const (
	inProgress rolloutState = "IN_PROGRESS"
	completed  rolloutState = "COMPLETED"
	failed     rolloutState = "FAILED"
)

const statusPrimary = "PRIMARY"

// A deployment is one task definition that a service rolls out or runs.
//
// Its tasks are pending for one step and run beside the old ones for another; then it is COMPLETED and the old tasks
// are stopped. Baking and pauses come in between, see [stages]. If the image is broken, all tasks fail at every step.
type deployment struct {
	id             string
	revision       string // of the service; a rollback has the revision that it rolls back to
	taskDefinition string // ARN
	status         string // PRIMARY or ACTIVE
	state          rolloutState
	reason         string
	rollback       bool               // of another deployment that failed or was stopped
	record         *serviceDeployment // the service deployment that it is part of
	stage          int                // the index in stages
	weight         float64            // the percentage of the production traffic that it gets
	created        time.Time
	updated        time.Time
	desired        int
	pending        int
	running        int
	failedTasks    int
	failedSteps    int               // steps in which all tasks failed
	silent         bool              // ECS waits long before it tries again to pull the image
	digests        map[string]string // by image reference, when the deployment started
	next           time.Time         // the time of the next step, zero if there is none

	late       time.Time // when it becomes FAILED, if it is rolled back; see [Server.DelayFailures]
	lateReason string    // and the reason then
	gone       time.Time // when it is no longer listed after that
}

// deploy adds a deployment of the service's task definition, which has not started yet.
func (e *Server) deploy(s *service, at time.Time) *deployment {
	d := &deployment{
		id:             e.newDeploymentID(),
		taskDefinition: s.taskDefinition,
		status:         statusPrimary,
		state:          inProgress,
		stage:          -1,
		created:        at,
		updated:        at,
		desired:        s.desired,
	}
	d.revision = strings.TrimPrefix(d.id, "ecs-svc/") // AWS uses the same number for both
	d.reason = fmt.Sprintf("ECS deployment %s in progress.", d.id)
	d.digests = e.imageDigests(s.taskDefinition)
	for _, old := range s.deployments {
		if old.gone.IsZero() {
			old.status = statusActive
		}
		old.pending = 0
	}
	s.deployments = slices.Insert(s.deployments, 0, d)
	return d
}

// startDeployment starts a deployment and sends its event.
func (e *Server) startDeployment(s *service, at time.Time) {
	d := e.deploy(s, at)
	e.addServiceDeployment(s, d, at)
	e.deploymentEvent(s, d, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", at)
	e.proceed(s, d, at)
}

// deploymentEvent sends an ECS Deployment State Change event (ECS developer guide, "Amazon ECS service deployment state
// change events").
func (e *Server) deploymentEvent(s *service, d *deployment, kind, name string, at time.Time) {
	e.publish(s.scope, at, "ECS Deployment State Change", []string{s.arn()}, api.Object{
		"eventType":    kind,
		"eventName":    name,
		"deploymentId": d.id,
		"updatedAt":    api.EventTime(at),
		"reason":       d.reason,
	})
}

func (d *deployment) describe(s *service) api.Object {
	o := api.Object{
		"id":             d.id,
		"status":         d.status,
		"taskDefinition": d.taskDefinition,
		"desiredCount":   d.desired,
		"pendingCount":   d.pending,
		"runningCount":   d.running,
		"failedTasks":    d.failedTasks,
		"createdAt":      api.Timestamp(d.created),
		"updatedAt":      api.Timestamp(d.updated),
	}
	if !s.configuration().shifts() { // "only returned for services that use the rolling update" (API, "Deployment")
		o["rolloutState"], o["rolloutStateReason"] = d.state, d.reason
	}
	for _, name := range []string{"launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration",
		"serviceConnectConfiguration", "volumeConfigurations"} {
		if value, ok := s.fields[name]; ok {
			o[name] = value
		}
	}
	return o
}

// newDeploymentID returns a new identifier of a deployment: ecs-svc/ and 19 digits.
func (e *Server) newDeploymentID() string {
	id := e.backend.NewID()
	const smallest = 1_000_000_000_000_000_000
	return fmt.Sprintf("ecs-svc/%d", smallest+binary.BigEndian.Uint64(id[:])%(8*smallest))
}
