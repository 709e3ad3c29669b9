package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/fleet"
)

// TestHistory checks that each kind of failure is counted, and that nothing else is.
func TestHistory(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Date(2026, 1, 22, 10, 15, seconds, 0, time.UTC) }
	first := fleet.Revision{Image: "r:v0"}
	older := fleet.Revision{EventID: "older", EventTime: at(1), Image: "r@sha256:a", Own: true}
	newer := fleet.Revision{EventID: "newer", EventTime: at(2), Image: "r@sha256:b", Own: true}
	events := []fleet.Event{{ID: "older", Time: at(1), Image: "sha256:a"}, {ID: "newer", Time: at(2),
		Image: "sha256:b"}}
	revisions := func(r ...fleet.Revision) []fleet.Revision { return append([]fleet.Revision{first}, r...) }
	once := map[string]int{"older": 1, "newer": 1}
	to := func(revision, start, end int) update {
		return update{revision: revision, attemptStart: at(start), end: at(end)}
	}
	byPerson := func(revision, second int) update {
		return update{revision: revision, attemptStart: at(second), end: at(second), at: at(second), foreign: true}
	}
	copied := newer
	copied.Own = false
	restored := fleet.Revision{EventID: "ecs-svc/1", EventTime: at(20), Image: "r:v0", Own: true, Copy: true}
	tests := []struct {
		name string
		h    history
		want [4]int // lost, wrong, downgrades, duplicates
	}{
		{"in order",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 3,
				updates: []update{to(2, 10, 11), to(3, 12, 13)}}, [4]int{}},
		{"the older event came late",
			history{events: events, attempts: once, revisions: revisions(newer), running: 2,
				updates: []update{to(2, 10, 11)}}, [4]int{}},
		{"moved back and corrected",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 3,
				updates: []update{to(3, 10, 12), to(2, 11, 13), to(3, 11, 14)}}, [4]int{}},
		{"moved back by an attempt that began later",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 3,
				updates: []update{to(3, 10, 12), to(2, 13, 14), to(3, 13, 15)}}, [4]int{0, 0, 1, 0}},
		{"moved back and not corrected",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 2,
				updates: []update{to(3, 10, 12), to(2, 11, 13)}}, [4]int{0, 1, 1, 0}},
		{"the newer event left no revision",
			history{events: events, attempts: once, revisions: revisions(older), running: 2,
				updates: []update{to(2, 10, 11)}}, [4]int{1, 1, 0, 0}},
		{"the older event was refused",
			history{events: events, attempts: once, refused: map[string]bool{"older": true},
				revisions: revisions(newer),
				running:   2, updates: []update{to(2, 10, 11)}}, [4]int{1, 0, 0, 0}},
		{"registered, not updated",
			history{events: events, attempts: once, revisions: revisions(newer), running: 1}, [4]int{0, 1, 0, 0}},
		{"registered twice in one attempt",
			history{events: events, attempts: once, revisions: revisions(newer, newer), running: 2,
				updates: []update{to(2, 10, 11)}}, [4]int{0, 0, 0, 1}},
		{"registered twice in two attempts",
			history{events: events, attempts: map[string]int{"newer": 2}, revisions: revisions(newer, newer),
				running: 2,
				updates: []update{to(2, 10, 11)}}, [4]int{}},
		{"an event that must not deploy",
			history{attempts: map[string]int{"older": 1}, revisions: revisions(older), running: 2,
				updates: []update{to(2, 10, 11)}}, [4]int{0, 2, 0, 0}},
		{"no event", history{revisions: revisions(), running: 1}, [4]int{}},
		{"a person moved the service after the events",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 1,
				updates: []update{to(2, 10, 11), to(3, 12, 13), byPerson(1, 20)}}, [4]int{}},
		{"a person's move was undone",
			history{events: events, attempts: once, revisions: revisions(older, newer), running: 3,
				updates: []update{to(2, 10, 11), byPerson(1, 20), to(3, 21, 22)}}, [4]int{0, 1, 2, 0}},
		{"a person's move was overwritten and restored",
			history{events: events, attempts: once, revisions: revisions(newer, restored), running: 3,
				updates: []update{byPerson(1, 20), to(2, 19, 21), to(3, 19, 22)}}, [4]int{}},
		{"a person's move was overwritten and not restored",
			history{events: events, attempts: once, revisions: revisions(newer), running: 2,
				updates: []update{byPerson(1, 20), to(2, 19, 21)}}, [4]int{0, 1, 1, 0}},
		{"a person's move before the event",
			history{events: events[1:], attempts: once, revisions: revisions(newer), running: 2,
				updates: []update{byPerson(1, 1), to(2, 10, 11)}}, [4]int{}},
		{"a person moved the service in the event's second, and the event counts",
			history{events: events, attempts: once, revisions: revisions(newer), running: 2,
				updates: []update{{revision: 1, attemptStart: at(2), end: at(2), at: at(2).Add(500 * time.Millisecond),
					foreign: true}, to(2, 10, 11)}}, [4]int{}},
		{"a person moved the service in the event's second, and the move counts",
			history{events: events, attempts: once, revisions: revisions(newer), running: 1,
				updates: []update{to(2, 2, 2), byPerson(1, 2)}},
			[4]int{}},
		{"a person's copy of a revision with its tags",
			history{events: events, attempts: once, revisions: revisions(newer, copied), running: 3,
				updates: []update{to(2, 10, 11), byPerson(3, 20)}}, [4]int{}},
		{"the event before a person's move left no revision",
			history{events: events, attempts: once, revisions: revisions(), running: 1,
				updates: []update{byPerson(1, 20)}}, [4]int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r result
			r.add(tt.h)
			if diff := cmp.Diff(tt.want, [4]int{r.lost, r.wrong, r.downgrades, r.duplicates}); diff != "" {
				t.Error(diff)
			}
			if (r.Check() == nil) != (tt.want == [4]int{}) {
				t.Error(r.Check())
			}
		})
	}
}
