package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/fleet"
)

// latency is how long a call of the function takes on average.
const latency = 50 * time.Millisecond

// A schedule is what is random in a storm on fake time: how long calls take, and how long throttled ones wait. It is
// drawn from the seed. No two calls end at the same time, so the order in which Go runs the goroutines decides next to
// nothing. If all calls took equally long, it would decide most.
type schedule struct {
	seed uint64
	aws  emulatortest.InProcess

	mu    sync.Mutex
	draws map[string]*rand.Rand
}

// connect returns an account whose calls follow a schedule if they are made under a context of [schedule.invoke]. Other
// calls take no time.
func connect(aws *emulator.Emulator, seed uint64) (*schedule, *accounts.Account) {
	s := &schedule{seed: seed, aws: emulatortest.InProcess{AWS: aws}, draws: map[string]*rand.Rand{}}
	return s, fleet.Connect("http://aws.invalid", s).With(s.configure)
}

// An invocation is one of a process.
type invocation struct {
	process int
	began   time.Time
}

type invocationKey struct{}

// invoke returns the context of an invocation that begins now, in the process with the number.
func (s *schedule) invoke(ctx context.Context, process int) context.Context {
	ctx = context.WithValue(ctx, invocationKey{}, invocation{process, time.Now()})
	return fault.WithJitter(ctx, func(below time.Duration) time.Duration { return s.draw(process, "wait", below) })
}

// draw returns the next time that a process draws for a purpose.
func (s *schedule) draw(process int, purpose string, below time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(process, purpose)
	random := s.draws[key]
	if random == nil {
		h := fnv.New64a()
		h.Write([]byte(key))
		random = rand.New(rand.NewPCG(s.seed, h.Sum64()))
		s.draws[key] = random
	}
	return time.Duration(random.Int64N(int64(below)))
}

// configure adds the schedule to the calls of a configuration's clients.
func (s *schedule) configure(c *aws.Config) {
	c.APIOptions = append(c.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Schedule", s.begin), middleware.Before)
	})
}

// begin delays a call a little, so that those that are made at the same time begin one after the other. The calls with
// which an invocation begins differ in what they read, so their order is drawn for what they read.
func (s *schedule) begin(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	if i, ok := ctx.Value(invocationKey{}).(invocation); ok {
		purpose := "begin " + awsmiddleware.GetOperationName(ctx)
		if time.Now().Equal(i.began) {
			reads, err := json.Marshal(in.Parameters)
			if err != nil {
				return middleware.InitializeOutput{}, middleware.Metadata{}, err
			}
			purpose += string(reads)
		}
		if err := fault.Wait(ctx, s.draw(i.process, purpose, latency/10)); err != nil {
			return middleware.InitializeOutput{}, middleware.Metadata{}, err
		}
	}
	return next.HandleInitialize(ctx, in)
}

// Do implements the SDK's HTTP client.
func (s *schedule) Do(r *http.Request) (*http.Response, error) {
	if i, ok := r.Context().Value(invocationKey{}).(invocation); ok {
		took := latency*9/10 + s.draw(i.process, r.Header.Get("X-Amz-Target"), latency/5)
		if err := fault.Wait(r.Context(), took); err != nil {
			return nil, err
		}
	}
	return s.aws.Do(r)
}
