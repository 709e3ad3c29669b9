package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/doctor"
	"deployer/internal/environment"
	"deployer/internal/fleet"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestDeployBesideHousekeeping checks, in fake time and against ECS's rate limits, that a deployment moves the service
// as soon as it does alone while many services are read, by the search for lost pushes, by status, or by the doctor,
// which makes more calls for each.
func TestDeployBesideHousekeeping(t *testing.T) {
	t.Parallel()
	const maxRatio = 1.3
	sizes := map[string]int{"reconcile": 100}
	if everyCase {
		sizes = map[string]int{"reconcile": 400, "status": 400, "doctor": 120}
	}
	for name, services := range sizes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
				e := emulator.New(emulator.Options{RolloutStep: time.Second})
				dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
					c.HTTPClient = emulatortest.InProcess{AWS: e}
				})
				file, err := cloud.ManyServices(t.Context(), dev, services, false)
				must(t, err)
				env, err := environment.Parse("dev.yaml", []byte(file))
				must(t, err)
				e.LimitRates()
				e.Inject(emulator.Fault{Operation: "*", Latency: 20 * time.Millisecond})
				p := pipeline.NewFunction(env, dev.Config, io.Discard)
				sent := 0
				deploy := func() time.Duration {
					t.Helper()
					sent++
					e.ResetCalls()
					start := time.Now()
					event := deployEventAt(start.Truncate(time.Second), fmt.Sprint("e", sent), "action.dev",
						`{"service":"s0","tag":"latest","force":true}`)
					got, err := p.Handle(withDeadline(t, time.Minute), []byte(event))
					must(t, err)
					if got.Status != "deployed" {
						t.Fatalf("%+v", got)
					}
					for _, c := range e.Calls() {
						if c.Operation == "UpdateService" && c.Error == "" {
							return c.Start.Sub(start)
						}
					}
					t.Fatal("the service was not moved")
					return 0
				}
				var alone, beside []time.Duration
				deploy() // the first one reads the image's configuration too
				for range 5 {
					time.Sleep(10 * time.Second)
					alone = append(alone, deploy())
				}
				time.Sleep(time.Minute)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				began, done := time.Now(), make(chan error, 1)
				go func() {
					switch name {
					case "reconcile":
						_, err := p.Handle(withDeadline(t, 5*time.Minute), []byte(schedule))
						done <- err
						return
					case "doctor":
						_, err := doctor.Examine(ctx, env, dev.Config, nil)
						done <- err
						return
					}
					all := fleet.New(fleet.Source{Name: "dev", File: "dev.yaml",
						Open: func(context.Context) (fleet.Place, error) {
							return fleet.Place{Env: env, Config: dev.Config, Workloads: env.Workloads}, nil
						}}).Read(ctx)
					done <- ended(all, services)
				}()
				for running := true; running; {
					time.Sleep(100 * time.Millisecond)
					beside = append(beside, deploy())
					time.Sleep(1500 * time.Millisecond)
					select {
					case err := <-done:
						must(t, err)
						running = false
					default:
					}
				}
				slowest := slices.Max(beside)
				t.Logf("alone %s; beside %d services that took %s at most %s of %d", slices.Max(alone), services,
					time.Since(began), slowest, len(beside))
				if ratio := slowest.Seconds() / slices.Max(alone).Seconds(); ratio > maxRatio {
					t.Errorf("%.1f times as long as alone", ratio)
				}
			})
		})
	}
}

// ended returns an error if a service could not be read.
func ended(all *fleet.Fleet, services int) error {
	read := 0
	for _, e := range all.Environments {
		for _, s := range e.Services {
			if s.Error == nil {
				read++
			}
		}
	}
	if read != services {
		return fmt.Errorf("%d of %d services were read", read, services)
	}
	return nil
}
