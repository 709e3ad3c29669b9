package main

import (
	"testing"
	"time"

	"deployer/testbed/fleet"
)

// TestStorm pushes as many services at once as ECS's bucket of registrations holds, with real processes. Larger storms,
// and how long storms take, are in TestStormsInFakeTime.
func TestStorm(t *testing.T) {
	t.Parallel()
	r, err := runStorm(t.Context(), "../..", 20, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.deployed != r.services || r.lost > 0 || r.throttledRegistrations > 0 {
		t.Error(r)
	}
}

func TestDeployed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 22, 10, 15, 0, 0, time.UTC)
	event := fleet.Event{ID: "e", Time: at, Image: "sha256:a"}
	first := fleet.Revision{Image: "r:v0"}
	want := fleet.Revision{EventID: "e", EventTime: at, Image: "r@sha256:a"}
	tests := []struct {
		name      string
		revisions []fleet.Revision
		running   int
		want      bool
	}{
		{"deployed", []fleet.Revision{first, want}, 2, true},
		{"not registered", []fleet.Revision{first}, 1, false},
		{"not updated", []fleet.Revision{first, want}, 1, false},
		{"registered twice", []fleet.Revision{first, want, want}, 2, false},
		{"another event", []fleet.Revision{first, {EventID: "f", EventTime: at, Image: "r@sha256:a"}}, 2, false},
		{"another time", []fleet.Revision{first, {EventID: "e", EventTime: at.Add(1), Image: "r@sha256:a"}}, 2, false},
		{"another image", []fleet.Revision{first, {EventID: "e", EventTime: at, Image: "r@sha256:b"}}, 2, false},
	}
	for _, tt := range tests {
		if got := deployed(event, tt.revisions, tt.running); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
