package emulator

import (
	"slices"
	"testing"

	"deployer/testbed/aws/api"
)

// TestShareOfCalls holds that a share of the calls is struck, the same ones for
// the same seed.
func TestShareOfCalls(t *testing.T) {
	t.Parallel()
	struck := func(seed uint64) (calls []int) {
		e := New(Options{})
		e.Inject(Fault{Operation: "*", Share: 0.25, Seed: seed, Error: Throttled()})
		for n := range 1000 {
			if e.takeFault(&api.Request{}).Error != nil {
				calls = append(calls, n)
			}
		}
		return calls
	}
	first := struck(1)
	if len(first) < 200 || len(first) > 300 {
		t.Errorf("a quarter of 1000 calls is %d", len(first))
	}
	if !slices.Equal(first, struck(1)) {
		t.Error("the same seed strikes other calls")
	}
	if slices.Equal(first, struck(2)) {
		t.Error("another seed strikes the same calls")
	}
}
