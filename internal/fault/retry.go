package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Delays between attempts: exponential backoff with full jitter, so that callers
// that were throttled together do not retry together. A throttled call starts
// at a longer delay, because its token bucket is empty: those of ECS refill at 5
// to 20 tokens a second, and at one for registrations (see below).
const (
	firstDelay          = 100 * time.Millisecond // upper bound of the first delay; it doubles with every attempt
	firstThrottledDelay = time.Second            // the same for a throttled call
	maxDelay            = 5 * time.Second        // upper bound of every delay
	roundTrip           = 200 * time.Millisecond // the time that an attempt itself is given
	maxAttempts         = 12                     // where the context has no deadline
)

// Delays between attempts of a throttled RegisterTaskDefinition. Its token bucket
// holds 20 tokens and gains one a second, for the whole account and region, so
// a throttled call joins a queue of unknown length. The first delays are spread
// over half a minute; later ones are short, but never zero. In `make storm`, 50
// services at once, each registration is retried once on average; with the
// common delays it would be retried more than six times.
const (
	maxFirstQueueDelay = 30 * time.Second
	minQueueDelay      = 3 * time.Second
	maxQueueDelay      = 4500 * time.Millisecond
)

// UntilDeadline returns a retryer for one call under ctx. It retries transient
// errors until the deadline of ctx, and gives up before the deadline, so that
// the call returns the last attempt's error and not the context's.
func UntilDeadline(ctx context.Context) aws.Retryer { return newRetryer(ctx) }

// UntilDeadlineIfRejected is [UntilDeadline] for a call that is not idempotent:
// it retries only errors after which the call certainly has not taken effect.
func UntilDeadlineIfRejected(ctx context.Context) aws.Retryer {
	return &rejectedRetryer{newRetryer(ctx)}
}

// rejectedRetryer is a retryer for calls that must not take effect twice.
type rejectedRetryer struct{ *retryer }

// IsErrorRetryable implements [aws.Retryer].
func (r *rejectedRetryer) IsErrorRetryable(err error) bool {
	return isTransient(err) && !MayHaveTakenEffect(err)
}

// RetryDelay implements [aws.Retryer] with the delays for a throttled registration.
func (r *rejectedRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case !IsThrottled(err):
		return r.retryer.RetryDelay(attempt, err)
	case attempt <= 1:
		return r.jitter(attempt, 0, maxFirstQueueDelay, err)
	}
	return r.jitter(attempt, minQueueDelay, maxQueueDelay, err)
}

// MayHaveTakenEffect reports whether a call that failed with err may have taken
// effect all the same: the connection was lost after the request was sent, or
// AWS answered with a server error. A rejected, throttled or unsent call has not.
func MayHaveTakenEffect(err error) bool {
	if isConcurrentRevision(err) || IsThrottled(err) {
		return false
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	return isTransient(err) || errors.Is(err, context.DeadlineExceeded)
}

// Backoff waits before a call whose result is unknown is retried, after the given
// number of such failures (from 1). It returns err as a fault if the deadline of
// ctx leaves no time for another attempt.
func Backoff(ctx context.Context, failures int, doing string, err error) error {
	delay, late := newRetryer(ctx).RetryDelay(failures, err)
	if late != nil {
		return Classify(doing, late)
	}
	if Wait(ctx, delay) != nil {
		return Classify(doing, err)
	}
	return nil
}

// Wait waits for d. If ctx ends first, it returns the cause.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var throttles = retry.IsErrorThrottles(retry.DefaultThrottles)

// IsThrottled reports whether AWS rejected a call because there were too many.
func IsThrottled(err error) bool { return throttles.IsErrorThrottle(err) == aws.TrueTernary }

// standard holds the SDK's own rules for which errors are retried. It has no
// state of its own, so all calls share it.
var standard = retry.NewStandard(func(o *retry.StandardOptions) {
	o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if isConcurrentRevision(err) {
			return aws.TrueTernary
		}
		return aws.UnknownTernary
	}))
})

// retryer retries transient errors of one call.
type retryer struct {
	*retry.Standard
	deadline time.Time                         // zero if the call has none
	random   func(time.Duration) time.Duration // see [WithJitter]
	waits    *Waits                            // nil if they are not counted
}

func newRetryer(ctx context.Context) *retryer {
	deadline, _ := ctx.Deadline()
	random, ok := ctx.Value(jitterKey{}).(func(time.Duration) time.Duration)
	if !ok {
		random = rand.N[time.Duration]
	}
	waits, _ := ctx.Value(waitsKey{}).(*Waits)
	return &retryer{standard, deadline, random, waits}
}

type jitterKey struct{}

// WithJitter returns a context whose calls draw their delays from random, which
// returns a duration below its argument, and not at random: for tests that have to
// be repeatable.
func WithJitter(ctx context.Context, random func(below time.Duration) time.Duration) context.Context {
	return context.WithValue(ctx, jitterKey{}, random)
}

// IsErrorRetryable implements [aws.Retryer].
func (r *retryer) IsErrorRetryable(err error) bool { return isTransient(err) }

// MaxAttempts returns 0, no bound, if the call has a deadline.
func (r *retryer) MaxAttempts() int {
	if !r.deadline.IsZero() {
		return 0
	}
	return maxAttempts
}

// GetRetryToken admits every retry: the deadline is the bound.
func (r *retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}

// RetryDelay returns the delay after the given attempt (from 1), or an error if
// there is no time for another attempt.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	first, bound := firstDelay, maxDelay
	if IsThrottled(err) {
		first = firstThrottledDelay
	}
	if attempt < 8 { // later the bound is maxDelay anyway, and the shift would overflow
		bound = min(maxDelay, first<<max(attempt-1, 0))
	}
	return r.jitter(attempt, 0, bound, err)
}

// jitter returns a random delay of at least shortest and less than longest. Close
// to the deadline it may be shorter, so that another attempt is in time.
func (r *retryer) jitter(attempt int, shortest, longest time.Duration, err error) (time.Duration, error) {
	if !r.deadline.IsZero() {
		left := time.Until(r.deadline) - roundTrip
		if left < firstDelay {
			return 0, &retriesEnded{attempt, err}
		}
		if left < longest {
			shortest, longest = min(shortest, left/2), left
		}
	}
	delay := shortest + r.random(longest-shortest)
	if r.waits != nil {
		r.waits.Add(delay)
	}
	return delay, nil
}

// retriesEnded is the error of a call whose retries ran out of time.
type retriesEnded struct {
	attempts int
	err      error
}

func (e *retriesEnded) Error() string {
	return fmt.Sprintf("giving up after %d attempts: %s", e.attempts, e.err)
}

func (e *retriesEnded) Unwrap() error { return e.err }

// isTransient reports whether the same call can succeed later. The table decides
// about the errors that AWS documents, the SDK about all others, such as lost
// connections and answers with a status of 500 or more. An answer that was cut
// off is transient too; to the SDK it is one that it cannot read.
func isTransient(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && !isConcurrentRevision(err) {
		if e, known := table[codeOf(api)]; known {
			return e.class == unavailable
		}
	}
	return standard.IsErrorRetryable(err) || errors.Is(err, io.ErrUnexpectedEOF) || isUnreadable(err)
}

// isConcurrentRevision reports whether ECS rejected a registration because
// another of the same family is in progress. ECS answers with a ClientException
// then, which no retry mode of the SDK retries.
func isConcurrentRevision(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ClientException" &&
		strings.Contains(api.ErrorMessage(), "Too many concurrent attempts to create a new revision")
}
