package main

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the storms in fake time log here
	os.Exit(m.Run())
}

// fakeStorm is runStorm in fake time: the pipeline itself in place of the
// bootstrap's processes.
func fakeStorm(t *testing.T, p place) *weather {
	ctx := t.Context()
	aws := emulator.New(emulator.Options{RolloutStep: time.Second})
	a := connect("http://aws.invalid", emulatortest.InProcess{AWS: aws})
	file, err := p.build(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	env, err := environment.Parse("environment.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Minute) // so that the events are later than what runs
	events, err := p.pushAll(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	aws.LimitRates()
	aws.ResetCalls()
	aws.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
	w := &weather{services: p.services, pushes: len(events), attempts: len(events)}
	began := time.Now()
	var all sync.WaitGroup
	var failed sync.Mutex
	for _, h := range events {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
			defer cancel()
			if _, err := pipeline.New(env, a.Config).Handle(ctx, h.raw); err != nil {
				failed.Lock()
				defer failed.Unlock()
				w.failed++
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.took = time.Since(began)
	aws.ClearFaults()
	if err := w.observe(ctx, aws, a, events); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestStormsInFakeTime holds what `make storm` measures in real time, on the
// mean of several storms: one alone may have bad luck.
func TestStormsInFakeTime(t *testing.T) {
	t.Parallel()
	const storms = 8
	for _, tt := range []struct {
		name string
		place
	}{
		{"25 repositories", place{services: 25, autoDeploy: "latest"}},
		{"50 repositories", place{services: 50, autoDeploy: "latest"}},
		{"one repository of 50 services", place{services: 50, autoDeploy: "latest", shared: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mean weather
			for range storms {
				synctest.Test(t, func(t *testing.T) {
					w := fakeStorm(t, tt.place)
					if w.deployed != tt.services || w.failed > 0 {
						t.Error(w)
					}
					mean.services += w.services
					mean.pushes += w.pushes
					mean.deployed += w.deployed
					mean.attempts += w.attempts
					mean.registers += w.registers
					mean.others += w.others
					mean.took += w.took / storms
				})
			}
			t.Log(&mean)
			if err := mean.check(); err != nil {
				t.Error(err)
			}
		})
	}
}
