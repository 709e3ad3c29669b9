package converge

import (
	"flag"
	"strconv"
	"testing"
)

// scenarios are events to one service that runs v1. The same letter twice is one
// event that is delivered twice.
var scenarios = []struct {
	name    string
	events  []Request
	crashes int
	large   bool // takes minutes: it runs in `make model` only
}{
	{"one", events("a1v2"), 3, false},
	{"one, for the running image", events("a1v1"), 3, false},
	{"one, four times", events("a1v2", "a1v2", "a1v2", "a1v2"), 1, false},
	{"three", events("a1v2", "b2v3", "c3v4"), 2, false},
	{"back to the first image", events("a1v3", "b2v2", "c3v1"), 2, false},
	{"to and fro", events("a1v2", "b2v1", "c3v2"), 2, false},
	{"newest twice", events("b2v2", "c3v1", "c3v1"), 2, false},
	{"oldest twice", events("a1v2", "a1v2", "b2v3"), 2, false},
	{"two tags of one image", events("a1v2", "b2v2", "c3v3"), 2, false},
	{"four", events("a1v2", "b2v1", "c3v2", "d4v1"), 0, true},
	{"four, two twice", events("a1v2", "a1v2", "b2v3", "b2v3"), 0, true},
}

// events parses requests such as "a1v2": event a, at time 1, for image v2.
func events(specs ...string) (all []Request) {
	for _, s := range specs {
		all = append(all, Request{Event: s[:1], Time: int64(s[1] - '0'), Image: s[2:]})
	}
	return all
}

// deeper is set by `make model`. It needs minutes and gigabytes.
var deeper = flag.Int("deeper", 0, "allow this many crashes more, and run the large scenarios too")

// TestEveryRunEndsRight checks that every run of every scenario ends with the
// image of the newest event running.
func TestEveryRunEndsRight(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.large && *deeper == 0 {
				t.Skip("runs in `make model`")
			}
			for crashes := range s.crashes + 1 + *deeper {
				x := explore(s.events, crashes, nil)
				t.Logf("%d crashes: %d states, %d ends", crashes, x.states, x.ends)
				if x.wrong != "" {
					t.Fatalf("%d crashes: %s", crashes, x.wrong)
				}
				if x.ends == 0 {
					t.Fatal("no run ended")
				}
			}
		})
	}
}

// TestMutants checks that every part of the rule is needed: without it, the model
// check finds a run that ends wrong.
func TestMutants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		mutant   mutant
		scenario string
		crashes  int
	}{
		{"without the check for newer revisions", func(_ *world, d *delivery, _ Call, _ phase) {
			if d.phase == checking {
				d.phase = done
			}
		}, "three", 0},
		{"without completing the update of a newer event", func(w *world, d *delivery, _ Call, before phase) {
			if before == starting && d.phase == starting && d.running != 0 && d.newest != 0 {
				copied := *d
				if copied.Next(w.whole); copied.phase == updating && copied.outcome != Deployed {
					d.phase = done
				}
			}
		}, "three", 1},
		{"without journaling an event for an unchanged image", func(w *world, d *delivery, _ Call, before phase) {
			if before == starting && d.running != 0 && d.newest != 0 && w.at(d.running).Image == d.request.Image {
				copied := *d
				if copied.Next(w.whole); copied.phase == registering {
					d.phase = done
				}
			}
		}, "back to the first image", 0},
		{"without reading the service again", func(_ *world, d *delivery, _ Call, _ phase) {
			if d.phase == rereading {
				d.phase = done
			}
		}, "back to the first image", 0},
		{"sorting revisions as text", func(w *world, d *delivery, c Call, before phase) {
			if c.Kind != ReadNewest {
				return
			}
			greatest := firstNumber
			for _, r := range w.revisions {
				if strconv.Itoa(r.Number) > strconv.Itoa(greatest) {
					greatest = r.Number
				}
			}
			d.newest = greatest
			d.known |= 1 << greatest
		}, "three", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range scenarios {
				if s.name != tt.scenario {
					continue
				}
				x := explore(s.events, tt.crashes, tt.mutant)
				if x.wrong == "" {
					t.Fatalf("no run of %d states ended wrong", x.states)
				}
				t.Logf("found: %s", x.wrong)
			}
		})
	}
}
