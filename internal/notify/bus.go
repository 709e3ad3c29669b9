package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"deployer/internal/bus"
	"deployer/internal/outcome"
)

// The limits of one call of PutEvents: entries, and their bytes in total, a
// little less than the 1 MB of EventBridge.
const (
	maxEntries   = 10
	maxCallBytes = 1<<20 - 4<<10
)

// put puts outcomes on a bus. Its error is a fault of package fault and names
// every outcome that is not on the bus.
func put(ctx context.Context, b *bus.Bus, outcomes []outcome.Outcome) error {
	var errs []error
	for len(outcomes) > 0 {
		entries := fit(outcomes)
		ids, err := b.Put(ctx, entries...)
		if err != nil {
			errs = append(errs, fmt.Errorf("publishing %s: %w", missing(outcomes[:len(entries)], ids), err))
		}
		outcomes = outcomes[len(entries):]
	}
	return errors.Join(errs...)
}

// fit returns the entries of the first outcomes: as many as fit into one call,
// and at least one.
func fit(outcomes []outcome.Outcome) (entries []bus.Entry) {
	total := 0
	for _, o := range outcomes[:min(len(outcomes), maxEntries)] {
		e := entry(o)
		total += size(e)
		if total > maxCallBytes && len(entries) > 0 {
			break
		}
		entries = append(entries, e)
	}
	return entries
}

// entry returns the event of an outcome.
func entry(o outcome.Outcome) bus.Entry {
	e := bus.Entry{Source: outcome.Source, DetailType: string(o.Kind), Detail: string(o.Detail()), Time: o.Time}
	if o.ServiceARN != "" {
		e.Resources = []string{o.ServiceARN}
	}
	return e
}

// size returns the number of bytes that PutEvents counts for an entry, as its
// documentation computes it.
func size(e bus.Entry) int {
	const timeSize = 14
	n := timeSize + len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// missing names the outcomes that have no event id.
func missing(outcomes []outcome.Outcome, ids []string) string {
	var names []string
	for i, o := range outcomes {
		if i >= len(ids) || ids[i] == "" {
			names = append(names, fmt.Sprintf("%q of service %q (event %q)", o.Kind, o.Service, o.Cause.ID))
		}
	}
	return strings.Join(names, ", ")
}
