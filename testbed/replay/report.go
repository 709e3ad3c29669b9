package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// String returns the outcome as a table.
func (o *outcome) String() string {
	var s strings.Builder
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, n int) { fmt.Fprintf(w, "%s\t%d\t\n", what, n) }
	ratio := func(what string, part, whole float64) { fmt.Fprintf(w, "%s\t%.2f\t\n", what, part/max(whole, 1e-9)) }
	row("lost", o.lost)
	row("wrong", o.wrong)
	row("downgrades", o.downgrades)
	row("duplicate registers", o.duplicates)
	row("services", o.services)
	row("events", o.events)
	row("events that ask for a deployment", o.valid)
	row("effective events, which moved their service", o.effective)
	row("deliveries", o.deliveries)
	row("attempts", o.attempts)
	row("API calls", o.calls)
	row("API calls that met a fault", o.faults)
	row("revisions registered", o.registers)
	row("rollouts", o.rollouts)
	ratio("API calls per delivery", float64(o.calls), float64(o.deliveries))
	ratio("API calls per effective event", float64(o.calls), float64(o.effective))
	ratio("rollouts per effective event", float64(o.rollouts), float64(o.effective))
	ratio("deliveries per second", float64(o.deliveries), o.took.Seconds())
	ratio("seconds", o.took.Seconds(), 1)
	for _, message := range slices.Sorted(maps.Keys(o.logged)) {
		row("log: "+message, o.logged[message])
	}
	w.Flush()
	return s.String()
}
