package emulator

import (
	"context"
	"math/rand/v2"
	"path"
	"time"
)

// A Drop says when a connection is dropped without an answer.
type Drop int

// The moments at which a connection can be dropped.
const (
	DropNone   Drop = iota
	DropBefore      // the call never took effect
	DropAfter       // the call took effect, but the client does not learn of it
)

// String returns the name of the constant.
func (d Drop) String() string { return [...]string{"DropNone", "DropBefore", "DropAfter"}[d] }

// A Fault is something that goes wrong with some calls. What goes wrong is any of
// Latency, Error and Drop; an Error comes instead of the call's effect.
type Fault struct {
	// Operation says which calls are meant, such as "ecs:UpdateService"; "ecr:*" is
	// all of a service and "*" is all.
	Operation string
	// Account is that of the callers meant; empty is all.
	Account string
	// Skip is how many of the calls meant are spared before the fault strikes.
	Skip int
	// Times is how often it strikes; zero is for ever.
	Times int
	// Share is the part of the calls meant that it strikes, in an order that looks
	// random and is the same for the same Seed; zero is all.
	Share float64
	Seed  uint64

	Latency time.Duration // real time that passes before the call takes effect
	Error   *Error
	Drop    Drop
}

// An activeFault is a fault with the number of calls it has met.
type activeFault struct {
	Fault
	met  int
	dice *rand.Rand // for Share
}

// Inject makes a fault happen from now on. Of several that mean the same call the one
// injected first strikes; the others do not count the call.
func (e *Emulator) Inject(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, &activeFault{Fault: f, dice: rand.New(rand.NewPCG(f.Seed, uint64(len(e.faults))))})
}

// ClearFaults takes back every injected fault.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// takeFault returns the fault that strikes the call, or one that does nothing.
func (e *Emulator) takeFault(r *request) Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.faults {
		if f.strikes(r) {
			return f.Fault
		}
	}
	return Fault{}
}

// strikes reports whether the fault strikes the call, and counts the call if it is meant.
func (f *activeFault) strikes(r *request) bool {
	if meant, _ := path.Match(f.Operation, r.name()); !meant || f.Account != "" && f.Account != r.account {
		return false
	}
	if f.Times > 0 && f.met >= f.Skip+f.Times {
		return false
	}
	if f.Share > 0 && f.dice.Float64() >= f.Share {
		return false
	}
	f.met++
	return f.met > f.Skip
}

// wait lets real time pass, and reports false when the client did not wait that long.
func wait(ctx context.Context, d time.Duration) bool {
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
