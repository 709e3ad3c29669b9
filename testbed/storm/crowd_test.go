package main

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/fleet"
)

// A crowd is what happens when one push deploys many services in one invocation, with its retries.
type crowd struct {
	*result
	registrations int
	running       int             // services that run the image
	took          []time.Duration // of each attempt
	failures      []string        // the names of their faults; "" for none
}

// runFakeCrowd pushes one image that all services run, in fake time and against ECS's rate limits. The event is handled
// by as many processes at the same time as there are deliveries, and retried as Lambda does.
func runFakeCrowd(t *testing.T, seed uint64, services, deliveries int, timeout time.Duration) crowd {
	ctx := t.Context()
	time.Sleep(time.Until(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))) // no event can be in 2000
	aws := emulator.New(emulator.Options{RolloutStep: time.Second})
	random, a := connect(aws, seed)
	s := fleet.Services{Count: services, AutoDeploy: "latest", Shared: true}
	file, err := s.Create(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	env, err := environment.Parse("environment.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Minute) // so that the event is newer than the revisions
	events, err := push(ctx, s, a)
	if err != nil {
		t.Fatal(err)
	}
	aws.LimitRates()
	aws.ResetCalls()
	c := crowd{result: &result{services: services, events: 1}}
	var all sync.WaitGroup
	var mu sync.Mutex
	for process := range deliveries {
		p := pipeline.New(env, a.Config)
		all.Go(func() {
			for _, wait := range []time.Duration{0, time.Minute, 2 * time.Minute} {
				time.Sleep(wait)
				began := time.Now()
				ctx, cancel := context.WithTimeout(random.invoke(ctx, process), timeout)
				_, err := p.Handle(ctx, events[0].Raw)
				cancel()
				mu.Lock()
				c.took = append(c.took, time.Since(began).Round(time.Second))
				name := ""
				if err != nil {
					name = fault.NameOf(err)
				}
				c.failures = append(c.failures, name)
				mu.Unlock()
				if err == nil {
					return
				}
			}
			c.lost++
		})
	}
	all.Wait()
	for _, call := range aws.Calls() {
		if call.Operation == "RegisterTaskDefinition" {
			c.registrations++
		}
	}
	if err := c.count(ctx, aws, a, events); err != nil {
		t.Fatal(err)
	}
	for i := range services {
		revisions, running, err := fleet.Revisions(ctx, a, i)
		if err != nil {
			t.Fatal(err)
		}
		if r := revisions[running-1]; r.EventID == events[0].ID && strings.HasSuffix(r.Image, "@"+events[0].Image) {
			c.running++
		}
	}
	return c
}

// TestCrowdsInFakeTime checks what a push costs that deploys many services of one repository: about one registration
// for each, at the rate that ECS allows. An invocation whose time ends before it has deployed all fails by the name of
// the reason, and its retry deploys what is left.
func TestCrowdsInFakeTime(t *testing.T) {
	t.Parallel()
	crowdsInFakeTime(t, []crowdTest{
		{"100 services, 45 seconds", 100, 1, 45 * time.Second, 140,
			[]time.Duration{45 * time.Second, 40 * time.Second}, []string{"Throttling", ""}},
		{"100 services, delivered twice", 100, 2, 4 * time.Minute, 190,
			[]time.Duration{2 * time.Minute, 2 * time.Minute}, []string{"", ""}},
	})
}

// A crowdTest is the size of a crowd, and what it costs at most.
type crowdTest struct {
	name                 string
	services, deliveries int
	timeout              time.Duration
	maxRegistrations     int
	maxTimes             []time.Duration // of each attempt
	failures             []string
}

func crowdsInFakeTime(t *testing.T, tests []crowdTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := runFakeCrowd(t, 1, tt.services, tt.deliveries, tt.timeout)
				t.Logf("%d registrations, %s: %s", c.registrations, c.took, c.result)
				if c.running != tt.services || c.lost > 0 || c.registrations > tt.maxRegistrations {
					t.Errorf("%d services run the image, want %d; want at most %d registrations", c.running,
						tt.services, tt.maxRegistrations)
				}
				if diff := cmp.Diff(tt.failures, c.failures); diff != "" {
					t.Fatal(diff)
				}
				for i, took := range c.took {
					if took > tt.maxTimes[i] {
						t.Errorf("attempt %d took %s, want at most %s", i+1, took, tt.maxTimes[i])
					}
				}
			})
		})
	}
}
