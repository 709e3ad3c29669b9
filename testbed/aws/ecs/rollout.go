package ecs

import (
	"fmt"
	"math"
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

const (
	// The circuit breaker triggers after half as many failed tasks as desired, within these bounds (ECS developer
	// guide, "How the Amazon ECS deployment circuit breaker detects failures").
	minThreshold = 3
	maxThreshold = 200

	// impairedAfter is after how many failures of all tasks in a row ECS reports that it cannot start tasks. AWS does
	// not document the number.
	impairedAfter = 3
)

// The stages in which a rollout takes time or changes tasks.
const (
	stageReconcile = "RECONCILE_SERVICE"
	stageScaleUp   = "SCALE_UP"
	stageTestShift = "TEST_TRAFFIC_SHIFT"
	stagePreShift  = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	stageShift     = "PRODUCTION_TRAFFIC_SHIFT"
	stageBake      = "BAKE_TIME"
)

// stages are the lifecycle stages of a deployment in their order (ECS developer guide, "Lifecycle hooks for Amazon ECS
// service deployments"). A rolling deployment has them too, so that it can be paused, but does not bake.
var stages = []string{
	stageReconcile, "PRE_SCALE_UP", stageScaleUp, "POST_SCALE_UP", stageTestShift, "POST_TEST_TRAFFIC_SHIFT",
	stagePreShift, stageShift, "POST_PRODUCTION_TRAFFIC_SHIFT", stageBake, "CLEAN_UP",
}

// unpausable are the stages at which a pause hook is an error.
var unpausable = []string{stageScaleUp, stageTestShift, stageShift, stageBake, "CLEAN_UP"}

// advance advances the service's rollout to the clock's time.
func (e *Server) advance(s *service) {
	now := e.backend.Clock()
	for len(s.deployments) > 0 {
		d := s.deployments[0]
		if d.next.IsZero() || d.next.After(now) {
			break
		}
		e.failLate(s, d.next)
		e.step(s, d, now)
	}
	e.failLate(s, now)
	for _, record := range s.history {
		record.stop(now, e.options.RolloutStep)
	}
}

// step ends the deployment's current stage, or a failed attempt to start its tasks.
func (e *Server) step(s *service, d *deployment, now time.Time) {
	at := d.next
	d.updated = at
	failure, fails := e.failure(d)
	switch {
	case d.record.paused():
		e.expire(s, d, at)
		return
	case d.desired > 0 && fails:
		e.failTasks(s, d, failure, at, now)
		return
	case stages[d.stage] == stageScaleUp:
		e.scaledUp(s, d)
	}
	e.proceed(s, d, at)
}

// proceed starts the next stage that takes time, or completes the deployment.
func (e *Server) proceed(s *service, d *deployment, at time.Time) {
	for d.stage = d.nextStage(); d.stage < len(stages); d.stage = d.nextStage() {
		wait := e.begin(s, d, at)
		if wait > 0 {
			d.next = at.Add(wait)
			return
		}
	}
	e.complete(s, d, at)
}

// begin starts the deployment's stage and returns how long it lasts, which may be zero. A rollback neither bakes nor
// pauses.
func (e *Server) begin(s *service, d *deployment, at time.Time) time.Duration {
	stage := stages[d.stage]
	switch {
	case stage == stageScaleUp:
		d.pending = d.desired
		if d.desired > 0 {
			e.addMessage(s, at, "has started %d tasks.", d.desired)
		}
		return e.options.RolloutStep
	case stage == stageShift:
		return e.shift(d)
	case d.rollback, stage == stageReconcile && len(s.deployments) <= 2:
		return 0
	case stage == stageBake && d.record.configuration.shifts():
		return time.Duration(d.record.configuration.Bake) * e.options.BakeMinute
	}
	return e.pause(s, d, stage, at)
}

// scaledUp makes the deployment's tasks run. Old tasks stop, unless traffic has to be shifted from them first.
func (e *Server) scaledUp(s *service, d *deployment) {
	d.running, d.pending = d.desired, 0
	d.record.startRollback()
	if d.record.configuration.shifts() && !d.rollback {
		return
	}
	for _, old := range s.deployments[1:] {
		old.desired = 0
	}
}

// complete completes a deployment.
func (e *Server) complete(s *service, d *deployment, at time.Time) {
	d.running = d.desired
	d.state, d.next, d.updated = completed, time.Time{}, at
	d.reason = fmt.Sprintf("ECS deployment %s completed.", d.id)
	for _, old := range s.deployments[1:] {
		old.desired, old.pending, old.running = 0, 0, 0
	}
	s.deployments = slices.DeleteFunc(s.deployments, func(old *deployment) bool {
		return old != d && old.late.IsZero() && old.gone.IsZero()
	})
	s.completed = completion{d.id, d.taskDefinition, d.revision}
	if d.rollback {
		d.record.end(rollbackSuccessful, at)
	} else {
		d.record.end(successful, at)
	}
	e.addMessage(s, at, "(deployment %s) deployment completed.", d.id)
	e.addMessage(s, at, "has reached a steady state.")
	e.deploymentEvent(s, d, "INFO", "SERVICE_DEPLOYMENT_COMPLETED", at)
}

// failTasks fails the tasks of a step, and triggers the circuit breaker if it is enabled and enough have failed.
// Without a circuit breaker the deployment stays in progress, so the steps until now are taken at once. With one, it is
// silent for long if the image cannot be pulled.
func (e *Server) failTasks(s *service, d *deployment, f taskFailure, at, now time.Time) {
	breaker := s.configuration().Breaker
	steps := 1
	if !breaker.Enable {
		steps += int(now.Sub(at) / e.options.RolloutStep)
	}
	last := at.Add(time.Duration(steps-1) * e.options.RolloutStep)
	d.updated, d.next = last, last.Add(e.options.RolloutStep)
	d.failedTasks += d.desired * steps
	e.addStopped(s, d, f, d.desired*steps, last)
	before := d.failedSteps
	d.failedSteps += steps
	if before < impairedAfter && d.failedSteps >= impairedAfter {
		e.impaired(s, at.Add(time.Duration(impairedAfter-before-1)*e.options.RolloutStep))
	}
	if !breaker.Enable || d.failedTasks < Threshold(d.desired) {
		return
	}
	if f.code == taskFailedToStart && !d.silent {
		d.silent, d.next = true, d.created.Add(pullSilence*e.options.RolloutStep)
		if d.failedSteps < impairedAfter {
			d.failedSteps = impairedAfter
			e.impaired(s, at)
		}
		return
	}
	e.fail(s, d, at, failure{
		cause: "ECS deployment circuit breaker", what: "tasks failed to start.",
		why: "the circuit breaker threshold was exceeded.", rollback: breaker.Rollback,
	})
}

// Threshold returns the number of failed tasks that triggers the circuit breaker of a service, by how many it desires.
func Threshold(desired int) int {
	return min(max(int(math.Ceil(float64(desired)/2)), minThreshold), maxThreshold)
}

// impaired reports that the service's tasks do not start (ECS developer guide, "Amazon ECS service action events"). AWS
// repeats the event from time to time; here it is sent once for each deployment.
func (e *Server) impaired(s *service, at time.Time) {
	e.addMessage(s, at, "is unable to consistently start tasks successfully.")
	e.publish(s.scope, at, "ECS Service Action", []string{s.arn()}, api.Object{
		"eventType":  "WARN",
		"eventName":  "SERVICE_TASK_START_IMPAIRED",
		"clusterArn": clusterARN(s.scope, s.cluster),
		"createdAt":  at.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

// A failure is why a deployment does not complete.
type failure struct {
	cause, what string // the reason of the deployment is "cause: what"
	why         string // the reason of the service deployment is "... rolled back because why"
	rollback    bool   // whether to roll back
}

// fail ends a deployment that does not complete, and rolls it back if the failure says so. It is an assumption that ECS
// sends the event for a deployment that a caller stopped, too.
func (e *Server) fail(s *service, d *deployment, at time.Time, f failure) {
	d.next, d.pending, d.updated = time.Time{}, 0, at
	record := d.record
	why := f.cause + ": " + f.what
	e.addMessage(s, at, "(deployment %s) deployment failed: %s", d.id, f.what)
	if late := f.rollback && !d.rollback && s.completed != (completion{}) && e.failureDelay > 0; late {
		d.late, d.lateReason = at.Add(e.failureDelay), why
	} else {
		d.state, d.reason = failed, why
		e.deploymentEvent(s, d, "ERROR", "SERVICE_DEPLOYMENT_FAILED", at)
	}
	switch {
	case d.rollback:
		record.end(rollbackFailed, at)
	case !f.rollback:
		record.reason = why
		record.end(stopped, at)
	case s.completed == (completion{}):
		record.reason = "No rollback candidate was found to run the rollback."
		record.end(rollbackFailed, at)
	default:
		record.reason = "Service deployment rolled back because " + f.why
		e.rollBack(s, d, at, f.cause)
	}
}

// rollBack starts a deployment of the last task definition whose deployment completed.
func (e *Server) rollBack(s *service, d *deployment, at time.Time, cause string) {
	d.desired, d.weight = 0, 0
	s.taskDefinition = s.completed.taskDefinition
	b := e.deploy(s, at)
	b.rollback, b.record, b.revision = true, d.record, s.completed.revision
	b.reason = fmt.Sprintf("%s: rolling back to deploymentId %s.", cause, s.completed.deployment)
	d.record.rollback, d.record.status, d.record.updated = b, rollbackRequested, at
	e.proceed(s, b, at)
	e.addMessage(s, at, "rolling back to deployment %s.", s.completed.deployment)
	e.deploymentEvent(s, b, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", at)
}
