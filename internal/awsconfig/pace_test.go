package awsconfig

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestPaced checks, on fake time, that many reads take half of ECS's tokens, and that
// other calls do not wait.
func TestPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := emulator.New(emulator.Options{})
		a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: e}
		})
		e.LimitRates()
		client := ecs.NewFromConfig(Paced(a.Config))
		start := time.Now()
		var all sync.WaitGroup
		const reads = 400
		for range reads {
			all.Go(func() {
				_, _ = client.DescribeTaskDefinition(t.Context(),
					&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
			})
		}
		all.Wait()
		if took, want := time.Since(start), 37500*time.Millisecond; took != want { // 25 at once, then 10 a second
			t.Errorf("%d reads took %s, want %s", reads, took, want)
		}
		for _, c := range e.Calls() {
			if c.Error != "ClientException" { // there is no such family
				t.Errorf("%s: %s", c.Operation, c.Error)
			}
		}
		start = time.Now()
		_, _ = client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{})
		if took := time.Since(start); took != 0 {
			t.Errorf("a registration waited %s", took)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrClosedPipe)
		_, err := client.DescribeTaskDefinition(ctx,
			&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
		if !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, context.Canceled) {
			t.Errorf("a call that waits with an ended context: %v", err)
		}
	})
}

// TestPacedIfThrottled checks, on fake time, that reads wait for nothing until ECS throttles
// one, and then for ECS's tokens, until its bucket is full again.
func TestPacedIfThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := emulator.New(emulator.Options{})
		a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient, c.RetryMaxAttempts = emulatortest.InProcess{AWS: e}, 100
		})
		client := ecs.NewFromConfig(PacedIfThrottled(a.Config))
		read := func(reads int) (took time.Duration, throttled int) {
			e.ResetCalls()
			start := time.Now()
			var all sync.WaitGroup
			for range reads {
				all.Go(func() {
					_, _ = client.DescribeTaskDefinition(t.Context(),
						&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
				})
			}
			all.Wait()
			for _, c := range e.Calls() {
				if c.Error == "ThrottlingException" {
					throttled++
				}
			}
			return time.Since(start), throttled
		}
		for _, tt := range []struct {
			name             string
			limited          bool
			wait             time.Duration // before
			reads            int
			minTime, maxTime time.Duration
			maxThrottled     int
		}{
			{name: "no limit", reads: 300},
			{name: "ECS's limit", limited: true, reads: 250, minTime: 10 * time.Second, maxTime: 12 * time.Second,
				maxThrottled: maxCalls},
			{name: "full again", wait: 10 * time.Second, reads: 50},
		} {
			if tt.limited {
				e.LimitRates()
			}
			time.Sleep(tt.wait)
			took, throttled := read(tt.reads)
			if took < tt.minTime || took > tt.maxTime || throttled > tt.maxThrottled {
				t.Errorf("%s: it took %s, and %d calls were throttled", tt.name, took, throttled)
			}
		}
	})
}

// TestPacedUntilDeadline checks, on fake time, that the error of a read whose turn does not
// come before the deadline names the reason.
func TestPacedUntilDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: emulator.New(emulator.Options{})}
		})
		client := ecs.NewFromConfig(Paced(a.Config))
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer cancel()
		var err error
		for range 100 { // 25 at once, and then ten a second
			_, err = client.DescribeTaskDefinition(ctx,
				&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
		}
		const want = "DescribeTaskDefinition was not called in time: Amazon ECS throttles this account's reads to " +
			"about 20 a second: context deadline exceeded"
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	})
}

// TestPaceOfFewServices checks, on fake time, that what reads at most 100 services waits for
// nothing until ECS throttles one call, and then leaves all tokens to others for a while.
func TestPaceOfFewServices(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		services []int // of the environments that are read
		limited  bool
		min, max time.Duration // for 100 reads
	}{
		{"few", []int{100}, false, 0, 0},
		{"few, throttled", []int{100}, true, 6 * time.Second, 9 * time.Second},
		{"many", []int{101}, false, 7500 * time.Millisecond, 7500 * time.Millisecond},
		{"many in all", []int{60, 60}, false, 7500 * time.Millisecond, 7500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := emulator.New(emulator.Options{})
				a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
					c.HTTPClient, c.RetryMaxAttempts = emulatortest.InProcess{AWS: e}, 100
				})
				if tt.limited {
					e.LimitRates()
				}
				pace := NewPace()
				var config aws.Config
				for _, n := range tt.services {
					config = pace.Config(a.Config, n)
				}
				client := ecs.NewFromConfig(config)
				start := time.Now()
				var all sync.WaitGroup
				for range 8 { // at a time, as commands read
					all.Go(func() {
						for range 100 / 8 {
							_, _ = client.DescribeTaskDefinition(t.Context(),
								&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
						}
					})
				}
				for range 100 % 8 {
					_, _ = client.DescribeTaskDefinition(t.Context(),
						&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
				}
				all.Wait()
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("it took %s, want %s to %s", took, tt.min, tt.max)
				}
			})
		})
	}
}
