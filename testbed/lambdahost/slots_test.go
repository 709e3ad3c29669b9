package lambdahost

import "testing"

// TestSlots holds that a slot is passed on in the order of the queue, and not
// lost by who leaves it, before the slot was granted or after.
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
		t.Fatal("one slot, and the first does not have it, or the second does")
	}
	s.abandon(third)
	s.release()
	if !granted(second) || granted(third) || granted(fourth) {
		t.Error("the second does not have the slot, or another does")
	}
	s.abandon(second)
	if granted(third) || !granted(fourth) {
		t.Error("the slot that the second gave back is not the fourth's")
	}
	s.release()
	if !granted(s.reserve()) {
		t.Error("the slot was lost")
	}
}
