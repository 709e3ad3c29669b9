package converge

import "fmt"

// verdict returns what is wrong with a final world, "" if nothing.
func (x *explorer) verdict(w *world) string {
	for i := range w.processes {
		if w.processes[i].stuck {
			return "a delivery cannot go on, however often it is retried"
		}
	}
	failed := func(event string) bool {
		for _, f := range w.failed {
			if string(f) == event {
				return true
			}
		}
		return false
	}
	var best, without choiceMade // without the command
	var newestFailed int64
	for _, e := range x.events {
		if failed(e.Event) {
			newestFailed = max(newestFailed, e.Time)
			continue
		}
		c := choiceMade{e.Time, 1, e.Image, "event " + e.Event, e.Demand == NewerConfiguration}
		if best = best.newer(c); e.Event != x.command {
			without = without.newer(c)
		}
	}
	if w.failed != "" {
		if x.failedAgain(w, failed) {
			return "a duplicate of the event whose rollout failed rolled it out again"
		}
		if newestFailed > best.at {
			return "" // ECS rolled back, and nothing newer was chosen
		}
	}
	for i, m := range w.rolls {
		if m.external && !m.rollback {
			image := w.revisions[m.revision-1].Image
			c := choiceMade{int64(m.created) * unit, 0, image, fmt.Sprintf("the external move %d to %d", i, m.revision),
				false}
			best, without = best.newer(c), without.newer(c)
		}
	}
	runs := w.revisions[w.runs()-1]
	if w.dead && best.image != runs.Image { // of a command that died, the person knows that it may not be carried out
		best = without
	}
	if runs.Image != best.image {
		return fmt.Sprintf("it runs %d (%s), but the newest choice is %s (%s)", w.runs(), runs.Image, best.name,
			best.image)
	}
	return x.verdictOnConfiguration(w, best)
}

// verdictOnConfiguration is the part of the verdict that is about configurations.
func (x *explorer) verdictOnConfiguration(w *world, best choiceMade) string {
	configuration := func(n int) int {
		if r := w.revisions[n-1]; r.by != 'x' {
			return r.Configuration
		}
		return n
	}
	manual, pushesOnly := false, true
	for _, e := range x.events {
		manual = manual || e.Demand == NewerConfiguration
		pushesOnly = pushesOnly && e.Image == "v1"
	}
	if best.manual {
		due := 0
		for n, r := range w.revisions {
			if r.by == 'x' && r.Registered < best.at {
				due = n + 1
			}
		}
		if configuration(w.runs()) < due {
			return fmt.Sprintf("it runs configuration %d, but %s was to roll out %d", configuration(w.runs()),
				best.name, due)
		}
	}
	if !manual && pushesOnly && len(w.rolls) > 1 {
		return "a push of what runs rolled out"
	}
	k := &known{family: x.family(w, &process{}), rolls: x.service(w, len(w.rolls)), newest: len(w.revisions)}
	last := w.newestExternal(len(w.revisions))
	if kept, _ := k.configuration(); kept != last || len(k.unread) > 0 {
		return fmt.Sprintf("the configuration of revision %d is lost: the next clone has that of %d", last, kept)
	}
	return ""
}

// failedAgain reports whether a revision of a failed event was rolled out after the
// rollback.
func (x *explorer) failedAgain(w *world, failed func(string) bool) bool {
	gone := 0
	for i, m := range w.rolls {
		if m.rollback {
			gone = i
		}
	}
	for _, m := range w.rolls[gone:] {
		r := w.revisions[m.revision-1]
		if failed(r.Event) && r.Registered > int64(w.rolls[gone].created)*unit {
			return true
		}
	}
	return false
}

// choiceMade is a choice, as the truth of the model has it.
type choiceMade struct {
	at     int64
	event  int // 1 for an event
	image  string
	name   string
	manual bool
}

func (c choiceMade) newer(other choiceMade) choiceMade {
	if other.image != "" && (c.image == "" || c.at < other.at || c.at == other.at && c.event < other.event) {
		return other
	}
	return c
}
