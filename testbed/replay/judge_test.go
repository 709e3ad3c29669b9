package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestJudge holds that each thing that may go wrong is seen, and nothing else.
func TestJudge(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Date(2026, 1, 22, 10, 15, seconds, 0, time.UTC) }
	first := entry{image: "r:v0"}
	older := entry{"older", at(1), "r@sha256:a"}
	newer := entry{"newer", at(2), "r@sha256:b"}
	events := []happening{{id: "older", at: at(1), image: "sha256:a"}, {id: "newer", at: at(2), image: "sha256:b"}}
	once := map[string]int{"older": 1, "newer": 1}
	to := func(revision, began, landed int) move {
		return move{revision: revision, began: at(began), landed: at(landed)}
	}
	tests := []struct {
		name string
		career
		want [4]int // lost, wrong, downgrades, duplicates
	}{
		{"in order", career{events: events, tries: once, revisions: []entry{first, older, newer}, running: 3, moves: []move{to(2, 10, 11), to(3, 12, 13)}}, [4]int{}},
		{"the older came late", career{events: events, tries: once, revisions: []entry{first, newer}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{}},
		{"overtaken and mended", career{events: events, tries: once, revisions: []entry{first, older, newer}, running: 3,
			moves: []move{to(3, 10, 12), to(2, 11, 13), to(3, 11, 14)}}, [4]int{}},
		{"overtaken by who began later", career{events: events, tries: once, revisions: []entry{first, older, newer}, running: 3,
			moves: []move{to(3, 10, 12), to(2, 13, 14), to(3, 13, 15)}}, [4]int{0, 0, 1, 0}},
		{"overtaken and left so", career{events: events, tries: once, revisions: []entry{first, older, newer}, running: 2,
			moves: []move{to(3, 10, 12), to(2, 11, 13)}}, [4]int{0, 1, 1, 0}},
		{"the newer without a trace", career{events: events, tries: once, revisions: []entry{first, older}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{1, 1, 0, 0}},
		{"the older refused", career{events: events, tries: once, refused: map[string]bool{"older": true}, revisions: []entry{first, newer}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{1, 0, 0, 0}},
		{"registered, not moved", career{events: events, tries: once, revisions: []entry{first, newer}, running: 1}, [4]int{0, 1, 0, 0}},
		{"twice in one attempt", career{events: events, tries: once, revisions: []entry{first, newer, newer}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{0, 0, 0, 1}},
		{"twice in two attempts", career{events: events, tries: map[string]int{"newer": 2}, revisions: []entry{first, newer, newer}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{}},
		{"an event that must not", career{tries: map[string]int{"older": 1}, revisions: []entry{first, older}, running: 2, moves: []move{to(2, 10, 11)}}, [4]int{0, 2, 0, 0}},
		{"nothing", career{revisions: []entry{first}, running: 1}, [4]int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var o outcome
			o.add(tt.career)
			if diff := cmp.Diff(tt.want, [4]int{o.lost, o.wrong, o.downgrades, o.duplicates}); diff != "" {
				t.Error(diff)
			}
			if (o.check() == nil) != (tt.want == [4]int{}) {
				t.Error(o.check())
			}
		})
	}
}
