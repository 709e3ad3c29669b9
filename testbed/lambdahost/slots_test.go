package lambdahost

import "testing"

// TestSlots: slots are granted in the order of the queue, and abandoning one does not lose it, before it is granted or
// after.
func TestSlots(t *testing.T) {
	t.Parallel()
	granted := func(c chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	s := &slots{free: 1}
	first, second, third, fourth := s.reserve(), s.reserve(), s.reserve(), s.reserve()
	if !granted(first) || granted(second) {
		t.Fatal("the only slot was not granted to the first, or also to the second")
	}
	s.abandon(third)
	s.release()
	if !granted(second) || granted(third) || granted(fourth) {
		t.Error("the slot was not granted to the second only")
	}
	s.abandon(second)
	if granted(third) || !granted(fourth) {
		t.Error("the abandoned slot was not granted to the fourth")
	}
	s.release()
	if !granted(s.reserve()) {
		t.Error("the slot was lost")
	}
}
