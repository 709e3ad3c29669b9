package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"deployer/internal/fault"
)

// ECS's token bucket of registrations, for one account in one region ("Request throttling
// for the Amazon ECS API" in the ECS API reference): it holds 20 tokens and gains one a
// second. An account can have more (Service Quotas).
const (
	registrationBurst    = 20
	registrationInterval = time.Second
)

const (
	// maxRegistering is how many registrations are made at the same time, and so how
	// many ECS throttles before this process knows that the bucket is empty.
	maxRegistering = 16
	// maxInterval is the longest time between two turns, where other processes take
	// tokens too, and minInterval the shortest one, where an account has more.
	maxInterval = 8 * time.Second
	minInterval = registrationInterval / 32
	// trustAfter is how many registrations in a row have to succeed before turns come at
	// twice ECS's documented rate.
	trustAfter = 8
)

// turns are the turns of the deployments of this process to register a revision. A crowd
// would otherwise retry against ECS's token bucket, each deployment by itself. Turns come
// at once until ECS throttles a registration; then, one comes for each token that ECS
// gains, in the order in which they were asked for. More throttled registrations mean
// that other processes register too, and make turns rarer. The zero value is ready to
// use. It is safe for concurrent use.
type turns struct {
	mu      sync.Mutex
	taking  chan struct{} // has an element for each turn that is taken
	first   chan struct{} // has an element while a deployment waits for the next turn
	sooner  chan struct{} // has an element if the next turn comes sooner than it did
	present int           // deployments that wait for a turn or have one

	interval time.Duration // between two turns; 0: they come at once
	next     time.Time     // when the next turn comes
	changed  time.Time     // when the interval was last made longer
	inRow    int           // registrations that succeeded since
}

// enter waits for a turn, until ctx ends. Each turn has to be left.
func (t *turns) enter(ctx context.Context) error {
	t.mu.Lock()
	if t.taking == nil {
		t.taking, t.first = make(chan struct{}, maxRegistering), make(chan struct{}, 1)
		t.sooner = make(chan struct{}, 1)
	}
	t.present++
	t.mu.Unlock()
	err := t.wait(ctx)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.present--
	}
	return err
}

// wait waits until the deployment has a turn.
func (t *turns) wait(ctx context.Context) error {
	select {
	case t.taking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := t.waitFirst(ctx)
	if err != nil {
		<-t.taking
	}
	return err
}

// waitFirst waits for the next turn, once no other deployment waits for it.
func (t *turns) waitFirst(ctx context.Context) error {
	select {
	case t.first <- struct{}{}:
		defer func() { <-t.first }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		delay := t.come()
		if delay == 0 {
			return nil
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-t.sooner:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// come returns how long it is until the next turn. If it is 0, the turn is taken.
func (t *turns) come() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Sub(t.next) > registrationBurst*registrationInterval { // ECS's bucket is full again
		t.interval = 0
	}
	if delay := t.next.Sub(now); t.interval > 0 && delay > 0 {
		return delay
	}
	t.next = now.Add(t.interval)
	return 0
}

// leave ends a turn. Used says that it was used for a registration that ECS did not
// throttle; an unused turn is the next one's.
func (t *turns) leave(used bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	<-t.taking
	t.present--
	switch {
	case t.interval == 0:
	case !used:
		t.next = time.Now()
		select {
		case t.sooner <- struct{}{}:
		default:
		}
	case t.interval > registrationInterval:
		t.interval = max(registrationInterval, t.interval*3/4)
	default:
		if t.inRow++; t.inRow >= trustAfter {
			t.interval, t.inRow = max(minInterval, t.interval/2), 0
		}
	}
}

// throttled ends a turn in which ECS throttled the registration. It reports whether the
// deployment is alone: then it does not know how many other processes wait.
func (t *turns) throttled() (alone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	<-t.taking
	t.present--
	alone = t.present == 0
	now := time.Now()
	t.inRow = 0
	switch {
	case t.interval == 0:
		t.interval = registrationInterval
	case now.Sub(t.changed) < t.interval: // it was sent before the last change
		return alone
	default:
		t.interval = min(maxInterval, 2*t.interval)
	}
	t.changed = now
	t.next = now.Add(t.interval + t.interval/8) // a little later: the token has to be there
	return alone
}

// errNoTurn is why a deployment does not register.
var errNoTurn = errors.New("no time was left to wait for its turn: ECS accepts 20 registrations at once, and then " +
	"one a second, for all of the account and region")

// takeTurn waits for a turn to register, unless the run has one.
func (r *run) takeTurn(ctx context.Context) error {
	if r.hasTurn {
		return nil
	}
	start := time.Now()
	if err := r.deployer.turns.enter(ctx); err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return fault.Unavailable("Throttling",
			fmt.Sprintf("registering a revision of task definition %q", r.state.familyName), errNoTurn,
			"the event is retried, and then deploys what is left")
	}
	r.hasTurn = true
	r.state.waits.Add(time.Since(start))
	return nil
}

// leaveTurn ends the run's turn, if it has one.
func (r *run) leaveTurn(used bool) {
	if r.hasTurn {
		r.hasTurn = false
		r.deployer.turns.leave(used)
	}
}

// pause waits before the call that failed with err is made again: for the given time,
// or, if it is a registration that ECS throttled, for the run's next turn.
func (r *run) pause(ctx context.Context, delay time.Duration, err error) error {
	if r.hasTurn && fault.IsThrottled(err) {
		r.hasTurn = false
		if alone := r.deployer.turns.throttled(); !alone {
			return r.takeTurn(ctx)
		}
	}
	if fault.Wait(ctx, delay) != nil {
		return err
	}
	return nil
}
