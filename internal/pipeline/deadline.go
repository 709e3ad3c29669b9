package pipeline

import (
	"context"
	"time"
)

const (
	// answerReserve is the part of an invocation's time that is kept for its
	// answer, so that the log and the caller have the result.
	answerReserve = 500 * time.Millisecond

	// notifyReserve is the part of an invocation's time that is kept for
	// publishing requests that did not finish: for a first call of EventBridge, and
	// for the channels.
	notifyReserve = 5 * time.Second
)

// withNotifyReserve returns ctx with a deadline that leaves the time to publish
// results: notifyReserve, but at most a quarter of the time that is left.
func (p *Pipeline) withNotifyReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !p.followsRollouts || !ok {
		return context.WithCancel(ctx)
	}
	return withReserve(ctx, min(notifyReserve, time.Until(end)/4))
}

// withReserve returns ctx with a deadline that is earlier by the reserve.
func withReserve(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-reserve))
	}
	return context.WithCancel(ctx)
}
