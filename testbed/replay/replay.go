package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"deployer/internal/pipeline"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/fleet"
)

// processes is how many of the function's processes run at a time.
const processes = 16

// rolloutStep is long enough that ECS still lists a rollout when its event is handled.
const rolloutStep = 150 * time.Millisecond

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
	phases     int // with a gap of 20 minutes between them
	seed       uint64
	throttled  []string // the operations that are throttled
	foreign    bool     // a person and Terraform move services too
	denied     bool     // events fail for a while, and are run again later
}

// A player replays events.
type player struct {
	options
	*fleet.Fleet
	generator *generator
	clock     *phaseClock
	updates   *updateRecorder

	events   []fleet.Event
	requests map[string][]string // the request ids of the deliveries of each event
	late     []fleet.Event       // deliveries for a later phase
	redriven map[string]int      // attempts at an event by an operator
	failed   int                 // events that failed for good
	made     int                 // deliveries
}

// replay delivers events in disorder, with faults, and returns what became of them.
func replay(ctx context.Context, o options) (*result, error) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // of the operator's pipeline
	clock := newPhaseClock(o.phases)
	updates := newUpdateRecorder(clock.Now)
	services := fleet.Services{Count: o.services, AutoDeploy: `latest, "git-*"`}
	f, err := fleet.Start(ctx, fleet.Options{
		Root: o.root, Services: services, Processes: processes, RolloutStep: rolloutStep, Rollouts: true,
		Clock: clock.Now,
		Front: func(aws http.Handler) http.Handler { updates.aws = aws; return updates },
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &player{
		options: o, Fleet: f, clock: clock, updates: updates,
		generator: newGenerator(services, f.Account, rand.New(rand.NewPCG(o.seed, 1))),
		requests:  map[string][]string{}, redriven: map[string]int{},
	}
	f.AWS.ResetCalls()
	start := time.Now()
	for n := range o.phases {
		if err := p.phase(ctx, n); err != nil {
			return nil, fmt.Errorf("phase %d: %w", n, err)
		}
	}
	took := time.Since(start)
	r, err := p.evaluate(ctx)
	if err != nil {
		return nil, err
	}
	r.deliveries, r.took = p.made, took
	return r, nil
}

// phase delivers the events of one phase, and what was late in earlier ones, while people and Terraform move services.
func (p *player) phase(ctx context.Context, n int) error {
	p.clock.next()
	if err := p.redrive(ctx); err != nil {
		return err
	}
	last := n == p.phases-1
	deliveries, err := p.generate(ctx, (p.deliveries-p.made)/(p.phases-n), last)
	if err != nil {
		return err
	}
	if p.denied && n%3 == 1 {
		p.AWS.Inject(emulator.Fault{
			Operation: "ecs:UpdateService", Role: "deployer", Error: emulator.AccessDenied(denial),
		})
		first := len(deliveries) / 4
		if err := p.deliver(ctx, deliveries[:first]); err != nil {
			return err
		}
		deliveries = deliveries[first:]
		p.AWS.ClearFaults()
	}
	p.injectFaults(n)
	foreign := make(chan error, 1)
	go func() { foreign <- p.moveServices(ctx, n) }()
	if err := p.deliver(ctx, deliveries); err != nil {
		return err
	}
	if err := <-foreign; err != nil {
		return err
	}
	p.AWS.ClearFaults()
	if err := p.Settle(ctx); err != nil || !last {
		return err
	}
	return p.redrive(ctx)
}

// deliver makes deliveries, and waits until they are handled.
func (p *player) deliver(ctx context.Context, deliveries []fleet.Event) error {
	for _, e := range deliveries {
		id, err := p.Function.InvokeAsync(e.Raw)
		if err != nil {
			return err
		}
		p.requests[e.ID] = append(p.requests[e.ID], id)
	}
	p.made += len(deliveries)
	return p.Function.Wait(ctx)
}

// generate returns about n deliveries of new events, and of those that were kept for a later phase.
func (p *player) generate(ctx context.Context, n int, last bool) ([]fleet.Event, error) {
	deliveries := p.late
	p.late = nil
	copies := p.generator.copies(max(n-len(deliveries), 1))
	if err := p.generator.generate(ctx, len(copies)); err != nil {
		return nil, err
	}
	events := p.generator.log.Events(p.clock.Now())
	p.events = append(p.events, events...)
	now, late := p.generator.shuffle(events, copies)
	if last {
		now, late = append(now, late...), nil
	}
	p.late = late
	return append(deliveries, now...), nil
}

// injectFaults makes calls of the function fail.
func (p *player) injectFaults(phase int) {
	inject := func(operation string, f emulator.Fault) {
		f.Operation, f.Role, f.Seed = operation, "deployer", p.seed+uint64(phase)
		p.AWS.Inject(f)
	}
	for _, operation := range p.throttled {
		inject(operation, emulator.Fault{Share: throttledShare, Error: emulator.ErrThrottled})
	}
	inject("*", emulator.Fault{Share: failedShare, Error: emulator.ErrServerFault})
	inject("*", emulator.Fault{Share: droppedShare, Drop: emulator.DropAfter})
}

const denial = "User: arn:aws:sts::111111111111:assumed-role/deployer/session is not authorized to perform: " +
	"ecs:UpdateService on resource: * because no identity-based policy allows the ecs:UpdateService action"

// redrive runs the events that failed for good again, as an operator does with deployer redrive.
func (p *player) redrive(ctx context.Context) error {
	for _, record := range p.TakeFailed() {
		p.updates.beginRedrive()
		var e struct{ ID string }
		if err := json.Unmarshal(record.RequestPayload, &e); err != nil {
			return err
		}
		p.redriven[e.ID]++
		operator := pipeline.NewRedrive(p.Environment, p.As(fleet.Operator).Config)
		if _, err := operator.Handle(ctx, record.RequestPayload); err != nil {
			p.failed++
		}
	}
	return p.Settle(ctx)
}
