package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"deployer/internal/logs"
)

// An event's id has 36 characters. Tables show as many of them as distinguish events, and
// events takes such a prefix for the id.

// shortID is how many characters of an id are shown at least.
const shortID = 8

// shortIDs returns for each id the shortest prefix that no other of the ids begins with, of
// at least shortID characters.
func shortIDs(ids []string) map[string]string {
	short := map[string]string{}
	for _, id := range ids {
		n := min(shortID, len(id))
		for _, other := range ids {
			for other != id && n < len(id) && strings.HasPrefix(other, id[:n]) {
				n++
			}
		}
		short[id] = id[:n]
	}
	return short
}

// wholeID matches an id of EventBridge's that has all of its characters.
var wholeID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// idsWith returns the ids of events since a time that begin with a prefix, the newest
// first: those in the function's log and those of messages.
func idsWith(ctx context.Context, s *session, prefix string, begin time.Time, queued []queuedMessage) (
	ids []string, err error) {
	lines, err := s.functionLog().Lines(ctx, begin, "event_id")
	for _, l := range slices.Backward(lines) {
		e, ok := logs.Parse(l)
		if ok && strings.HasPrefix(e.EventID, prefix) && !slices.Contains(ids, e.EventID) {
			ids = append(ids, e.EventID)
		}
	}
	for _, m := range queued {
		if strings.HasPrefix(m.EventID, prefix) && !slices.Contains(ids, m.EventID) {
			ids = append(ids, m.EventID)
		}
	}
	return ids, err
}

// severalIDs is the error for a prefix that the ids of several events begin with.
func (a *app) severalIDs(prefix string, ids []string) error {
	printed := make([]string, len(ids))
	for i, id := range ids {
		printed[i] = printable(id)
	}
	return &usageError{fmt.Sprintf("the ids of %d events begin with %q: %s", len(ids), printable(prefix),
		listed(printed)), a.corrected(prefix, ids[0])}
}

// noEventWith is the error for a word of which it is not known whether it is a whole id, and
// with which none of the events begins that were found.
func noEventWith(s *session, prefix string, since time.Duration) error {
	back := shortDuration(since)
	return hinted(s.env.Command("events", "--since", back, "--wide"), "no event of the last %s is "+
		"found whose id is or begins with %q: the function's log and the queues have none", back, printable(prefix))
}

// shortDuration returns a duration as people write it: 24h instead of 24h0m0s.
func shortDuration(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if trimmed := strings.TrimSuffix(text, "h0m"); trimmed != text {
		return trimmed + "h"
	}
	if strings.HasSuffix(text, "m") && d%time.Minute == 0 {
		return text
	}
	return d.String()
}
