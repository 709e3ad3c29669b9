package main

import "testing"

// TestReplay replays some hundred deliveries. Registrations are not throttled, because the function would wait for half
// a minute.
func TestReplay(t *testing.T) {
	t.Parallel()
	r, err := replay(t.Context(), options{
		root: "../..", services: 5, deliveries: 200, phases: 3, seed: 8, foreign: true, denied: true,
		throttled: []string{"ecr:*", "ecs:Describe*", "ecs:Update*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Errorf("%v\n%s", err, r)
	}
	lines := 0
	for _, n := range r.logged {
		lines += n
	}
	if r.deliveries < 200 || r.attempts < 200 || lines < r.attempts || r.effective == 0 || r.faults == 0 ||
		r.logged["event ignored"] == 0 || r.logged["event rejected"] == 0 || r.logged["deployment rejected"] == 0 {
		t.Errorf("the replay lacks deliveries, faults or outcomes:\n%s", r)
	}
}
