package journal

import (
	"fmt"
	"testing"
)

// TestSteps checks that the tag of reported hook steps keeps the newest ones.
func TestSteps(t *testing.T) {
	t.Parallel()
	var h Steps
	if h.Has("ecs-pause-1", "HOOK_AWAITING_ACTION") {
		t.Error("the zero value has a step")
	}
	for i := range 40 {
		h = h.With(fmt.Sprint("ecs-pause-", i), "HOOK_AWAITING_ACTION")
	}
	if len(h) > maxValue || string(h) != Value(string(h)) {
		t.Errorf("%d characters: %s", len(h), h)
	}
	for id, want := range map[int]bool{0: false, 11: false, 12: true, 39: true, 40: false} {
		if got := h.Has(fmt.Sprint("ecs-pause-", id), "HOOK_AWAITING_ACTION"); got != want {
			t.Errorf("hook %d: %v, want %v", id, got, want)
		}
	}
	if h.Has("ecs-pause-39", "HOOK_TIMED_OUT") {
		t.Error("another step of the same hook counts as reported")
	}
}
