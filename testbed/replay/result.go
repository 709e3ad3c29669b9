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
	calls, faults, registers, rollouts, foreign, redriven    int
	took                                                     time.Duration
	logged                                                   map[string]int
	faulty                                                   []string // what is wrong
}

// evaluate compares what the services run with what was chosen.
func (p *player) evaluate(ctx context.Context) (*result, error) {
	if len(p.updates.attempts) == 0 {
		return nil, errors.New("no call had a trace id, so calls cannot be assigned to attempts")
	}
	r := &result{services: p.services, events: len(p.events), lost: p.failed + p.Failed(), logged: p.Logged()}
	for _, c := range p.AWS.Calls() {
		if c.Role != "deployer" && c.Role != fleet.Operator {
			continue
		}
		r.calls++
		switch {
		case c.Error != "":
			r.faults++
		case c.Operation == "RegisterTaskDefinition":
			r.registers++
		}
	}
	attempts := p.attempts()
	for _, n := range attempts {
		r.attempts += n
	}
	for _, n := range p.redriven {
		r.redriven += n
	}
	refused := p.Refused()
	for i := range p.services {
		h := history{attempts: attempts, refused: refused, updates: p.updates.all(fleet.ECSName(i))}
		for _, e := range p.events {
			if e.Service == i {
				h.events = append(h.events, e)
			}
		}
		var err error
		if h.revisions, h.running, err = fleet.Revisions(ctx, p.Account, i); err != nil {
			return nil, err
		}
		r.add(h)
		r.faulty = append(r.faulty, h.explain(fleet.ServiceName(i))...)
	}
	return r, nil
}

// attempts returns the number of attempts at the deliveries of each event.
func (p *player) attempts() map[string]int {
	invocations := p.Attempts()
	attempts := map[string]int{}
	for event, ids := range p.requests {
		for _, id := range ids {
			attempts[event] += invocations[id]
		}
	}
	for event, n := range p.redriven {
		attempts[event] += n
	}
	return attempts
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
		if u.foreign {
			r.foreign++
		} else {
			effective[h.revisions[u.revision-1].EventID] = true
		}
	}
	r.effective += len(effective)
}

// Check returns an error unless all counts that have to be 0 are.
func (r *result) Check() error {
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
	row("rollouts by a person or Terraform", r.foreign)
	row("events that failed for good and were run again later", r.redriven)
	ratio("API calls per delivery", float64(r.calls), float64(r.deliveries))
	ratio("API calls per effective event", float64(r.calls), float64(r.effective))
	ratio("rollouts per effective event", float64(r.rollouts-r.foreign), float64(r.effective))
	ratio("deliveries per second", float64(r.deliveries), r.took.Seconds())
	ratio("seconds", r.took.Seconds(), 1)
	for _, message := range slices.Sorted(maps.Keys(r.logged)) {
		row("log: "+message, r.logged[message])
	}
	w.Flush()
	for _, line := range r.faulty {
		fmt.Fprintln(&s, line)
	}
	return s.String()
}
