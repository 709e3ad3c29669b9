package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// deployS0 is the detail of a DEPLOY event.
const deployS0 = `{"service":"s0","tag":"latest"}`

// newFakeTime sets up services s0, s1, … in dev and returns emulated AWS with the
// function's pipeline, which calls it without a connection. It is for tests inside a
// [synctest.Test] bubble: what they measure does not depend on the machine.
func newFakeTime(t *testing.T, services int) (*emulator.Emulator, *pipeline.Pipeline) {
	t.Helper()
	// Fake time begins in 2000, when no event can have happened.
	time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
	e := emulator.New(emulator.Options{})
	dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
		c.HTTPClient = emulatortest.InProcess{AWS: e}
	})
	file, err := cloud.ManyServices(t.Context(), dev, services, false)
	must(t, err)
	env, err := environment.Parse("dev.yaml", []byte(file))
	must(t, err)
	e.ResetCalls()
	t.Cleanup(func() {
		for _, operation := range e.UnknownOperations() {
			t.Errorf("the emulator does not have the operation %s", operation)
		}
	})
	return e, pipeline.NewFunction(env, dev.Config, io.Discard)
}

// withDeadline returns the context of an invocation that times out after d.
func withDeadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		InvokedFunctionArn: "arn:aws:lambda:us-east-1:" + accounts.Dev + ":function:deployer",
	})
}

// TestRoundTrips checks that a deployment takes two round trips before the service is
// moved, and that its reads take one: each is sent before any is answered. Only the
// platform of an image that is not an index takes two more, once for each image.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	const reads = "BatchGetImage DescribeServices DescribeTaskDefinition"
	for name, tt := range map[string]struct {
		index       bool
		want, again []string // the operations after each round trip
	}{
		"index": {true, []string{reads, "RegisterTaskDefinition", "UpdateService", "DescribeTaskDefinition"},
			[]string{reads}},
		"single image": {false, []string{reads, "GetDownloadUrlForLayer", "GetObject", "RegisterTaskDefinition",
			"UpdateService", "DescribeTaskDefinition"}, []string{reads}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, p := newFakeTime(t, 1)
				if tt.index {
					dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region)
					dev = dev.With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} })
					_, err := dev.PushIndex(t.Context(), "p_service_s0", "v3", []string{"linux/amd64"}, "latest")
					must(t, err)
				}
				const latency = 100 * time.Millisecond
				e.Inject(emulator.Fault{Operation: "*", Latency: latency})
				for _, want := range [][]string{tt.want, tt.again} {
					e.ResetCalls()
					start := time.Now()
					_, err := p.Handle(withDeadline(t, time.Minute), []byte(deployEvent("action.dev", deployS0)))
					must(t, err)
					got, _ := roundTripsSince(start, latency, e.Calls())
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
				}
			})
		})
	}
}

// TestRespondsBeforeTheDeadline checks that a function that is throttled until its
// timeout returns that error half a second earlier, so that Lambda does not kill it.
func TestRespondsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, p := newFakeTime(t, 1)
		e.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.ErrThrottled})
		start := time.Now()
		_, err := p.Handle(withDeadline(t, 1500*time.Millisecond), []byte(deployEvent("action.dev", deployS0)))
		took := time.Since(start)
		const want = "ThrottlingException: Rate exceeded, after "
		if fault.NameOf(err) != "Throttling" || !strings.Contains(fmt.Sprint(err), want) || took > time.Second {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// TestReportsBeforeTheDeadline checks that a function that is throttled until its
// timeout has time left to report the failure, on the last try that Lambda makes.
func TestReportsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, p := newFakeTime(t, 1)
		e.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.ErrThrottled})
		const firstCall = 400 * time.Millisecond
		e.Inject(emulator.Fault{Operation: "events:PutEvents", Latency: firstCall})
		event := deployEventAt(time.Now().Add(-5*time.Minute), "6f1d", "action.dev", deployS0)
		var err error
		var start time.Time
		for range 3 { // all attempts of one invocation have its id
			start = time.Now()
			ctx := lambdacontext.NewContext(withDeadline(t, 2500*time.Millisecond),
				&lambdacontext.LambdaContext{AwsRequestID: "r1"})
			_, err = p.Handle(ctx, []byte(event))
		}
		if took := time.Since(start); fault.NameOf(err) != "Throttling" || took > 2*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		var reported []emulator.Call
		for _, c := range e.Calls() {
			if c.Operation == "PutEvents" {
				reported = append(reported, c)
			}
		}
		if len(reported) != 1 || reported[0].Error != "" ||
			!strings.Contains(string(reported[0].Body), "Deployment Failed") {
			t.Errorf("reported %+v", reported)
		}
	})
}

// TestReconcileOff checks that a registry that denies DescribeImages is not called
// again. Over a connection, a call that was cancelled could be recorded too late.
func TestReconcileOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, p := newFakeTime(t, 3)
		e.Inject(denied("ecr:DescribeImages"))
		for _, calls := range []bool{true, false} {
			e.ResetCalls()
			got, err := p.Handle(withDeadline(t, time.Minute), []byte(schedule))
			if err != nil || got.Status != "ignored" || (len(e.Calls()) > 0) != calls {
				t.Errorf("%+v, %v after %d calls, want calls: %v", got, err, len(e.Calls()), calls)
			}
		}
	})
}

// TestReconcileOfManyServices reconciles 200 services under ECS's rate limits.
func TestReconcileOfManyServices(t *testing.T) {
	t.Parallel()
	const services, maxTime = 200, 60 * time.Second
	synctest.Test(t, func(t *testing.T) {
		e, p := newFakeTime(t, services)
		e.LimitRates()
		e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
		start := time.Now()
		got, err := p.Handle(withDeadline(t, 2*time.Minute), []byte(schedule))
		must(t, err)
		took := time.Since(start)
		count := map[string]int{}
		for _, c := range e.Calls() {
			count[c.Operation]++
		}
		t.Logf("%d services in %s: %v: %s", services, took, count, got.Reason)
		if took > maxTime || count["ListServices"] > 0 || count["DescribeServices"] > services/10+10 {
			t.Errorf("it took %s (want at most %s) and %d DescribeServices", took, maxTime, count["DescribeServices"])
		}
	})
}
