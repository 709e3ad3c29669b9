package main

import (
	"testing"
)

// TestReplay replays some hundred deliveries: nothing is lost, wrong, moved
// back or registered twice. Registrations are not throttled: they would wait
// for half a minute.
func TestReplay(t *testing.T) {
	t.Parallel()
	report, err := runReplay(t.Context(), "../..", 5, 300, 7, "ecr:*", "ecs:Describe*", "ecs:Update*")
	if err != nil {
		t.Fatalf("%v\n%v", err, report)
	}
	o := report.(*outcome)
	if o.deliveries != 300 || o.attempts < 300 || o.valid == 0 || o.statuses["event ignored"] == 0 || o.statuses["event rejected"] == 0 {
		t.Errorf("the replay did not try what it says:\n%s", o)
	}
	if o.faults == 0 {
		t.Error("no call met a fault")
	}
}

// TestStorm pushes as many services at once as ECS's buckets hold.
func TestStorm(t *testing.T) {
	t.Parallel()
	report, err := runStorm(t.Context(), "../..", 20)
	if err != nil {
		t.Fatalf("%v\n%v", err, report)
	}
	if w := report.(*weather); w.deployed != 20 || w.took.Seconds() > 10 {
		t.Errorf("%s", w)
	}
}
