// Package notify publishes outcomes: as events on the environment's bus, as
// metrics in the function's log, and as messages in the channels that people
// read. Publishing an event can fail, and the deployer then retries. Informing
// people never fails a deployment.
//
//	p := notify.New(env, config, os.Stdout)
//	if err := p.Publish(ctx, o); err != nil {
//		return err // EventBridge does not have the outcome: retry
//	}
//	p.Notify(ctx, o)
package notify

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/bus"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/outcome"
)

// Publisher publishes the outcomes of one environment. It is safe for
// concurrent use.
type Publisher struct {
	bus      *bus.Bus
	channels []Channel
	meter    *meter
}

// New returns the publisher of an environment: to the default event bus in the
// account and region of config, to the channels of the environment file, and as
// metrics to log, which is the function's standard output. New calls nothing:
// every client is made when it is first used.
func New(env *environment.Environment, config aws.Config, log io.Writer) *Publisher {
	return &Publisher{
		bus: bus.New(config, ""), channels: channels(env.Notify, config), meter: newMeter(log, env.Project, env.Name),
	}
}

// Publish puts the outcomes on the bus. Its error is a fault of package fault
// and names every outcome that is not on the bus. The caller returns it, so that
// the event is retried: outcomes are published at least once.
func (p *Publisher) Publish(ctx context.Context, outcomes ...outcome.Outcome) error {
	if err := put(ctx, p.bus, outcomes); err != nil {
		slog.ErrorContext(ctx, "publishing outcomes failed", "error", err.Error(), "error_type", fault.NameOf(err))
		return err
	}
	for _, o := range outcomes {
		slog.InfoContext(ctx, "outcome published",
			"outcome", string(o.Kind), "event_id", o.Cause.ID, "service", o.Service, "tag", o.Tag, "foreign", o.Foreign,
			"task_definition", o.Revision.After, "deployment_id", o.DeploymentID, "summary", o.Message)
	}
	return nil
}

// Notify counts the outcomes in the metrics and sends them to every channel, at
// the same time. It returns after three seconds at the latest. It never fails: a
// message that could not be sent is logged.
func (p *Publisher) Notify(ctx context.Context, outcomes ...outcome.Outcome) {
	var all sync.WaitGroup
	for _, o := range outcomes {
		p.meter.outcome(o)
		all.Go(func() { send(ctx, p.channels, Summarize(o)) })
	}
	all.Wait()
}

// EventIgnored counts an event that is not for the environment.
func (p *Publisher) EventIgnored() { p.meter.ignored() }

// Reconciled counts a search for lost pushes, and the repositories that it could
// not search because access was denied.
func (p *Publisher) Reconciled(denied int) { p.meter.reconciled(denied) }

// Discard is a publisher that publishes nothing, for commands whose result is
// printed.
type Discard struct{}

// Publish does nothing.
func (Discard) Publish(context.Context, ...outcome.Outcome) error { return nil }

// Notify does nothing.
func (Discard) Notify(context.Context, ...outcome.Outcome) {}

// EventIgnored does nothing.
func (Discard) EventIgnored() {}

// Reconciled does nothing.
func (Discard) Reconciled(int) {}
