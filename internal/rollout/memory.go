package rollout

import (
	"sync"
	"time"

	"deployer/internal/ecsservice"
)

// MemoryTime is how long a [Memory] keeps revisions. ECS allows about 20
// DescribeTaskDefinition calls a second in an account and region, and deployments
// need them.
const MemoryTime = 30 * time.Second

// Memory keeps the revisions that [Client.Statuses] reads for its next call. The
// zero value is empty. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	families map[string]familyRead // by the ECS service's name
	tasks    map[string]tasksRead  // likewise
}

// tasksRead is why a service's tasks stopped in one state of its rollout.
type tasksRead struct{ state, text string }

// stopped returns why tasks of a service stopped. It reads that if the state has
// changed.
func (m *Memory) stopped(service, state string, read func() string) string {
	m.mu.Lock()
	known, ok := m.tasks[service]
	m.mu.Unlock()
	if ok && known.state == state {
		return known.text
	}
	known = tasksRead{state, read()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks == nil {
		m.tasks = map[string]tasksRead{}
	}
	m.tasks[service] = known
	return known.text
}

// familyRead is a family as it was read in one state of its service.
type familyRead struct {
	state           string
	at              time.Time
	running, newest ecsservice.Revision
}

// recall returns the family of a service, if it was read recently and in the same
// state.
func (m *Memory) recall(service, state string, now time.Time) (familyRead, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.families[service]
	return f, ok && f.state == state && now.Sub(f.at) < MemoryTime
}

// keep stores the family of a service.
func (m *Memory) keep(service string, f familyRead) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.families == nil {
		m.families = map[string]familyRead{}
	}
	m.families[service] = f
}
