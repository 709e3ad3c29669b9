package emulator

import (
	"context"
	"math/rand/v2"
	"path"
	"time"

	"deployer/testbed/aws/api"
)

// A Drop is a moment at which a connection is dropped without an answer.
type Drop int

// The moments at which a connection can be dropped.
const (
	DropNone   Drop = iota
	DropBefore      // before the call takes effect
	DropAfter       // after the call took effect
)

// String returns the name of the constant.
func (d Drop) String() string { return [...]string{"DropNone", "DropBefore", "DropAfter"}[d] }

// A Fault makes some calls fail. Latency, Error and Drop can be combined; with an Error the call takes no effect.
type Fault struct {
	// Operation selects the calls, such as "ecs:UpdateService"; "ecr:*" selects all of a service and "*" all.
	Operation string
	// Account selects the calls of one account; empty selects all.
	Account string
	// Role selects the calls of one role; empty selects all.
	Role string
	// Skip is how many of the selected calls succeed before the first fails.
	Skip int
	// Times is how many calls fail; zero is no limit.
	Times int
	// Share is the share of the selected calls that fail, chosen at random but in the same way for the same Seed; zero
	// is all.
	Share float64
	Seed  uint64

	Latency time.Duration // real time before the call takes effect
	Error   *Error
	Drop    Drop
}

// An activeFault is a fault and how many of the selected calls came.
type activeFault struct {
	fault  Fault
	count  int
	random *rand.Rand // for Share
}

// Inject makes a fault active. Of several faults that apply to a call, the first injected one makes it fail, and the
// others do not count it.
func (e *Emulator) Inject(f Fault) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	random := rand.New(rand.NewPCG(f.Seed, uint64(len(e.faults))))
	e.faults = append(e.faults, &activeFault{fault: f, random: random})
}

// ClearFaults removes every fault.
func (e *Emulator) ClearFaults() {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.faults = nil
}

// takeFault returns the fault that applies to the call, or the zero Fault.
func (e *Emulator) takeFault(r *api.Request) Fault {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	for _, f := range e.faults {
		if f.applies(r) {
			return f.fault
		}
	}
	return Fault{}
}

// applies reports whether the fault applies to the call, and counts the call if it is selected.
func (a *activeFault) applies(r *api.Request) bool {
	f := a.fault
	selected, _ := path.Match(f.Operation, r.Name())
	if !selected || f.Account != "" && f.Account != r.Caller.Account || f.Role != "" && f.Role != r.Caller.Role {
		return false
	}
	if f.Times > 0 && a.count >= f.Skip+f.Times {
		return false
	}
	if f.Share > 0 && a.random.Float64() >= f.Share {
		return false
	}
	a.count++
	return a.count > f.Skip
}

// sleep waits for d. It reports false if the context ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
