package lambdahost

import (
	"slices"
	"sync"
)

// slots are the function's concurrency, granted in the order of the requests.
type slots struct {
	mu    sync.Mutex
	free  int
	queue []chan struct{}
}

// reserve requests a slot. The channel is closed when the slot is granted; then the caller must release it.
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

// release grants the slot to the next in the queue.
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

// abandon cancels a request. A slot that was granted meanwhile is released.
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
