package outcome

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/bus"
)

// mostCall is how many bytes one call of PutEvents takes, with some to spare.
const mostCall = 1<<20 - 4<<10

// Bus is the default event bus of the environment's own account, where
// outcomes are made known. Its client is made when it is first used.
type Bus struct{ bus *bus.Bus }

// New returns the bus in the account and region of config.
func New(config aws.Config) *Bus { return &Bus{bus.New(config, "")} }

// Send puts the outcomes on the bus. Its error is a fault of package fault, and
// names every outcome that is not there; the others are.
func (b *Bus) Send(ctx context.Context, outcomes ...Outcome) error {
	var errs []error
	for len(outcomes) > 0 {
		entries := fit(outcomes)
		ids, err := b.bus.Put(ctx, entries...)
		if err != nil {
			errs = append(errs, fmt.Errorf("making known %s: %w", lost(outcomes[:len(entries)], ids), err))
		}
		outcomes = outcomes[len(entries):]
	}
	return errors.Join(errs...)
}

// fit returns the entries of the first outcomes, as many as one call takes, and
// at least one.
func fit(outcomes []Outcome) (entries []bus.Entry) {
	total := 0
	for _, o := range outcomes[:min(len(outcomes), 10)] {
		e := o.Entry()
		if total += size(e); total > mostCall && len(entries) > 0 {
			break
		}
		entries = append(entries, e)
	}
	return entries
}

// lost names the outcomes that got no id.
func lost(outcomes []Outcome, ids []string) (names string) {
	for i, o := range outcomes {
		if i < len(ids) && ids[i] != "" {
			continue
		}
		if names != "" {
			names += ", "
		}
		names += fmt.Sprintf("%q of service %q (event %q)", o.Kind, o.Service, o.Cause.ID)
	}
	return names
}
