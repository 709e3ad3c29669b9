package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"deployer/testbed/fleet"
)

// A result is the outcome of bursts of one size.
type result struct {
	deliveries int
	warm       bool

	runs, wrong, failed                int
	moves, registrations, calls, waits int // waits are calls that were throttled
	took                               time.Duration
}

func (r *result) add(one result) {
	r.runs++
	r.wrong += one.wrong
	r.failed += one.failed
	r.moves += one.moves
	r.registrations += one.registrations
	r.calls += one.calls
	r.waits += one.waits
	r.took += one.took
}

// String returns the result as one line, with means for each burst.
func (r result) String() string {
	mean := func(n int) float64 { return float64(n) / float64(max(r.runs, 1)) }
	processes := map[bool]string{true: "warm", false: "cold"}[r.warm]
	return fmt.Sprintf("%3d events for one service at once, %s processes: %d of %d bursts ended wrong, "+
		"%d events failed, %.1f moves, %.1f registrations, %.0f calls (%.0f throttled), %.1f s",
		r.deliveries, processes, r.wrong, r.runs, r.failed, mean(r.moves), mean(r.registrations), mean(r.calls),
		mean(r.waits), r.took.Seconds()/float64(max(r.runs, 1)))
}

type options struct {
	root        string // the project's directory
	deliveries  int
	warm        bool          // the processes are started before
	limits      bool          // ECS throttles as it does in AWS
	seed        uint64        // of the order of the deliveries
	rolloutStep time.Duration // as in [fleet.Options]
}

// runBurst sends DEPLOY events for different images of one service at once, each to a process of its own.
func runBurst(ctx context.Context, o options) (result, error) {
	services := fleet.Services{Count: 1, AutoDeploy: "latest"}
	f, err := fleet.Start(ctx, fleet.Options{
		Root: o.root, Services: services, Processes: o.deliveries, RolloutStep: o.rolloutStep, Warm: o.warm,
		Rollouts: true,
	})
	if err != nil {
		return result{}, err
	}
	defer f.Close()
	log := fleet.NewEventLog(services, f.Account)
	for range o.deliveries {
		if err := log.Push(ctx, 0); err != nil {
			return result{}, err
		}
	}
	log.Events(time.Now()) // the pushes are not delivered
	for n := range o.deliveries {
		log.Deploy(0, n+1)
	}
	events := log.Events(time.Now())
	if o.limits {
		f.AWS.LimitRates()
	}
	f.AWS.ResetCalls()
	start := time.Now()
	for _, i := range rand.New(rand.NewPCG(o.seed, 2)).Perm(len(events)) {
		if _, err := f.Function.InvokeAsync(events[i].Raw); err != nil {
			return result{}, err
		}
	}
	if err := f.Function.Wait(ctx); err != nil {
		return result{}, err
	}
	r := result{took: time.Since(start), failed: f.Failed()}
	if err := f.Settle(ctx); err != nil {
		return result{}, err
	}
	return r, r.count(ctx, f, events[len(events)-1])
}

// count counts the calls, and whether the service does not run the newest event's image.
func (r *result) count(ctx context.Context, f *fleet.Fleet, newest fleet.Event) error {
	for _, c := range f.AWS.Calls() {
		if c.Role != "deployer" {
			continue
		}
		r.calls++
		switch {
		case c.Error == "ThrottlingException":
			r.waits++
		case c.Error != "":
		case c.Operation == "RegisterTaskDefinition":
			r.registrations++
		case c.Operation == "UpdateService":
			r.moves++
		}
	}
	revisions, running, err := fleet.Revisions(ctx, f.Account, 0)
	if err != nil {
		return err
	}
	if !revisions[running-1].Runs(newest) {
		r.wrong++
	}
	return nil
}
