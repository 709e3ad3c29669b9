package ecs_test

import (
	"testing"

	"deployer/testbed/aws/ecs"
)

// TestThreshold: the circuit breaker triggers after half as many failed tasks as desired, rounded up, within its
// bounds.
func TestThreshold(t *testing.T) {
	t.Parallel()
	for desired, want := range map[int]int{1: 3, 6: 3, 7: 4, 25: 13, 400: 200, 1000: 200} {
		if got := ecs.Threshold(desired); got != want {
			t.Errorf("of %d tasks: after %d, want %d", desired, got, want)
		}
	}
}
