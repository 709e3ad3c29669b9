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
	"deployer/testbed/fleet"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the pipeline of TestStormsInFakeTime logs to it
	os.Exit(m.Run())
}

// runFakeStorm is runStorm in fake time, with the pipeline itself instead of the bootstrap's processes.
func runFakeStorm(t *testing.T, seed uint64, s fleet.Services) *result {
	ctx := t.Context()
	// Fake time starts in 2000, in which no event can be.
	time.Sleep(time.Until(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)))
	aws := emulator.New(emulator.Options{RolloutStep: time.Second})
	random, a := connect(aws, seed)
	file, err := s.Create(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	env, err := environment.Parse("environment.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Minute) // so that the events are newer than the revisions
	events, err := push(ctx, s, a)
	if err != nil {
		t.Fatal(err)
	}
	aws.LimitRates()
	aws.ResetCalls()
	r := &result{services: s.Count, events: len(events), invocations: len(events)}
	start := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	for process, e := range events {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(random.invoke(ctx, process), 2*time.Minute)
			defer cancel()
			if _, err := pipeline.New(env, a.Config).Handle(ctx, e.Raw); err != nil {
				mu.Lock()
				defer mu.Unlock()
				r.lost++
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.took = time.Since(start)
	if err := r.count(ctx, aws, a, events); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStormsInFakeTime checks the limits that `make storm` checks in real time, on the mean of several storms: a single
// one may have bad luck.
func TestStormsInFakeTime(t *testing.T) {
	t.Parallel()
	stormsInFakeTime(t, []stormTest{
		{"50 repositories", fleet.Services{Count: 50, AutoDeploy: "latest"}, maxSeconds * time.Second},
		{"one repository of 50 services", fleet.Services{Count: 50, AutoDeploy: "latest", Shared: true},
			maxSeconds * time.Second},
	})
}

// A stormTest is the size of a storm, and how long it takes at most.
type stormTest struct {
	name     string
	services fleet.Services
	maxTime  time.Duration
}

func stormsInFakeTime(t *testing.T, tests []stormTest) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mean result
			for seed := range uint64(storms) {
				synctest.Test(t, func(t *testing.T) {
					r := runFakeStorm(t, seed, tt.services)
					if r.deployed != tt.services.Count || r.lost > 0 {
						t.Error(r)
					}
					mean.services += r.services
					mean.events += r.events
					mean.deployed += r.deployed
					mean.invocations += r.invocations
					mean.throttledRegistrations += r.throttledRegistrations
					mean.throttledOthers += r.throttledOthers
					mean.took += r.took / storms
				})
			}
			t.Log(&mean)
			if err := mean.Check(); err != nil || mean.took > tt.maxTime {
				t.Errorf("%v; it took %s, want at most %s", err, mean.took, tt.maxTime)
			}
		})
	}
}
