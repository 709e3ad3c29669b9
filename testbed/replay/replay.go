package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/fleet"
)

// processes is how many of the function's processes run at a time.
const processes = 8

// The shares of the calls that meet a fault.
const (
	throttledShare = 0.05
	failedShare    = 0.02 // with a server fault
	droppedShare   = 0.01 // take effect, but their answer is lost
)

type options struct {
	root       string // the project's directory
	services   int
	deliveries int
	seed       uint64
	throttled  []string // the operations that are throttled
}

// replay delivers events in disorder, with faults, and returns what became of them.
func replay(ctx context.Context, o options) (*result, error) {
	updates := newUpdateRecorder()
	services := fleet.Services{Count: o.services, AutoDeploy: `latest, "git-*"`}
	f, err := fleet.Start(ctx, fleet.Options{
		Root: o.root, Services: services, Processes: processes, RolloutStep: time.Millisecond,
		Front: func(aws http.Handler) http.Handler { updates.aws = aws; return updates },
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()

	g := newGenerator(services, f.Account, rand.New(rand.NewPCG(o.seed, 1)))
	copies := g.copies(o.deliveries)
	if err := g.generate(ctx, len(copies)); err != nil {
		return nil, err
	}
	events := g.log.Events(len(copies), time.Now())
	deliveries := g.shuffle(events, copies)

	o.injectFaults(f.AWS)
	f.AWS.ResetCalls()
	start := time.Now()
	requests := map[string][]string{} // the request ids of the deliveries of each event
	for _, e := range deliveries {
		id, err := f.Function.InvokeAsync(e.Raw)
		if err != nil {
			return nil, err
		}
		requests[e.ID] = append(requests[e.ID], id)
	}
	if err := f.Function.Wait(ctx); err != nil {
		return nil, err
	}
	took := time.Since(start)
	f.AWS.ClearFaults()

	r, err := evaluate(ctx, f, updates, o.services, events, requests)
	if err != nil {
		return nil, err
	}
	r.deliveries, r.took = len(deliveries), took
	return r, nil
}

func (o options) injectFaults(aws *emulator.Emulator) {
	for _, operation := range o.throttled {
		aws.Inject(emulator.Fault{Operation: operation, Share: throttledShare, Seed: o.seed,
			Error: emulator.ErrThrottled})
	}
	aws.Inject(emulator.Fault{Operation: "*", Share: failedShare, Seed: o.seed, Error: emulator.ErrServerFault})
	aws.Inject(emulator.Fault{Operation: "*", Share: droppedShare, Seed: o.seed, Drop: emulator.DropAfter})
}
