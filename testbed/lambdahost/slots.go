package lambdahost

import (
	"slices"
	"sync"
)

// slots hands out the function's concurrency, first come first served.
type slots struct {
	mu    sync.Mutex
	free  int
	queue []chan struct{}
}

// reserve joins the queue. The channel is closed when the slot is the caller's,
// who then owes a release.
func (s *slots) reserve() chan struct{} {
	granted := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		close(granted)
	} else {
		s.queue = append(s.queue, granted)
	}
	return granted
}

// release passes a slot on.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.free++
		return
	}
	close(s.queue[0])
	s.queue = s.queue[1:]
}

// abandon leaves the queue; a slot that was granted meanwhile is passed on.
func (s *slots) abandon(granted chan struct{}) {
	s.mu.Lock()
	i := slices.Index(s.queue, granted)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 {
		s.release()
	}
}
