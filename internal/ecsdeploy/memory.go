package ecsdeploy

import (
	"sync"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

const (
	// maxRemembered is how many revisions a process remembers.
	maxRemembered = 2000
	// remembered is how long a revision is remembered whose journal may still change.
	remembered = 30 * time.Second
)

// memory has the revisions that were read by their numbers. A revision never changes,
// but notes on its rollout are added to its journal. It is safe for concurrent use.
type memory struct {
	mu   sync.Mutex
	read map[string]memorized // by ARN
}

type memorized struct {
	revision ecsservice.Revision
	until    time.Time // zero: always
}

// get returns a revision that was read before.
func (m *memory) get(arn string, now time.Time) (ecsservice.Revision, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.read[arn]
	return one.revision, ok && (one.until.IsZero() || now.Before(one.until))
}

// put adds a revision.
func (m *memory) put(t ecsservice.Target, r ecsservice.Revision, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read == nil || len(m.read) >= maxRemembered {
		m.read = map[string]memorized{}
	}
	one := memorized{revision: r}
	switch record := t.Record(r); {
	case t.Task: // whether it is ACTIVE decides whether it is moved
		one.until = now.Add(remembered)
	case record.Foreign, record.Outcome == journal.Succeeded, record.Outcome == journal.Failed:
	default:
		one.until = now.Add(remembered)
	}
	m.read[r.ARN()] = one
}

// forget forgets a revision.
func (m *memory) forget(arn string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.read, arn)
}
