package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/fleet"
)

// The limits for a storm of 50 services.
const (
	maxSeconds = 35.0
	maxWasted  = 2.0 // throttled calls for each deployment
)

// A result is the outcome of a storm.
type result struct {
	services, events, invocations int
	deployed                      int // services that run the pushed image
	lost                          int // invocations that failed for good
	throttledRegistrations        int
	throttledOthers               int
	took                          time.Duration
}

// runStorm pushes to every service at once, against ECS's own rate limits and in real time. With shared, all services
// run the same image, so one event deploys them all.
func runStorm(ctx context.Context, root string, services int, shared bool) (*result, error) {
	s := fleet.Services{Count: services, Shared: shared, AutoDeploy: "latest"}
	f, err := fleet.Start(ctx, fleet.Options{Root: root, Services: s, Processes: services, RolloutStep: time.Second})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := push(ctx, s, f.Account)
	if err != nil {
		return nil, err
	}
	f.AWS.LimitRates() // the set-up is not limited, so the buckets are full
	f.AWS.ResetCalls()
	start := time.Now()
	for _, e := range events {
		if _, err := f.Function.InvokeAsync(e.Raw); err != nil {
			return nil, err
		}
	}
	if err := f.Function.Wait(ctx); err != nil {
		return nil, err
	}
	r := &result{services: services, events: len(events), took: time.Since(start), lost: f.Failed()}
	for _, n := range f.Attempts() {
		r.invocations += n
	}
	return r, r.count(ctx, f.AWS, f.Account, events)
}

// push pushes one image to each repository and returns the events of the tag latest.
func push(ctx context.Context, s fleet.Services, a *accounts.Account) ([]fleet.Event, error) {
	repositories := s.Count
	if s.Shared {
		repositories = 1
	}
	log := fleet.NewEventLog(s, a)
	for i := range repositories {
		if err := log.Push(ctx, i); err != nil {
			return nil, err
		}
	}
	var latest []fleet.Event
	for _, e := range log.Events(time.Now()) {
		if e.Tag == "latest" {
			latest = append(latest, e)
		}
	}
	return latest, nil
}

// count counts the throttled calls and the services that were deployed.
func (r *result) count(ctx context.Context, aws *emulator.Emulator, a *accounts.Account, events []fleet.Event) error {
	for _, c := range aws.Calls() {
		switch {
		case c.Error == "":
		case c.Operation == "RegisterTaskDefinition":
			r.throttledRegistrations++
		default:
			r.throttledOthers++
		}
	}
	for i := range r.services {
		revisions, running, err := fleet.Revisions(ctx, a, i)
		if err != nil {
			return err
		}
		if deployed(events[i%len(events)], revisions, running) {
			r.deployed++
		}
	}
	return nil
}

// deployed reports whether a service runs the event's image with the only revision that was registered, for the event.
func deployed(e fleet.Event, revisions []fleet.Revision, running int) bool {
	if len(revisions) != 2 || running != 2 {
		return false
	}
	r := revisions[1]
	return r.EventID == e.ID && r.EventTime.Equal(e.Time) && strings.HasSuffix(r.Image, "@"+e.Image)
}

// wasted returns how many calls were throttled for each service.
func (r *result) wasted() float64 {
	return float64(r.throttledRegistrations+r.throttledOthers) / float64(r.services)
}

// Check returns an error if a deployment is missing or a limit is exceeded.
func (r *result) Check() error {
	if r.deployed == r.services && r.lost == 0 && r.took.Seconds() <= maxSeconds && r.wasted() <= maxWasted {
		return nil
	}
	return fmt.Errorf("%d of %d services deployed, %d events lost, in %.1f s (limit %.0f s), "+
		"%.2f attempts wasted per deploy (limit %.0f)",
		r.deployed, r.services, r.lost, r.took.Seconds(), maxSeconds, r.wasted(), maxWasted)
}

// String returns the result as one line.
func (r *result) String() string {
	return fmt.Sprintf("%d services pushed at once by %d events: %d deployed in %.1f s, %d events lost, %d "+
		"invocations, "+
		"%.2f attempts wasted per deploy (%d registrations and %d other calls throttled)",
		r.services, r.events, r.deployed, r.took.Seconds(), r.lost, r.invocations,
		r.wasted(), r.throttledRegistrations, r.throttledOthers)
}
