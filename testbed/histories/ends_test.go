package histories

import (
	"testing"
	"time"
)

// TestEnds runs histories in which ECS's events come up to half an hour late, shuffled and twice, after rollouts that
// succeed, fail, and are replaced: each event that was answered deployed has one end.
func TestEnds(t *testing.T) {
	t.Parallel()
	set, err := ParseActors("none,late,lateevents,broken,kills,lostanswers")
	if err != nil {
		t.Fatal(err)
	}
	deployed := 0
	for seed := range uint64(endsSample) {
		h := Generate(seed, set)
		h.LateRollouts = []time.Duration{20 * time.Second, 4 * time.Minute, 30 * time.Minute}[seed%3]
		r := run(t, h)
		deployed += r.Moves
		for _, p := range r.Problems {
			if p.Check == checkEnds {
				report(t, h, checkEnds)
				break
			}
		}
	}
	if deployed*3 < endsSample*5 {
		t.Errorf("only %d moves in %d histories", deployed, endsSample)
	}
}
