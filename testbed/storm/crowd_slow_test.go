//go:build slow

package main

import (
	"testing"
	"time"
)

// TestLargeCrowdInFakeTime is TestCrowdsInFakeTime with more services than ECS lets one invocation register.
func TestLargeCrowdInFakeTime(t *testing.T) {
	t.Parallel()
	crowdsInFakeTime(t, []crowdTest{
		{"400 services", 400, 1, 4 * time.Minute, 480, []time.Duration{4 * time.Minute, 130 * time.Second},
			[]string{"Throttling", ""}},
	})
}
