package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestShareOfCalls: a share of the calls fails, the same calls for the same seed.
func TestShareOfCalls(t *testing.T) {
	t.Parallel()
	failed := func(seed uint64) (calls []int) {
		e := emulator.New(emulator.Options{})
		e.Inject(emulator.Fault{Operation: "*", Share: 0.25, Seed: seed, Error: emulator.ErrThrottled})
		for n := range 1000 {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
			r.Header.Set("Authorization", emulatortest.Authorization(dev, "us-east-1", "ecs"))
			answer := httptest.NewRecorder()
			if e.ServeHTTP(answer, r); answer.Code != http.StatusOK {
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
