// Package notify tells people what became of a deployment, in the channels that
// they read. Nothing here ever fails a deployment.
package notify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"deployer/internal/outcome"
)

// bound is how long all channels together may take.
const bound = 3 * time.Second

// Notifier is one channel, such as [Slack] or a topic of package sns. Its
// errors may be logged: there is no secret in them.
type Notifier interface {
	Notify(ctx context.Context, o outcome.Outcome) error
	String() string // the channel, for the log
}

// Notifiers are the channels that hear of every outcome.
type Notifiers []Notifier

// All returns the channels as one.
func All(channels ...Notifier) Notifiers { return channels }

// Notify tells every channel at the same time, and returns when all have been
// told or three seconds are over. What could not be told is logged.
func (all Notifiers) Notify(ctx context.Context, o outcome.Outcome) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var told sync.WaitGroup
	for _, channel := range all {
		told.Go(func() {
			if err := channel.Notify(ctx, o); err != nil {
				slog.WarnContext(ctx, "notification not sent", "channel", channel.String(), "outcome", string(o.Kind),
					"event_id", o.Cause.ID, "service", o.Service, "error", err.Error())
			}
		})
	}
	told.Wait()
}
