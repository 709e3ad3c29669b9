package main

import (
	"sync/atomic"
	"time"
)

// phaseGap is the time between two phases on AWS's clock: longer than a helper may be late in any rule that bounds it.
const phaseGap = 20 * time.Minute

// A phaseClock is AWS's clock. It is slow by a gap for each phase to come, so that after each phase all that exists is
// older by a gap. The function's clock is the real one.
type phaseClock struct{ behind atomic.Int64 }

// newPhaseClock returns the clock for the set-up before a number of phases.
func newPhaseClock(phases int) *phaseClock {
	c := &phaseClock{}
	c.behind.Store(int64(phaseGap) * int64(phases))
	return c
}

// Now is for [emulator.Options.Clock].
func (c *phaseClock) Now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// next begins the next phase.
func (c *phaseClock) next() { c.behind.Add(-int64(phaseGap)) }
