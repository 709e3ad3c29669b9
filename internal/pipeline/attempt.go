package pipeline

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

const (
	// maxAttempts is how often Lambda invokes the function for one event: the
	// template's MaximumRetryAttempts and the first time.
	maxAttempts = 3
	// maxRemembered is how many failing events a process remembers.
	maxRemembered = 1000
)

// attempts counts how often this process handled each event that failed. Lambda gives a
// function no number of its attempt, but all attempts have the id of the first one's
// request. An event's own age says nothing: it may have waited before its first attempt.
// If earlier attempts ran in another process, or ended it, the last one is not known to
// be the last: then the failure queue and its alarm are all that reports it. The zero
// value is ready to use. It is safe for concurrent use.
type attempts struct {
	mu     sync.Mutex
	failed map[string]int // by request id
	order  []string       // of the ids, oldest first
}

type lastAttemptKey struct{}

// begin returns ctx with whether this is the last attempt, and a function that has to be
// called with the attempt's error.
func (a *attempts) begin(ctx context.Context) (context.Context, func(error)) {
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok || lc.AwsRequestID == "" || a == nil {
		return ctx, func(error) {}
	}
	id := lc.AwsRequestID
	a.mu.Lock()
	defer a.mu.Unlock()
	last := a.failed[id]+1 >= maxAttempts
	return context.WithValue(ctx, lastAttemptKey{}, last), func(err error) { a.end(id, err) }
}

// end counts a failed attempt, and forgets an event that was handled.
func (a *attempts) end(id string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		delete(a.failed, id)
		return
	}
	if a.failed == nil {
		a.failed = map[string]int{}
	}
	if a.failed[id]++; a.failed[id] > 1 {
		return
	}
	a.order = append(a.order, id)
	if len(a.order) > maxRemembered {
		delete(a.failed, a.order[0])
		a.order = a.order[1:]
	}
}

// isLastAttempt reports whether Lambda will not retry the event of ctx, as far as that is
// known.
func isLastAttempt(ctx context.Context) bool {
	last, _ := ctx.Value(lastAttemptKey{}).(bool)
	return last
}
