package emulator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A rollout is the state of a deployment.
type rollout string

const (
	inProgress rollout = "IN_PROGRESS"
	completed  rollout = "COMPLETED"
	failed     rollout = "FAILED"
)

const (
	statusPrimary = "PRIMARY"

	// The circuit breaker trips after half as many failed tasks as are desired, but not
	// before the least nor after the most.
	breakerLeast = 3
	breakerMost  = 200

	// impairedAfter is how often in a row all tasks have to fail until ECS says that it
	// cannot start them. AWS does not document its number.
	impairedAfter = 3
)

// A deployment is one task definition being rolled out, or run, by a service.
//
// A healthy one has its tasks pending for one step, running beside the old ones for
// another, and is then COMPLETED, and the old ones are gone. Of one whose image is
// broken all tasks fail at every step.
type deployment struct {
	id             string
	taskDefinition string // ARN
	status         string // PRIMARY or ACTIVE
	state          rollout
	reason         string
	rollback       bool // started by the circuit breaker
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

// deploy starts a deployment of the service's task definition.
func (e *Emulator) deploy(s *service, at time.Time) *deployment {
	d := &deployment{
		id:             e.newDeploymentID(),
		taskDefinition: s.taskDefinition,
		status:         statusPrimary,
		state:          inProgress,
		created:        at,
		updated:        at,
		desired:        s.desired,
		pending:        s.desired,
		next:           at.Add(e.rolloutStep),
	}
	d.reason = fmt.Sprintf("ECS deployment %s in progress.", d.id)
	d.digests = e.pulled(s.taskDefinition)
	for _, old := range s.deployments {
		old.status = statusActive
		old.pending = 0
	}
	s.deployments = slices.Insert(s.deployments, 0, d)
	if d.desired > 0 {
		e.say(s, at, "has started %d tasks.", d.desired)
	}
	return d
}

// startDeployment starts a deployment and tells of it.
func (e *Emulator) startDeployment(s *service, at time.Time) {
	d := e.deploy(s, at)
	e.deploymentEvent(s, d, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", at)
}

// advance brings the service's rollout up to the clock's time.
func (e *Emulator) advance(s *service) {
	now := e.clock()
	for len(s.deployments) > 0 {
		d := s.deployments[0]
		if d.next.IsZero() || d.next.After(now) {
			return
		}
		e.step(s, d, now)
	}
}

// step takes the deployment's next step.
func (e *Emulator) step(s *service, d *deployment, now time.Time) {
	at := d.next
	d.updated = at
	d.next = at.Add(e.rolloutStep)
	switch {
	case d.desired > 0 && e.broken(d):
		e.failTasks(s, d, at, now)
	case d.pending > 0:
		d.running, d.pending = d.desired, 0
		for _, old := range s.deployments[1:] {
			old.desired = 0
		}
	default:
		d.running = d.desired
		d.state, d.next = completed, time.Time{}
		d.reason = fmt.Sprintf("ECS deployment %s completed.", d.id)
		s.deployments = s.deployments[:1]
		s.completed = completion{d.id, d.taskDefinition}
		e.say(s, at, "(deployment %s) deployment completed.", d.id)
		e.say(s, at, "has reached a steady state.")
		e.deploymentEvent(s, d, "INFO", "SERVICE_DEPLOYMENT_COMPLETED", at)
	}
}

// failTasks lets the tasks of a step fail, and trips the circuit breaker when it is
// enabled and enough have failed. Without it the steps up to now are taken at once,
// since nothing but their number changes: the deployment is in progress for ever.
func (e *Emulator) failTasks(s *service, d *deployment, at, now time.Time) {
	breaker := s.breaker()
	steps := 1
	if !breaker.Enable {
		steps += int(now.Sub(at) / e.rolloutStep)
	}
	last := at.Add(time.Duration(steps-1) * e.rolloutStep)
	d.updated, d.next = last, last.Add(e.rolloutStep)
	d.failedTasks += d.desired * steps
	if before := d.failedSteps; before < impairedAfter && before+steps >= impairedAfter {
		e.impaired(s, at.Add(time.Duration(impairedAfter-before-1)*e.rolloutStep))
	}
	d.failedSteps += steps
	threshold := min(max(int(math.Ceil(float64(d.desired)/2)), breakerLeast), breakerMost)
	if !breaker.Enable || d.failedTasks < threshold {
		return
	}
	d.state, d.next, d.pending = failed, time.Time{}, 0
	d.reason = "ECS deployment circuit breaker: tasks failed to start."
	e.say(s, at, "(deployment %s) deployment failed: tasks failed to start.", d.id)
	e.deploymentEvent(s, d, "ERROR", "SERVICE_DEPLOYMENT_FAILED", at)
	if breaker.Rollback && !d.rollback && s.completed != (completion{}) {
		e.rollBack(s, d, at)
	}
}

// impaired tells that the service's tasks do not start. AWS tells it of services with a
// circuit breaker too, and again from time to time; here it comes once for a deployment.
func (e *Emulator) impaired(s *service, at time.Time) {
	e.say(s, at, "is unable to consistently start tasks successfully.")
	e.sendServiceEvent(s.scopeKey, at, "aws.ecs", "ECS Service Action", []string{s.arn()}, object{
		"eventType":  "WARN",
		"eventName":  "SERVICE_TASK_START_IMPAIRED",
		"clusterArn": s.clusterARN(s.cluster),
		"createdAt":  at.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

// rollBack starts a deployment of what was last completed.
func (e *Emulator) rollBack(s *service, d *deployment, at time.Time) {
	d.desired = 0
	s.taskDefinition = s.completed.taskDefinition
	b := e.deploy(s, at)
	b.rollback = true
	b.reason = fmt.Sprintf("ECS deployment circuit breaker: rolling back to deploymentId %s.", s.completed.deployment)
	e.say(s, at, "rolling back to deployment %s.", s.completed.deployment)
	e.deploymentEvent(s, b, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", at)
}

// broken reports whether the deployment's tasks cannot become healthy now.
func (e *Emulator) broken(d *deployment) bool {
	_, key, _, _ := splitARN(d.taskDefinition)
	return slices.ContainsFunc(e.referredTaskDefinition(key, d.taskDefinition).images, func(image string) bool {
		return !e.imageExists(image) || slices.ContainsFunc(e.brokenImages, func(part string) bool {
			return strings.Contains(image, part)
		})
	})
}

// deploymentEvent sends an ECS Deployment State Change event.
func (e *Emulator) deploymentEvent(s *service, d *deployment, kind, name string, at time.Time) {
	e.sendServiceEvent(s.scopeKey, at, "aws.ecs", "ECS Deployment State Change", []string{s.arn()}, object{
		"eventType":    kind,
		"eventName":    name,
		"deploymentId": d.id,
		"updatedAt":    seconds(at),
		"reason":       d.reason,
	})
}

func (d *deployment) describe(s *service) object {
	o := object{
		"id":                 d.id,
		"status":             d.status,
		"taskDefinition":     d.taskDefinition,
		"desiredCount":       d.desired,
		"pendingCount":       d.pending,
		"runningCount":       d.running,
		"failedTasks":        d.failedTasks,
		"createdAt":          timestamp(d.created),
		"updatedAt":          timestamp(d.updated),
		"rolloutState":       d.state,
		"rolloutStateReason": d.reason,
	}
	for _, name := range []string{"launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration", "serviceConnectConfiguration", "volumeConfigurations"} {
		if value, ok := s.fields[name]; ok {
			o[name] = value
		}
	}
	return o
}
