package main

import (
	"slices"
	"strings"
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
	var newest time.Time // the time of the newest event that a revision records
	for _, r := range h.revisions {
		if r.EventTime.After(newest) {
			newest = r.EventTime
		}
	}
	for _, e := range h.events {
		if e.Time.After(newest) || h.refused[e.ID] {
			n++
		}
	}
	return n
}

// wrong counts the service if it does not run the image of its newest event, and its revisions that were registered for
// an event that must not deploy.
func (h history) wrong() (n int) {
	if !h.runsNewest() {
		n++
	}
	for _, r := range h.revisions[1:] {
		requested := slices.ContainsFunc(h.events, func(e fleet.Event) bool {
			return e.ID == r.EventID && e.Time.Equal(r.EventTime)
		})
		if !requested {
			n++
		}
	}
	return n
}

// runsNewest reports whether the service runs the image of its newest event, or its first revision if it has no events.
func (h history) runsNewest() bool {
	if len(h.events) == 0 {
		return h.running == 1
	}
	newest := h.events[len(h.events)-1]
	return strings.HasSuffix(h.revisions[h.running-1].Image, "@"+newest.Image)
}

// downgrades counts the service if it was updated to a newer event's image than it runs, and the updates to an older
// event's image that an attempt made which began after the service had been updated to a newer one. An attempt that had
// begun before may move the service back for a moment, until it corrects that: this is not counted.
func (h history) downgrades() (n int) {
	// newer reports whether u moved the service to another image than r's, for a newer event.
	newer := func(u update, r fleet.Revision) bool {
		to := h.revisions[u.revision-1]
		return to.EventTime.After(r.EventTime) && to.Image != r.Image
	}
	if slices.ContainsFunc(h.updates, func(u update) bool { return newer(u, h.revisions[h.running-1]) }) {
		n++
	}
	for _, u := range h.updates {
		to := h.revisions[u.revision-1]
		if slices.ContainsFunc(h.updates, func(other update) bool {
			return other.end.Before(u.attemptStart) && newer(other, to)
		}) {
			n++
		}
	}
	return n
}

// duplicates counts the revisions of an event beyond the attempts at its deliveries.
func (h history) duplicates() (n int) {
	registered := map[string]int{}
	for _, r := range h.revisions[1:] {
		registered[r.EventID]++
	}
	for event, revisions := range registered {
		n += max(0, revisions-h.attempts[event])
	}
	return n
}
