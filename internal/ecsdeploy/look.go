package ecsdeploy

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// ECS's reads are eventually consistent with its events, so a service is read until it
// shows the rollout of a new event, or a newer one.
const (
	maxLookReads     = 20
	lookReadInterval = 250 * time.Millisecond
	eventIsNew       = time.Minute
)

// Look looks at a target's service after ECS's event about its rollout with an id: if
// the newest choice does not run, it is completed. It returns the revision that the
// service was moved to, "" if it was not. Only the event of the service's newest rollout
// leads to anything. Order has the caller's principal and request, and the time of the
// event.
func (d *Deployer) Look(ctx context.Context, t ecsservice.Target, rollout string, o Order) (moved string, err error) {
	s, err := d.readAfter(ctx, t, rollout, o.Cause.Time)
	if err != nil || s.primary != rollout || rollout == "" {
		return "", err
	}
	unlock, waited, err := d.locks.lock(ctx, t.Cluster+"/"+t.Service, d.now())
	if err != nil {
		return "", fault.Classify(fmt.Sprintf("waiting for another deployment of service %q", t.Service), err)
	}
	defer unlock()
	if waited {
		s.freshService, s.freshNewest = false, false
	}
	rule := converge.New(converge.Request{Rollout: rollout, Delivery: journal.Value(o.Request)})
	if err := d.newRun(ctx, s, o).carryOut(ctx, &rule); err != nil || s.rollout == "" {
		return "", err
	}
	return s.running.ARN(), nil
}

// readAfter reads the service after an event of a rollout that happened at a time.
func (d *Deployer) readAfter(ctx context.Context, t ecsservice.Target, rollout string, at time.Time) (*State, error) {
	for reads := 1; ; reads++ {
		s, err := d.Read(ctx, t)
		if err != nil || reads == maxLookReads || d.now().Sub(at) > eventIsNew || s.shows(rollout, at) {
			return s, err
		}
		if err := fault.Wait(ctx, lookReadInterval); err != nil {
			return s, fault.Classify("waiting for ECS to show a rollout", err)
		}
	}
}

// shows reports whether the service's deployments include a rollout that began before a
// time, or a newer one.
func (s *State) shows(rollout string, at time.Time) bool {
	for _, r := range s.rolls {
		if r.ID == rollout || r.ID != "" && r.Created >= at.UnixNano() {
			return true
		}
	}
	return false
}
