//go:build slow

package main

import (
	"testing"
	"time"

	"deployer/testbed/fleet"
)

// TestLargeCrowdInFakeTime is TestCrowdsInFakeTime for what one invocation just manages, and for more than that.
func TestLargeCrowdInFakeTime(t *testing.T) {
	t.Parallel()
	crowdsInFakeTime(t, []crowdTest{
		{"200 services, 2 minutes", 200, 1, 2 * time.Minute, 260,
			[]time.Duration{2 * time.Minute, 50 * time.Second}, []string{"Throttling", ""}},
		{"200 services", 200, 1, 4 * time.Minute, 250, []time.Duration{190 * time.Second}, []string{""}},
		{"400 services", 400, 1, 4 * time.Minute, 480, []time.Duration{4 * time.Minute, 130 * time.Second},
			[]string{"Throttling", ""}},
	})
}

// TestStormInFakeTime is TestStormsInFakeTime for as many registrations as ECS's bucket holds, and for a few more.
func TestStormInFakeTime(t *testing.T) {
	t.Parallel()
	stormsInFakeTime(t, []stormTest{
		{"20 repositories", fleet.Services{Count: 20, AutoDeploy: "latest"}, time.Second},
		{"25 repositories", fleet.Services{Count: 25, AutoDeploy: "latest"}, maxSeconds * time.Second},
	})
}
