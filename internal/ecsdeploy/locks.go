package ecsdeploy

import (
	"context"
	"sync"
	"time"
)

// serviceLocks lets one deployment at a time act on a service in this process. Of those that
// wait, the one with the newest event is next: the older ones are superseded then,
// without moving the service.
type serviceLocks struct {
	mu      sync.Mutex
	busy    map[string]bool
	waiting map[string][]waiter
}

type waiter struct {
	at   time.Time // of its event
	next chan struct{}
}

// lock waits until no other deployment acts on the service. It returns the function that
// lets the next one act, and whether it had to wait.
func (l *serviceLocks) lock(ctx context.Context, service string, at time.Time) (unlock func(), waited bool, err error) {
	unlock = func() { l.unlock(service) }
	l.mu.Lock()
	if !l.busy[service] {
		if l.busy == nil {
			l.busy, l.waiting = map[string]bool{}, map[string][]waiter{}
		}
		l.busy[service] = true
		l.mu.Unlock()
		return unlock, false, nil
	}
	w := waiter{at, make(chan struct{})}
	l.waiting[service] = append(l.waiting[service], w)
	l.mu.Unlock()
	select {
	case <-w.next:
		return unlock, true, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, one := range l.waiting[service] {
		if one == w {
			l.waiting[service] = append(l.waiting[service][:i], l.waiting[service][i+1:]...)
			return nil, true, context.Cause(ctx)
		}
	}
	return unlock, true, nil // it was let go at the same time
}

// unlock lets the next deployment act on the service.
func (l *serviceLocks) unlock(service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.waiting[service]
	if len(all) == 0 {
		delete(l.busy, service)
		delete(l.waiting, service)
		return
	}
	next := 0
	for i, w := range all {
		if w.at.After(all[next].at) {
			next = i
		}
	}
	close(all[next].next)
	l.waiting[service] = append(all[:next], all[next+1:]...)
}
