package histories

import "sync"

// An activity counts the goroutines that carry out a history. Unlike with a sync.WaitGroup, new ones may start while
// one waits for the others.
type activity struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // closed when none runs; nil if no one waits
}

// Go runs f in a goroutine.
func (a *activity) Go(f func()) {
	a.mu.Lock()
	a.count++
	a.mu.Unlock()
	go func() {
		defer a.done()
		f()
	}()
}

func (a *activity) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count--; a.count == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// Wait waits until no goroutine runs.
func (a *activity) Wait() {
	for {
		a.mu.Lock()
		if a.count == 0 {
			a.mu.Unlock()
			return
		}
		if a.idle == nil {
			a.idle = make(chan struct{})
		}
		idle := a.idle
		a.mu.Unlock()
		<-idle
	}
}
