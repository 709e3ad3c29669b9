package fault

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Impatient is a retryer for several calls that try the same. A call that would wait
// longer than a limit in all, or that may have taken effect, fails with the last
// attempt's error, and [LongWait] says how long to wait before the next one. Between,
// the caller can read again what it decided the call by.
type Impatient struct {
	aws.Retryer
	limit, waited time.Duration
	attempts      int  // of all calls
	inTurn        bool // see InTurn
}

// InTurn makes a throttled call fail at once in the same way, because its caller takes
// turns with others for the next one. It returns the retryer.
func (i *Impatient) InTurn() *Impatient {
	i.inTurn = true
	return i
}

// NewImpatient returns a retryer that otherwise behaves as r.
func NewImpatient(r aws.Retryer, limit time.Duration) *Impatient {
	return &Impatient{Retryer: r, limit: limit}
}

// RetryDelay implements [aws.Retryer].
func (i *Impatient) RetryDelay(_ int, err error) (time.Duration, error) {
	i.attempts++
	delay, ended := i.Retryer.RetryDelay(i.attempts, err)
	if ended != nil {
		return delay, ended
	}
	i.waited += delay
	if i.waited > i.limit || MayHaveTakenEffect(err) || i.inTurn && IsThrottled(err) {
		i.waited = 0
		return 0, &longWait{delay, err}
	}
	return delay, nil
}

// longWait is the error of a call that is not made again at once.
type longWait struct {
	delay time.Duration
	err   error
}

func (w *longWait) Error() string { return w.err.Error() }
func (w *longWait) Unwrap() error { return w.err }

// LongWait returns how long to wait before a call with an [Impatient] retryer is made
// again; ok is false if the call failed for another reason.
func LongWait(err error) (delay time.Duration, ok bool) {
	var w *longWait
	if errors.As(err, &w) {
		return w.delay, true
	}
	return 0, false
}

// Waits is how long calls under one context waited between their attempts.
type Waits struct{ total atomic.Int64 }

// Total returns the sum of all waits.
func (w *Waits) Total() time.Duration { return time.Duration(w.total.Load()) }

// Add adds a wait.
func (w *Waits) Add(d time.Duration) { w.total.Add(int64(d)) }

type waitsKey struct{}

// AddWait adds a wait to those of a context, if they are counted.
func AddWait(ctx context.Context, d time.Duration) {
	if w, ok := ctx.Value(waitsKey{}).(*Waits); ok {
		w.Add(d)
	}
}

// CountWaits returns a context under which the waits of calls are counted, and the
// counter. If they are counted already, it returns ctx and its counter.
func CountWaits(ctx context.Context) (context.Context, *Waits) {
	if w, ok := ctx.Value(waitsKey{}).(*Waits); ok {
		return ctx, w
	}
	w := new(Waits)
	return context.WithValue(ctx, waitsKey{}, w), w
}
