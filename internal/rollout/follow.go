package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// pollInterval is the time between two reads of [Client.Follow] and [Client.Await].
const pollInterval = time.Second

// Follow reads the progress of a revision's rollout every second until the rollout
// or ctx ends, and calls show for every change. Without a circuit breaker a
// rollout may never end; then it ends for Follow once it was reported as impaired.
// Whenever more tasks have failed, Follow also reads why tasks stopped.
func (c *Client) Follow(
	ctx context.Context, t ecsservice.Target, revision string, show func(Progress),
) (Progress, error) {
	last := Progress{Phase: journal.RollingOut}
	stopped := stoppedReader{services: c.services, target: t}
	for {
		p, err := c.Progress(ctx, t, revision)
		if err == nil {
			p.Stopped = stopped.of(ctx, p)
		}
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

// stoppedReader reads why the tasks of one rollout stopped, when there is news.
type stoppedReader struct {
	services *ecsservice.Client
	target   ecsservice.Target
	failed   int // number of failed tasks when they were read
	text     string
}

// of returns why the tasks of a rollout stopped.
func (r *stoppedReader) of(ctx context.Context, p Progress) string {
	failed := p.Phase == journal.Failed || p.Phase == journal.Impaired
	switch {
	case p.Stopped != "":
		return p.Stopped
	case p.Failed > r.failed, failed && r.text == "":
		r.failed = p.Failed
		r.text = strings.Join(r.services.StoppedReasons(ctx, r.target, p.DeploymentID), "; ")
	}
	return r.text
}

// Newest reads the number of the newest revision of the target's family, and the
// time of its event: zero if it has no journal.
func (c *Client) Newest(ctx context.Context, t ecsservice.Target) (number int, at time.Time, err error) {
	s, err := c.services.Snapshot(ctx, t)
	if err != nil {
		return 0, at, err
	}
	return s.Newest.Number(), t.Record(s.Newest).Cause.Time, nil
}

// Await waits until a revision with a number greater than after was registered for
// the event with an id, and the service is moved to it or runs its image. It
// returns the revision's ARN. Moved is false if the service was already running the
// image, and the revision only journals the event.
func (c *Client) Await(
	ctx context.Context, t ecsservice.Target, id string, after int,
) (revision string, moved bool, err error) {
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
			return "", false, fmt.Errorf("waiting for the deployer to handle event %q: %w", id, err)
		}
	}
}

// awaitedEvent is the state of [Client.Await].
type awaitedEvent struct {
	client *Client
	target ecsservice.Target
	id     string
	read   int                  // the number of the newest revision that was read
	found  *ecsservice.Revision // the event's revision, once it is registered
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
	// The rollout may have ended since the last poll: the journal must be current.
	var now ecsservice.Revision
	arn := a.found.ARN()
	switch arn {
	case s.Running.ARN():
		now = s.Running
	case s.Newest.ARN():
		now = s.Newest
	default:
		if now, err = a.client.services.DescribeRevision(ctx, arn); err != nil {
			return false, err
		}
	}
	same, reported := a.target.Identity(s.Running) == a.target.Identity(now), a.target.Record(now).Reported()
	if a.target.Task && same {
		reported = false // that a task runs the image already is noted as a move of it
	}
	a.moved = s.Running.ARN() == now.ARN() || s.Running.Number() > now.Number() || reported ||
		ecsservice.FailedRevisions(s.Service)[now.ARN()]
	return a.moved || same, nil
}

// search reads new revisions until it finds the event's.
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
