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
func (h history) lost() (n int) {
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
			n++
		}
	}
	return n
}

// wrong counts the service if it does not run the newest choice, which is an event or a foreign update, and its
// revisions that the deployer registered for an event that must not deploy.
func (h history) wrong() (n int) {
	if !h.runsNewest() {
		n++
	}
	for _, r := range h.revisions[1:] {
		if !r.Own || r.Copy {
			continue
		}
		requested := slices.ContainsFunc(h.events, func(e fleet.Event) bool {
			return e.ID == r.EventID && e.Time.Equal(r.EventTime)
		})
		if !requested {
			n++
		}
	}
	return n
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
	case event.Time.After(foreign.at):
		return runs.Runs(event)
	}
	return runs.Image == h.revisions[foreign.revision-1].Image
}

// explain says what is wrong, a line for each fault.
func (h history) explain(service string) (lines []string) {
	line := func(format string, args ...any) { lines = append(lines, service+": "+fmt.Sprintf(format, args...)) }
	if !h.runsNewest() {
		line("runs revision %d: %s", h.running, h.revisions[h.running-1])
		if n := len(h.events); n > 0 {
			line("newest event %s of %s: %s", h.events[n-1].ID, h.events[n-1].Time, h.events[n-1].Image)
		}
		for _, u := range h.updates[max(0, len(h.updates)-6):] {
			line("update to revision %d at %s, foreign: %v: %s", u.revision, u.at, u.foreign, h.revisions[u.revision-1])
		}
	}
	for _, event := range slices.Sorted(maps.Keys(h.registered())) {
		if n := h.registered()[event]; n > h.attempts[event] {
			line("event %s has %d revisions, for %d attempts", event, n, h.attempts[event])
		}
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

// downgrades counts the service if its last update carried out an older choice than an earlier one, and the updates to
// an older choice that an attempt of the deployer made which began after the service had been updated to a newer one.
// An attempt that had begun before may move the service back for a moment, until it corrects that: this is not counted.
func (h history) downgrades() (n int) {
	// newer reports whether u carried out a newer choice of another image than v.
	newer := func(u, v update) bool {
		return h.choice(u).After(h.choice(v)) && h.revisions[u.revision-1].Image != h.revisions[v.revision-1].Image
	}
	if len(h.updates) > 0 {
		last := h.updates[len(h.updates)-1]
		if !last.foreign && slices.ContainsFunc(h.updates, func(u update) bool { return newer(u, last) }) {
			n++
		}
	}
	for _, u := range h.updates {
		if !u.foreign && slices.ContainsFunc(h.updates, func(other update) bool {
			return other.end.Before(u.attemptStart) && newer(other, u)
		}) {
			n++
		}
	}
	return n
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
