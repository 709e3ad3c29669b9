package rollout

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// pollInterval is how often a rollout that is followed is read.
const pollInterval = time.Second

// Follow reads the progress of a revision's rollout every second, and passes
// every change to show, until the rollout has ended. Without a circuit breaker
// it may never end: then ctx must.
func (c *Client) Follow(ctx context.Context, t ecsservice.Target, revision string, show func(Progress)) (Progress, error) {
	last := Progress{Phase: journal.RollingOut}
	for {
		p, err := c.Progress(ctx, t, revision)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return last, err
		case p != last:
			last = p
			show(p)
		}
		if last.Ended() {
			return last, nil
		}
		if err := fault.Wait(ctx, pollInterval); err != nil {
			return last, fmt.Errorf("following the rollout of %q: it has not ended (%d of %d tasks run, %d failed): %w",
				revision, last.Running, last.Desired, last.Failed, err)
		}
	}
}

// Newest returns the number of the newest revision of the target's family, and
// the time of the event that it was registered for: zero if it has no journal.
func (c *Client) Newest(ctx context.Context, t ecsservice.Target) (number int, at time.Time, err error) {
	s, err := c.services.Snapshot(ctx, t)
	if err != nil {
		return 0, at, err
	}
	return s.Newest.Number(), t.Record(s.Newest).Cause.Time, nil
}

// Await waits until the event with an id was handled for the target, by a
// revision whose number is greater than after, and returns that revision's ARN.
// Moved reports whether the service is or was moved to it: if not, the service
// ran the image already, and the revision only journals the event.
func (c *Client) Await(ctx context.Context, t ecsservice.Target, id string, after int) (revision string, moved bool, err error) {
	a := &awaitedEvent{client: c, target: t, id: journal.Value(id), read: after}
	for {
		done, err := a.poll(ctx)
		if err != nil && ctx.Err() == nil {
			return "", false, err
		}
		if done && err == nil {
			return a.found.ARN(), a.moved, nil
		}
		if err := fault.Wait(ctx, pollInterval); err != nil {
			return "", false, fmt.Errorf("waiting for the deployer to carry out event %q: %w", id, err)
		}
	}
}

// awaitedEvent is an event that is waited for.
type awaitedEvent struct {
	client *Client
	target ecsservice.Target
	id     string
	read   int                  // the greatest number of a revision that was read
	found  *ecsservice.Revision // of the event, once it is registered
	moved  bool
}

// poll reports whether the event has been handled.
func (a *awaitedEvent) poll(ctx context.Context) (done bool, err error) {
	s, err := a.client.services.Snapshot(ctx, a.target)
	if err != nil {
		return false, err
	}
	if err := a.search(ctx, s); err != nil || a.found == nil {
		return false, err
	}
	// The rollout may have ended between two polls: the journal of now counts.
	var now ecsservice.Revision
	switch arn := a.found.ARN(); arn {
	case s.Running.ARN():
		now = s.Running
	case s.Newest.ARN():
		now = s.Newest
	default:
		if now, err = a.client.services.DescribeRevision(ctx, arn); err != nil {
			return false, err
		}
	}
	a.moved = s.Running.ARN() == now.ARN() || s.Running.Number() > now.Number() ||
		a.target.Record(now).Reported() || ecsservice.FailedRevisions(s.Service)[now.ARN()]
	return a.moved || a.target.Identity(s.Running) == a.target.Identity(now), nil
}

// search reads the revisions that are new, until it finds the event's.
func (a *awaitedEvent) search(ctx context.Context, s ecsservice.Snapshot) error {
	for ; a.found == nil && a.read < s.Newest.Number(); a.read++ {
		one, err := a.client.services.DescribeRevision(ctx, ecsservice.Sibling(s.Running.ARN(), a.read+1))
		if err != nil {
			return err
		}
		if a.target.Record(one).Cause.ID == a.id {
			a.found = &one
		}
	}
	return nil
}
