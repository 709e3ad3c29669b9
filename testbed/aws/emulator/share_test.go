package emulator

import (
	"slices"
	"testing"

	"deployer/testbed/aws/api"
)

// TestShareOfCalls: a share of the calls fails, the same calls for the same seed.
func TestShareOfCalls(t *testing.T) {
	t.Parallel()
	failed := func(seed uint64) (calls []int) {
		e := New(Options{})
		e.Inject(Fault{Operation: "*", Share: 0.25, Seed: seed, Error: ErrThrottled})
		for n := range 1000 {
			if e.takeFault(&api.Request{}).Error != nil {
				calls = append(calls, n)
			}
		}
		return calls
	}
	first := failed(1)
	if len(first) < 200 || len(first) > 300 {
		t.Errorf("a quarter of 1000 calls is %d", len(first))
	}
	if !slices.Equal(first, failed(1)) {
		t.Error("the same seed makes other calls fail")
	}
	if slices.Equal(first, failed(2)) {
		t.Error("another seed makes the same calls fail")
	}
}
