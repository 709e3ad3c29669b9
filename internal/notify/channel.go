package notify

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
)

// maxNotifyTime is how long all channels together may take.
const maxNotifyTime = 3 * time.Second

// Channel is a place where people read what became of deployments. A channel
// renders a [Summary] and sends it; it decides nothing else.
type Channel interface {
	// Name returns the channel's name in the log, such as "slack".
	Name() string
	// Send sends one message, with the limits and the escaping of the channel.
	// Its error is logged, so no secret may be in it.
	Send(ctx context.Context, s Summary) error
}

// constructors has one function for each kind of channel. It returns the channel
// that the environment file configures, or nil if it configures none.
var constructors = []func(environment.Notify, aws.Config) Channel{newSlack, newSNS}

// channels returns the channels that an environment file configures.
func channels(n environment.Notify, config aws.Config) (all []Channel) {
	for _, construct := range constructors {
		c := construct(n, config)
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// send sends a summary to every channel at the same time. It returns when all
// have it, or after maxNotifyTime. Failures are logged.
func send(ctx context.Context, all []Channel, s Summary) {
	ctx, cancel := context.WithTimeout(ctx, maxNotifyTime)
	defer cancel()
	var sending sync.WaitGroup
	for _, c := range all {
		sending.Go(func() {
			if err := c.Send(ctx, s); err != nil {
				slog.WarnContext(ctx, "notification not sent", "channel", c.Name(), "outcome", string(s.Kind),
					"event_id", s.EventID, "service", s.Service, "error", err.Error())
			}
		})
	}
	sending.Wait()
}

// withoutBackquotes returns a text that can stand between backquotes. An apostrophe in their
// place would end a quoted word of a command that is pasted into a shell.
func withoutBackquotes(s string) string { return strings.ReplaceAll(s, "`", "\u02cb") }
