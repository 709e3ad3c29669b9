package ecs

import (
	"slices"
	"time"
)

// DelayFailures sets how long after the start of its rollback a deployment becomes FAILED and DRAINING. Until then it
// is ACTIVE and IN_PROGRESS, and the rollback may be COMPLETED before. In AWS that takes seconds to minutes (answers of
// DescribeServices and a timeline that accounts have published: rollback PRIMARY after 11m44s, FAILED after 13m30s).
// By default it is FAILED at once, and a test need not wait for it.
func (e *Server) DelayFailures(by time.Duration) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.failureDelay = by
}

// failLate makes deployments FAILED that are due until a time. They are listed for one more step.
func (e *Server) failLate(s *service, until time.Time) {
	for _, d := range s.deployments {
		if d.late.IsZero() || d.late.After(until) {
			continue
		}
		at := d.late
		d.state, d.reason, d.status, d.updated = failed, d.lateReason, "DRAINING", at
		d.late, d.gone = time.Time{}, at.Add(e.options.RolloutStep)
		e.deploymentEvent(s, d, "ERROR", "SERVICE_DEPLOYMENT_FAILED", at)
	}
	s.deployments = slices.DeleteFunc(s.deployments, func(d *deployment) bool {
		return !d.gone.IsZero() && !d.gone.After(until)
	})
}
