package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"deployer/testbed/fleet"
)

// A result is what became of a replay's events. The first four counts have to be 0.
type result struct {
	lost       int // events, see history.lost, and invocations that failed for good
	wrong      int // services and revisions, see history.wrong
	downgrades int // of services, see history.downgrades
	duplicates int // revisions, see history.duplicates

	services, events, valid, effective, deliveries, attempts int
	calls, faults, registers, rollouts                       int
	took                                                     time.Duration
	logged                                                   map[string]int
}

// evaluate compares what the services run with the events; requests are the request ids of the deliveries of each
// event.
func evaluate(
	ctx context.Context, f *fleet.Fleet, u *updateRecorder, services int,
	events []fleet.Event, requests map[string][]string,
) (*result, error) {
	if len(u.attempts) == 0 {
		return nil, errors.New("no call had a trace id, so calls cannot be assigned to attempts")
	}
	r := &result{services: services, events: len(events), lost: f.Failed(), logged: f.Logged()}
	for _, c := range f.AWS.Calls() {
		r.calls++
		switch {
		case c.Error != "":
			r.faults++
		case c.Operation == "RegisterTaskDefinition":
			r.registers++
		}
	}
	invocations := f.Attempts()
	attempts := map[string]int{} // by event
	for event, ids := range requests {
		for _, id := range ids {
			attempts[event] += invocations[id]
			r.attempts += invocations[id]
		}
	}
	refused := f.Refused()
	for i := range services {
		h := history{attempts: attempts, refused: refused}
		for _, e := range events {
			if e.Service == i {
				h.events = append(h.events, e)
			}
		}
		for _, update := range u.updates {
			if update.service == fleet.ECSName(i) {
				h.updates = append(h.updates, update)
			}
		}
		var err error
		if h.revisions, h.running, err = fleet.Revisions(ctx, f.Account, i); err != nil {
			return nil, err
		}
		r.add(h)
	}
	return r, nil
}

// add adds the counts of one service.
func (r *result) add(h history) {
	r.valid += len(h.events)
	r.lost += h.lost()
	r.wrong += h.wrong()
	r.downgrades += h.downgrades()
	r.duplicates += h.duplicates()
	r.rollouts += len(h.updates)
	effective := map[string]bool{}
	for _, u := range h.updates {
		effective[h.revisions[u.revision-1].EventID] = true
	}
	r.effective += len(effective)
}

// check returns an error unless all counts that have to be 0 are.
func (r *result) check() error {
	if r.lost+r.wrong+r.downgrades+r.duplicates > 0 {
		return fmt.Errorf("%d lost, %d wrong, %d downgrades, %d duplicate registers: all have to be 0",
			r.lost, r.wrong, r.downgrades, r.duplicates)
	}
	return nil
}

// String returns the result as a table.
func (r *result) String() string {
	var s strings.Builder
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, n int) { fmt.Fprintf(w, "%s\t%d\t\n", what, n) }
	ratio := func(what string, part, whole float64) { fmt.Fprintf(w, "%s\t%.2f\t\n", what, part/max(whole, 1e-9)) }
	row("lost", r.lost)
	row("wrong", r.wrong)
	row("downgrades", r.downgrades)
	row("duplicate registers", r.duplicates)
	row("services", r.services)
	row("events", r.events)
	row("events that ask for a deployment", r.valid)
	row("effective events, which moved their service", r.effective)
	row("deliveries", r.deliveries)
	row("attempts", r.attempts)
	row("API calls", r.calls)
	row("API calls that met a fault", r.faults)
	row("revisions registered", r.registers)
	row("rollouts", r.rollouts)
	ratio("API calls per delivery", float64(r.calls), float64(r.deliveries))
	ratio("API calls per effective event", float64(r.calls), float64(r.effective))
	ratio("rollouts per effective event", float64(r.rollouts), float64(r.effective))
	ratio("deliveries per second", float64(r.deliveries), r.took.Seconds())
	ratio("seconds", r.took.Seconds(), 1)
	for _, message := range slices.Sorted(maps.Keys(r.logged)) {
		row("log: "+message, r.logged[message])
	}
	w.Flush()
	return s.String()
}
