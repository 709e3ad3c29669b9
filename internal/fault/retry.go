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

// The pace of retries: full jitter under a ceiling that doubles, so that a
// crowd that was throttled together does not come back together. The ceiling
// begins higher for who is throttled: the bucket is empty then, and ECS's gain
// 5 to 20 a second.
const (
	firstCeiling = 100 * time.Millisecond
	firstEmpty   = time.Second
	lastCeiling  = 5 * time.Second
	roundTrip    = 200 * time.Millisecond // what an attempt itself must still have time for
	patience     = 12                     // attempts, where no deadline ends them
)

// The pace of registrations that are throttled. Their bucket holds 20 and gains
// one a second, for a whole account and region: who is refused stands in a
// queue of unknown length that moves by one a second. So a crowd spreads over
// half a minute first, and then comes back at short intervals, but not at once.
// Simulated and measured for 50 services at once (`make storm`): with the
// common pace each registration would be tried more than six times for nothing,
// with this one once.
const (
	firstInQueue = 30 * time.Second
	leastInQueue = 3 * time.Second
	laterInQueue = 4500 * time.Millisecond
)

// UntilDeadline returns the retryer for one call under ctx. It goes on until the
// deadline of ctx and never sleeps past it: it gives up while there is time to
// say what the last attempt met.
func UntilDeadline(ctx context.Context) aws.Retryer {
	return &retryer{standard, ctx}
}

// UntilDeadlineIfRejected is [UntilDeadline] for a call that must not take effect twice: it
// retries only what AWS has refused for now, not what may have taken effect.
func UntilDeadlineIfRejected(ctx context.Context) aws.Retryer {
	return &refusedRetryer{retryer{standard, ctx}}
}

type refusedRetryer struct{ retryer }

// IsErrorRetryable implements [aws.Retryer].
func (r *refusedRetryer) IsErrorRetryable(err error) bool {
	return passes(err) && !MayHaveTakenEffect(err)
}

// RetryDelay implements [aws.Retryer] at the pace of the registrations' bucket.
func (r *refusedRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case throttles.IsErrorThrottle(err) != aws.TrueTernary:
		return r.retryer.RetryDelay(attempt, err)
	case attempt <= 1:
		return r.jitter(attempt, 0, firstInQueue, err)
	}
	return r.jitter(attempt, leastInQueue, laterInQueue, err)
}

// MayHaveTakenEffect reports whether nobody knows if a call that failed took
// effect: the connection was lost, or AWS answered with a fault of its own.
// What AWS refused, throttled or did not receive has not.
func MayHaveTakenEffect(err error) bool {
	if concurrentRevision(err) == aws.TrueTernary || throttles.IsErrorThrottle(err) == aws.TrueTernary {
		return false
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	return passes(err) || errors.Is(err, context.DeadlineExceeded)
}

// Backoff waits before a call is made again of which nobody knew whether it took
// effect, after the given number of such failures (from 1). It returns the
// failure as a fault if there is no time left for another attempt.
func Backoff(ctx context.Context, failures int, doing string, err error) error {
	delay, late := (&retryer{standard, ctx}).RetryDelay(failures, err)
	if late != nil {
		return Classify(doing, late)
	}
	if Wait(ctx, delay) != nil {
		return Classify(doing, err)
	}
	return nil
}

// Wait waits, or returns why it may not: the cause of the end of ctx.
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

// standard knows what the SDK retries; it is shared, for it holds nothing but that.
var standard = retry.NewStandard(func(o *retry.StandardOptions) {
	o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(concurrentRevision))
})

type retryer struct {
	*retry.Standard
	ctx context.Context
}

// IsErrorRetryable implements [aws.Retryer].
func (r *retryer) IsErrorRetryable(err error) bool { return passes(err) }

// MaxAttempts bounds the attempts where the context does not.
func (r *retryer) MaxAttempts() int {
	if _, ok := r.ctx.Deadline(); ok {
		return 0 // no bound
	}
	return patience
}

// GetRetryToken lets every retry through: the deadline is the bound.
func (r *retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}

// RetryDelay returns how long to wait after the given attempt (from 1), or the
// reason to give up.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	first, ceiling := firstCeiling, lastCeiling
	if throttles.IsErrorThrottle(err) == aws.TrueTernary {
		first = firstEmpty
	}
	if attempt < 8 { // 100 ms doubled six times is beyond the last ceiling
		ceiling = min(lastCeiling, first<<max(attempt-1, 0))
	}
	return r.jitter(attempt, 0, ceiling, err)
}

// jitter returns a random wait from a floor to below a ceiling, and in time for
// another attempt, which may be sooner than the floor.
func (r *retryer) jitter(attempt int, floor, ceiling time.Duration, err error) (time.Duration, error) {
	if end, ok := r.ctx.Deadline(); ok {
		left := time.Until(end) - roundTrip
		if left < firstCeiling {
			return 0, &gaveUp{attempt, err}
		}
		if left < ceiling {
			floor, ceiling = min(floor, left/2), left
		}
	}
	return floor + rand.N(ceiling-floor), nil
}

// gaveUp is the error of a call whose retries ran out of time.
type gaveUp struct {
	attempts int
	err      error
}

func (g *gaveUp) Error() string {
	return fmt.Sprintf("giving up after %d attempts: %s", g.attempts, g.err)
}
func (g *gaveUp) Unwrap() error { return g.err }

// passes reports whether the same call may succeed later: by the table for what
// AWS models, and by the SDK for all else, such as lost connections and
// answers with a status of 500 or more. That an answer was cut off, the SDK
// takes for one that it cannot read.
func passes(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && concurrentRevision(err) != aws.TrueTernary {
		if v, known := verdicts[codeOf(api)]; known {
			return v.class == passing
		}
	}
	return standard.IsErrorRetryable(err) || errors.Is(err, io.ErrUnexpectedEOF)
}

// concurrentRevision recognises ECS's refusal of two registrations of one
// family at a time. It comes as a plain ClientException, which no retry mode of
// the SDK takes for passing.
func concurrentRevision(err error) aws.Ternary {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ClientException" &&
		strings.Contains(api.ErrorMessage(), "Too many concurrent attempts to create a new revision") {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
