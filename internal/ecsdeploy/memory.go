package ecsdeploy

import (
	"sync"
	"time"
)

// Remembered is for how long what was read of a family is good for somebody who
// only watches. ECS's control plane has 20 describes of task definitions a
// second for a whole account and region, and deployments need them.
const Remembered = 30 * time.Second

// Memory keeps the revisions that [Deployer.Standings] has read, for the next
// call. The zero value is empty; it is safe for concurrent use.
type Memory struct {
	mu   sync.Mutex
	seen map[string]seen // by the ECS service's name
}

// seen is what was read of a family while its service was in some state.
type seen struct {
	state           string
	at              time.Time
	running, newest revision
}

// recall returns what was read of a service's family, if the service is still
// in the same state and it was read just now.
func (m *Memory) recall(service, state string, now time.Time) (seen, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.seen[service]
	return s, ok && s.state == state && now.Sub(s.at) < Remembered
}

func (m *Memory) keep(service string, s seen) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[string]seen{}
	}
	m.seen[service] = s
}
