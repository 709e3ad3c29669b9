package main

import (
	"context"
	"fmt"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// The figures that a storm of 50 services has to reach.
const (
	mostSeconds = 35.0
	mostWasted  = 2.0
)

// weather is what came of a storm.
type weather struct {
	services, pushes, deployed, failed, attempts int
	registers, others                            int // calls that were throttled
	took                                         time.Duration
}

// runStorm pushes to every service at once, against ECS's own token buckets, in
// real time; to each its own image, or one image that all of them run.
func runStorm(ctx context.Context, root string, services int, shared bool) (*weather, error) {
	b, err := newBench(ctx, root, place{services: services, shared: shared, autoDeploy: "latest"}, services, time.Second)
	if err != nil {
		return nil, err
	}
	defer b.close()
	events, err := b.pushAll(ctx, b.account)
	if err != nil {
		return nil, err
	}
	b.aws.LimitRates() // from full buckets: the set-up is not part of the storm
	b.aws.ResetCalls()
	began := time.Now()
	for _, h := range events {
		if _, err := b.function.InvokeAsync(h.raw); err != nil {
			return nil, err
		}
	}
	if err := b.function.Wait(ctx); err != nil {
		return nil, err
	}
	w := &weather{services: services, pushes: len(events), took: time.Since(began), failed: len(b.failed)}
	for _, n := range b.attempts() {
		w.attempts += n
	}
	return w, w.observe(ctx, b.aws, b.account, events)
}

// pushAll pushes one image to each repository, and returns the events of the
// tag latest.
func (p place) pushAll(ctx context.Context, a *accounts.Account) ([]happening, error) {
	repositories := p.services
	if p.shared {
		repositories = 1
	}
	s := newStory(p, a, 1)
	for i := range repositories {
		if err := s.push(ctx, i); err != nil {
			return nil, err
		}
	}
	var latest []happening
	for _, h := range s.events(2*repositories, time.Now()) {
		if h.tag == "latest" {
			latest = append(latest, h)
		}
	}
	return latest, nil
}

// observe counts the calls that were throttled and the services that run the
// pushed image, each by a revision that its event made.
func (w *weather) observe(ctx context.Context, aws *emulator.Emulator, a *accounts.Account, events []happening) error {
	for _, c := range aws.Calls() {
		switch {
		case c.Error == "":
		case c.Operation == "RegisterTaskDefinition":
			w.registers++
		default:
			w.others++
		}
	}
	for i := range w.services {
		h := events[i%len(events)]
		revisions, running, err := journal(ctx, a, i)
		if err != nil {
			return err
		}
		one := career{events: []happening{h}, revisions: revisions, running: running}
		if one.wrong() == 0 && len(revisions) == 2 {
			w.deployed++
		}
	}
	return nil
}

// wasted returns how many calls were throttled for each service.
func (w *weather) wasted() float64 { return float64(w.registers+w.others) / float64(w.services) }

func (w *weather) check() error {
	if w.deployed != w.services || w.failed > 0 || w.took.Seconds() > mostSeconds || w.wasted() > mostWasted {
		return fmt.Errorf("%d of %d deployed, %d lost, in %.1f s (at most %.0f), %.2f attempts wasted per deploy (at most %.0f)",
			w.deployed, w.services, w.failed, w.took.Seconds(), mostSeconds, w.wasted(), mostWasted)
	}
	return nil
}

// String returns the weather report.
func (w *weather) String() string {
	return fmt.Sprintf("%d services pushed at once by %d events: %d deployed in %.1f s, %d events lost, %d invocations, %.2f attempts wasted per deploy (%d registrations and %d other calls throttled)\n",
		w.services, w.pushes, w.deployed, w.took.Seconds(), w.failed, w.attempts, w.wasted(), w.registers, w.others)
}
