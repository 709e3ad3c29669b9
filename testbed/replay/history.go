package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"deployer/testbed/fleet"
)

// A history is what happened to one service during a replay.
type history struct {
	events    []fleet.Event    // that request a deployment, by time
	attempts  map[string]int   // at the deliveries of an event, by its id
	refused   map[string]bool  // the ids of events of which a delivery was ignored or rejected
	revisions []fleet.Revision // by number from 1
	running   int              // the revision that runs in the end
	updates   []update
}

// lost counts the events that are neither recorded by a revision nor superseded by a newer event that is, and those of
// which a delivery was refused.
func (h history) lost() int { return len(h.missing()) }

// missing returns the events that [history.lost] counts.
func (h history) missing() (lost []fleet.Event) {
	var newest time.Time // the time of the newest event that a revision records, or of the newest foreign update
	for _, r := range h.revisions {
		if r.Own && r.EventTime.After(newest) {
			newest = r.EventTime
		}
	}
	for _, u := range h.updates {
		if u.foreign && u.at.After(newest) {
			newest = u.at
		}
	}
	for _, e := range h.events {
		if e.Time.After(newest) || h.refused[e.ID] {
			lost = append(lost, e)
		}
	}
	return lost
}

// wrong counts the service if it does not run the newest choice, which is an event or a foreign update, and its
// revisions that the deployer registered for an event that must not deploy.
func (h history) wrong() (n int) {
	if !h.runsNewest() {
		n++
	}
	return n + len(h.unrequested())
}

// unrequested returns the numbers of the deployer's revisions that are for no event that deploys.
func (h history) unrequested() (numbers []int) {
	for i, r := range h.revisions {
		if i == 0 || !r.Own || r.Copy {
			continue
		}
		requested := slices.ContainsFunc(h.events, func(e fleet.Event) bool {
			return e.ID == r.EventID && e.Time.Equal(r.EventTime)
		})
		if !requested {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// runsNewest reports whether the service runs the image of its newest choice, or its first revision if there is none.
func (h history) runsNewest() bool {
	runs := h.revisions[h.running-1]
	var event fleet.Event
	var foreign update
	if len(h.events) > 0 {
		event = h.events[len(h.events)-1]
	}
	for _, u := range h.updates {
		if u.foreign {
			foreign = u
		}
	}
	switch {
	case event.ID == "" && foreign.revision == 0:
		return h.running == 1
	case sameSecond(event.Time, foreign.at) && runs.Runs(event):
		return true
	case event.Time.After(foreign.at):
		return runs.Runs(event)
	}
	return runs.Image == h.revisions[foreign.revision-1].Image
}

// sameSecond reports whether two times are in one second. Of an event and a foreign update in one second, either may
// count as the newer one: the times of events are whole seconds.
func sameSecond(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }

// explain says what is wrong, with what happened to the service around it.
func (h history) explain(service string) (lines []string) {
	line := func(format string, args ...any) { lines = append(lines, service+": "+fmt.Sprintf(format, args...)) }
	around := func(u int) { lines = append(lines, h.around(u)...) }
	if !h.runsNewest() {
		line("runs revision %d: %s", h.running, h.revisions[h.running-1])
		if n := len(h.events); n > 0 {
			line("newest event %s of %s: %s", h.events[n-1].ID, h.events[n-1].Time, h.events[n-1].Image)
		}
		around(len(h.updates) - 1)
	}
	for _, e := range h.missing() {
		line("event %s of %s (%s) is lost; a delivery was refused: %v", e.ID, e.Time, e.Image, h.refused[e.ID])
		around(slices.IndexFunc(h.updates, func(u update) bool { return u.at.After(e.Time) }))
	}
	for _, n := range h.unrequested() {
		line("revision %d is for no event that deploys: %s", n, h.revisions[n-1])
	}
	for _, n := range h.downgraded() {
		line("update %d, to revision %d, is a downgrade", n, h.updates[n].revision)
		around(n)
	}
	for _, event := range slices.Sorted(maps.Keys(h.registered())) {
		if n := h.registered()[event]; n > h.attempts[event] {
			line("event %s has %d revisions, for %d attempts", event, n, h.attempts[event])
			for i, r := range h.revisions {
				if r.EventID == event {
					line("revision %d: %s", i+1, r)
				}
			}
		}
	}
	return lines
}

// around returns the updates near one of them, a line each.
func (h history) around(n int) (lines []string) {
	const clock = "15:04:05.000"
	for i := max(0, n-8); i < min(len(h.updates), n+4); i++ {
		u := h.updates[i]
		who := "foreign"
		if !u.foreign {
			who = "attempt began " + u.attemptStart.Format(clock)
		}
		lines = append(lines, fmt.Sprintf("    update %d, to revision %d at %s, AWS %s, %s: %s", i, u.revision,
			u.end.Format(clock), u.at.Format(clock), who, h.revisions[u.revision-1]))
	}
	return lines
}

// choice returns the time of the choice that an update carried out.
func (h history) choice(u update) time.Time {
	if u.foreign {
		return u.at
	}
	return h.revisions[u.revision-1].EventTime
}

// downgrades counts the updates that moved the service back, and the last one twice if it was never corrected.
func (h history) downgrades() int { return len(h.downgraded()) }

// downgraded returns the indices of the updates that [history.downgrades] counts: the last one, if it carried out an
// older choice than an earlier one, and those to an older choice that an attempt of the deployer made which began after
// the service had been updated to a newer one. An attempt that had begun before may move the service back for a moment,
// until it corrects that: this is not counted.
func (h history) downgraded() (all []int) {
	// newer reports whether u carried out a newer choice of another image than v.
	newer := func(u, v update) bool {
		at, other := h.choice(u), h.choice(v)
		together := u.foreign != v.foreign && sameSecond(at, other)
		return at.After(other) && !together && h.revisions[u.revision-1].Image != h.revisions[v.revision-1].Image
	}
	for i, u := range h.updates {
		if !u.foreign && slices.ContainsFunc(h.updates, func(other update) bool {
			return other.end.Before(u.attemptStart) && newer(other, u)
		}) {
			all = append(all, i)
		}
	}
	if n := len(h.updates) - 1; n >= 0 {
		last := h.updates[n]
		if !last.foreign && slices.ContainsFunc(h.updates, func(u update) bool { return newer(u, last) }) {
			all = append(all, n)
		}
	}
	return all
}

// duplicates counts the revisions that the deployer registered for an event beyond the attempts at its deliveries.
// Copies, which restore what was overwritten, are not counted.
func (h history) duplicates() (n int) {
	for event, revisions := range h.registered() {
		n += max(0, revisions-h.attempts[event])
	}
	return n
}

// registered returns how many revisions the deployer registered for each event.
func (h history) registered() map[string]int {
	registered := map[string]int{}
	for _, r := range h.revisions[1:] {
		if r.Own && !r.Copy {
			registered[r.EventID]++
		}
	}
	return registered
}
