package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"deployer/testbed/accounts"
)

// deployByCommand runs a command that deploys once, and returns when it was started.
func (b *bench) deployByCommand(ctx context.Context, p program) (started time.Time, err error) {
	var args []string
	if p == command {
		args = []string{"deploy", "-f", b.file, "backend", tag, "--force"}
	}
	c := exec.CommandContext(ctx, b.path(p), args...)
	for name, value := range b.env(b.plain.URL) {
		c.Env = append(c.Env, name+"="+value)
	}
	c.Env = append(c.Env, "AWS_ACCESS_KEY_ID="+accounts.Dev, "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION="+accounts.Region)
	b.aws.ResetCalls()
	started = time.Now()
	if out, err := c.CombinedOutput(); err != nil {
		return started, fmt.Errorf("running %s: %w\n%s", p, err, out)
	}
	return started, nil
}

// commandToUpdate measures the time from the start of a command to UpdateService, at 20 ms a call.
func commandToUpdate(ctx context.Context, b *bench, runs int) ([]float64, []float64, error) {
	defer b.slowly()()
	one := func(p program) func() (float64, error) {
		return func() (float64, error) {
			started, err := b.deployByCommand(ctx, p)
			if err != nil {
				return 0, err
			}
			at, err := b.updated()
			return milliseconds(at.Sub(started)), err
		}
	}
	return inTurn(runs, one(command), one(raw))
}

// tripsBeforeUpdate counts the round trips before UpdateService: a call that begins after another has ended may have
// waited for it. Calls that begin while that one's round trip lasts are made in the same one.
func (b *bench) tripsBeforeUpdate() (trips float64, err error) {
	var end time.Time
	for _, c := range b.aws.Calls() {
		if c.Operation == "UpdateService" {
			return trips, nil
		}
		if c.Start.After(end) {
			trips, end = trips+1, c.End
		}
	}
	return 0, fmt.Errorf("UpdateService was not called")
}

// roundTrips counts the round trips of a command before UpdateService.
func roundTrips(ctx context.Context, b *bench, runs int) ([]float64, []float64, error) {
	defer b.slowly()()
	one := func(p program) func() (float64, error) {
		return func() (float64, error) {
			if _, err := b.deployByCommand(ctx, p); err != nil {
				return 0, err
			}
			return b.tripsBeforeUpdate()
		}
	}
	return inTurn(runs, one(command), one(raw))
}
