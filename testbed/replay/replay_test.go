package main

import (
	"testing"
)

// TestReplay replays some hundred deliveries: nothing is lost, wrong, moved
// back or registered twice. Registrations are not throttled: they would wait
// for half a minute.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := script{root: "../..", services: 5, deliveries: 200, seed: 7, throttled: []string{"ecr:*", "ecs:Describe*", "ecs:Update*"}}
	o, err := s.play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.check(); err != nil {
		t.Errorf("%v\n%s", err, o)
	}
	lines := 0
	for _, n := range o.logged {
		lines += n
	}
	if o.deliveries != 200 || o.attempts < 200 || lines < o.attempts || o.effective == 0 || o.faults == 0 ||
		o.logged["event ignored"] == 0 || o.logged["event rejected"] == 0 || o.logged["deployment rejected"] == 0 {
		t.Errorf("the replay did not try what it says:\n%s", o)
	}
}

// TestStorm pushes as many services at once as ECS's bucket of registrations
// holds, through real processes. What lies beyond that is TestStormsInFakeTime.
func TestStorm(t *testing.T) {
	t.Parallel()
	w, err := runStorm(t.Context(), "../..", 20, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.check(); err != nil || w.took.Seconds() > 10 || w.registers > 0 {
		t.Errorf("%v\n%s", err, w)
	}
}
