package rollout

import (
	"sync"
	"time"

	"deployer/internal/ecsservice"
)

// MemoryTime is for how long [Memory] answers instead of ECS. The control plane
// allows 20 DescribeTaskDefinition calls a second for a whole account and
// region, and deployments need them.
const MemoryTime = 30 * time.Second

// Memory keeps the revisions that [Client.Statuses] has read, for the next
// call. The zero value is empty. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	families map[string]familyRead // by the ECS service's name
}

// familyRead is what was read of a family while its service was in some state.
type familyRead struct {
	state           string
	at              time.Time
	running, newest ecsservice.Revision
}

// recall returns what was read of a service's family, if the service is still
// in the same state and it was read recently.
func (m *Memory) recall(service, state string, now time.Time) (familyRead, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.families[service]
	return f, ok && f.state == state && now.Sub(f.at) < MemoryTime
}

func (m *Memory) keep(service string, f familyRead) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.families == nil {
		m.families = map[string]familyRead{}
	}
	m.families[service] = f
}
