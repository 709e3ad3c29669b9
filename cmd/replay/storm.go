package main

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/emulator"
)

// The figures that a storm of 50 services has to reach.
const (
	mostSeconds = 35
	mostWasted  = 2.0
)

// weather is what came of a storm.
type weather struct {
	services, deployed, failed, attempts, throttled int
	took                                            time.Duration
}

// runStorm pushes every service at once, against ECS's own token buckets.
func runStorm(ctx context.Context, root string, services int) (fmt.Stringer, error) {
	limits := emulator.Options{Clock: func() time.Time { return time.Now().Add(-2 * time.Minute) }, RolloutStep: time.Second}
	b, err := newBench(ctx, root, services, services, limits, "latest")
	if err != nil {
		return nil, err
	}
	defer b.close()
	var events []happening
	for i := range services {
		m := &maker{bench: b, services: services, begin: time.Now().Add(-time.Minute)}
		m.versions = make([]map[string]string, services)
		m.versions[i] = map[string]string{}
		if err := m.push(ctx, i); err != nil {
			return nil, err
		}
		events = append(events, m.all[0])
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
	w := &weather{services: services, took: time.Since(began), failed: len(b.failed)}
	for _, n := range b.attempts() {
		w.attempts += n
	}
	for _, c := range b.aws.Calls() {
		if c.Error != "" {
			w.throttled++
		}
	}
	for i := range services {
		_, running, err := b.journal(ctx, i)
		if err != nil {
			return nil, err
		}
		if running == 2 {
			w.deployed++
		}
	}
	return w, w.check()
}

func (w *weather) wasted() float64 { return float64(w.throttled) / float64(w.services) }

func (w *weather) check() error {
	if w.deployed != w.services || w.failed > 0 || w.took.Seconds() > mostSeconds || w.wasted() > mostWasted {
		return fmt.Errorf("%d of %d deployed, %d lost, in %.1f s (at most %d), %.2f attempts wasted per deploy (at most %.0f)",
			w.deployed, w.services, w.failed, w.took.Seconds(), mostSeconds, w.wasted(), mostWasted)
	}
	return nil
}

// String returns the weather report.
func (w *weather) String() string {
	return fmt.Sprintf("%d services pushed at once: %d deployed in %.1f s, %d lost, %d invocations, %.2f attempts wasted per deploy\n",
		w.services, w.deployed, w.took.Seconds(), w.failed, w.attempts, w.wasted())
}
