package main

import (
	"context"
	"time"

	"deployer/testbed/aws/emulator"
)

// processes is how many of the function's processes a replay runs at a time.
const processes = 8

// script is what a replay is to be like.
type script struct {
	root       string // the project's directory
	services   int
	deliveries int
	seed       uint64
	throttled  []string // the operations of which 5 % of the calls are throttled
}

// play delivers events in disorder through eight processes, with faults: calls
// that are throttled, 2 % of all that meet a server fault, and 1 % whose answer
// is lost after they took effect.
func (s script) play(ctx context.Context) (*outcome, error) {
	b, err := newBench(ctx, s.root, place{services: s.services, autoDeploy: `latest, "git-*"`}, processes, time.Millisecond)
	if err != nil {
		return nil, err
	}
	defer b.close()
	tale := newStory(b.place, b.account, s.seed)
	copies := copiesOf(s.deliveries, tale.dice)
	if err := tale.tell(ctx, len(copies)); err != nil {
		return nil, err
	}
	events := tale.events(len(copies), time.Now())
	queue := disorder(events, copies, tale.dice)
	s.injectFaults(b.aws)
	b.aws.ResetCalls()
	began := time.Now()
	requests := map[string][]string{} // the request ids of each event's deliveries
	for _, h := range queue {
		id, err := b.function.InvokeAsync(h.raw)
		if err != nil {
			return nil, err
		}
		requests[h.id] = append(requests[h.id], id)
	}
	if err := b.function.Wait(ctx); err != nil {
		return nil, err
	}
	took := time.Since(began)
	b.aws.ClearFaults()
	o, err := b.judge(ctx, events, requests)
	if err != nil {
		return nil, err
	}
	o.deliveries, o.took = len(queue), took
	return o, nil
}

func (s script) injectFaults(aws *emulator.Emulator) {
	for _, operation := range s.throttled {
		aws.Inject(emulator.Fault{Operation: operation, Share: 0.05, Seed: s.seed, Error: emulator.Throttled()})
	}
	aws.Inject(emulator.Fault{Operation: "*", Share: 0.02, Seed: s.seed, Error: emulator.ServerFault()})
	aws.Inject(emulator.Fault{Operation: "*", Share: 0.01, Seed: s.seed, Drop: emulator.DropAfter})
}
