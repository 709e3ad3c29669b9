package ecs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// A rollout is the state of a deployment.
type rollout string

const (
	inProgress rollout = "IN_PROGRESS"
	completed  rollout = "COMPLETED"
	failed     rollout = "FAILED"
)

const statusPrimary = "PRIMARY"

// A deployment is one task definition being rolled out, or run, by a service.
//
// A healthy one has its tasks pending for one step, running beside the old ones for
// another, and is then COMPLETED, and the old ones are gone; what bakes or pauses it
// comes in between, see [stages]. Of one whose image is broken all tasks fail at every
// step.
type deployment struct {
	id             string
	revision       string // of the service; that of a rollback is older than itself
	taskDefinition string // ARN
	status         string // PRIMARY or ACTIVE
	state          rollout
	reason         string
	rollback       bool               // of another deployment, which failed or was stopped
	record         *serviceDeployment // that it belongs to
	stage          int                // in stages
	created        time.Time
	updated        time.Time
	desired        int
	pending        int
	running        int
	failedTasks    int
	failedSteps    int               // steps whose tasks all failed
	digests        map[string]string // of the images, as they were when it began
	next           time.Time         // of its next step; zero when there is none
}

// deploy makes a deployment of the service's task definition, which has yet to begin.
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
	d.revision = strings.TrimPrefix(d.id, "ecs-svc/") // the two numbers are the same in AWS too
	d.reason = fmt.Sprintf("ECS deployment %s in progress.", d.id)
	d.digests = e.pulled(s.taskDefinition)
	for _, old := range s.deployments {
		old.status = statusActive
		old.pending = 0
	}
	s.deployments = slices.Insert(s.deployments, 0, d)
	return d
}

// startDeployment starts a deployment and tells of it.
func (e *Server) startDeployment(s *service, at time.Time) {
	d := e.deploy(s, at)
	e.keepRecord(s, d, at)
	e.deploymentEvent(s, d, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", at)
	e.proceed(s, d, at)
}

// broken reports whether the deployment's tasks cannot become healthy now.
func (e *Server) broken(d *deployment) bool {
	_, key, _, _ := api.SplitARN(d.taskDefinition)
	return slices.ContainsFunc(e.referredTaskDefinition(key, d.taskDefinition).images, func(image string) bool {
		return !e.registries.Pullable(image) || slices.ContainsFunc(e.brokenImages, func(part string) bool {
			return strings.Contains(image, part)
		})
	})
}

// deploymentEvent sends an ECS Deployment State Change event.
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
		"id":                 d.id,
		"status":             d.status,
		"taskDefinition":     d.taskDefinition,
		"desiredCount":       d.desired,
		"pendingCount":       d.pending,
		"runningCount":       d.running,
		"failedTasks":        d.failedTasks,
		"createdAt":          api.Timestamp(d.created),
		"updatedAt":          api.Timestamp(d.updated),
		"rolloutState":       d.state,
		"rolloutStateReason": d.reason,
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
