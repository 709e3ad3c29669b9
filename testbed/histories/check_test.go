package histories

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRepeatable checks that a seed determines a history completely: without that it could not be shrunk.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	actors, err := ParseActors("all,-redeploys")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(6) {
		var traces [2]string
		for i := range traces {
			synctest.Test(t, func(t *testing.T) {
				r, err := Run(t.Context(), Generate(seed, actors))
				if err != nil {
					t.Fatal(err)
				}
				traces[i] = r.Trace
			})
		}
		if diff := cmp.Diff(traces[0], traces[1]); diff != "" {
			t.Errorf("seed %d (-first +second):\n%s", seed, diff)
		}
	}
}

// newRecord returns the record of a service that ran v0, with choices and moves at seconds after the start.
func newRecord(broken bool, events map[int]string, moves ...move) *world {
	start := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	w := &world{history: History{Services: 1, Breakers: []bool{true}}, record: &record{events: map[string]*requested{}}}
	if broken {
		w.history.Broken = map[int]bool{2: true}
	}
	for second, image := range events {
		id := image
		w.record.events[id] = &requested{id: id, at: start.Add(time.Duration(second) * time.Second), image: image}
		w.record.order = append(w.record.order, id)
	}
	slices.Sort(w.record.order)
	for _, m := range moves {
		m.at = start.Add(time.Minute)
		m.deployment = m.image
		w.record.moves = append(w.record.moves, m)
	}
	return w
}

// TestNewest checks which image a service has to run, given what was chosen.
func TestNewest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		w      *world
		runs   string
		passes bool
	}{
		{"nothing happened", newRecord(false, nil), "s0/v0", true},
		{"nothing happened, and another image runs", newRecord(false, nil), "s0/v1", false},
		{"the newest event", newRecord(false, map[int]string{1: "s0/v1", 2: "s0/v2"}), "s0/v2", true},
		{"an older event", newRecord(false, map[int]string{1: "s0/v1", 2: "s0/v2"}), "s0/v1", false},
		{"the newest event is broken, and ECS rolled back", newRecord(true, map[int]string{1: "s0/v1", 2: "s0/v2"},
			move{by: "ECS", image: "s0/v1"}), "s0/v1", true},
		{"the same, to what ran first", newRecord(true, map[int]string{1: "s0/v1", 2: "s0/v2"},
			move{by: "ECS", image: "s0/v0"}), "s0/v0", true},
		{"an event after what ECS rolled back to", newRecord(true, map[int]string{1: "s0/v1", 2: "s0/v2"},
			move{by: "ECS", image: "s0/v0"}), "s0/v1", true},
		{"not what ECS rolled back to", newRecord(true, map[int]string{1: "s0/v1", 2: "s0/v2"},
			move{by: "ECS", image: "s0/v1"}), "s0/v0", false},
	} {
		tt.w.checkNewest(0, registration{image: tt.runs})
		if passes := len(tt.w.problems) == 0; passes != tt.passes {
			t.Errorf("%s: %v, want that it passes: %v", tt.name, tt.w.problems, tt.passes)
		}
	}
}

// TestRepeated checks which ends of one event are one too many.
func TestRepeated(t *testing.T) {
	t.Parallel()
	by := func(from, to int, ok bool) *attempt {
		return &attempt{key: "attempt", start: time.Unix(int64(from), 0), end: time.Unix(int64(to), 0), ok: ok}
	}
	for _, tt := range []struct {
		name string
		ends []publication
		want string
	}{
		{"none", nil, ""},
		{"one", []publication{{kind: "Succeeded", attempt: by(0, 1, true)}}, ""},
		{"two", []publication{{kind: "Succeeded", attempt: by(0, 1, true)}, {kind: "Failed", attempt: by(2, 3, true)}},
			"Succeeded by attempt, Failed by attempt"},
		{"at the same time", []publication{
			{kind: "Succeeded", attempt: by(0, 2, true)}, {kind: "Succeeded", attempt: by(1, 3, true)},
		}, ""},
		{"by an attempt that failed, and by its retry", []publication{
			{kind: "Succeeded", attempt: by(0, 1, false)}, {kind: "Succeeded", attempt: by(2, 3, true)},
		}, ""},
	} {
		if got := repeated(tt.ends); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestShrink checks that only what a failure needs is left.
func TestShrink(t *testing.T) {
	t.Parallel()
	h := History{
		StaleFor: time.Second,
		Actions: []Action{
			{ID: 1, Kind: Push, Delays: []time.Duration{time.Second, time.Minute}},
			{ID: 2, Kind: Deploy, Delays: []time.Duration{time.Second}, Kills: []Kill{{Call: 1}, {Call: 2}}},
			{ID: 3, Kind: Move},
		},
	}
	got := Shrink(h, func(h History) bool {
		return slices.ContainsFunc(h.Actions, func(a Action) bool { return a.ID == 2 && len(a.Kills) > 0 })
	})
	want := History{Actions: []Action{{ID: 2, Kind: Deploy, Delays: []time.Duration{0}, Kills: []Kill{{Call: 2}}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseActors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want map[Actor]bool // those that are true
		err  string
	}{
		{"none", map[Actor]bool{}, ""},
		{"none,people,kills", map[Actor]bool{People: true, Kills: true}, ""},
		{"people,-people", map[Actor]bool{}, ""},
		{"ghosts", nil, `there is no actor "ghosts": there are all, none, and [people copies times unnamed terraform ` +
			"rollbacks redeploys family broken late kills throttles denials lostanswers stale lostpushes lateevents]"},
	} {
		got, err := ParseActors(tt.text)
		for a, in := range got {
			if !in {
				delete(got, a)
			}
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || text != tt.err {
			t.Errorf("%s: error %q, want %q (-want +got):\n%s", tt.text, text, tt.err, diff)
		}
	}
}
