package converge

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// The model is one ECS service and several deliveries of events to it. The check
// runs every order in which their calls can take effect, with crashes anywhere. A
// delivery that crashes is delivered again. Only the number of crashes is bounded.
//
// Of orders that have the same result, one is run:
//
//   - A revision never changes, so it makes no difference when ReadRevision takes
//     effect. It is not a step of a run.
//   - Only writes change the service. A read can be moved to just before the next
//     write that changes its answer: ReadService to an Update, ReadNewest to a
//     Register, and any read to the reader's own next write. So a run is a
//     sequence of writes, and before each write every subset of the reads whose
//     answers it changes.
//   - A crash before a write has the result of a delivery that reads later. So
//     crashes follow writes.

// The bounds of a scenario.
const (
	maxDeliveries = 4
	maxRevisions  = 12
	firstNumber   = 8 // of the family's first revision; soon follows 10, which as text comes before 9
)

// delivery is one delivery of an event.
type delivery struct {
	Deployer
	known     uint32 // bit set of the numbers of revisions that it has read
	registers int    // since its last start
}

// world is one state of the model. It is a comparable value.
type world struct {
	revisions  [maxRevisions]Revision // by number, from firstNumber
	newest     int
	running    int
	crashes    int // how many more are allowed
	deliveries int
	all        [maxDeliveries]delivery
}

func (w *world) at(number int) Revision { return w.revisions[number-firstNumber] }

// family returns the revisions that delivery i has read.
func (w *world) family(i int) Family {
	return func(number int) (Revision, bool) {
		if number >= firstNumber && w.all[i].known&(1<<number) == 0 {
			return Revision{}, false
		}
		return w.whole(number)
	}
}

// whole is the family with every revision known.
func (w *world) whole(number int) (Revision, bool) {
	if number < firstNumber {
		return Revision{}, true
	}
	return w.at(number), true
}

// future returns the world without the state that no longer makes a difference:
// that of deliveries that are done.
func (w *world) future() world {
	f := *w
	for i := range f.deliveries {
		if d := &f.all[i]; d.phase == done {
			*d = delivery{Deployer: Deployer{phase: done}}
		} else if d.phase != registering {
			d.base = 0
		}
	}
	return f
}

// mutant changes a deployer after each answer, so that it breaks the rule; nil
// changes nothing. Before is the phase before the answer.
type mutant func(w *world, d *delivery, c Call, before phase)

// do makes one call of delivery i take effect.
func (w *world) do(i int, c Call, m mutant) {
	d := &w.all[i]
	before := d.phase
	a := Answer{}
	switch c.Kind {
	case ReadService:
		a.Number = w.running
	case ReadNewest:
		a.Number = w.newest
		d.known |= 1 << a.Number
	case Register:
		r := d.request
		w.newest++
		w.revisions[w.newest-firstNumber] = Revision{Number: w.newest, Event: r.Event, Time: r.Time, Image: r.Image,
			Base: c.Base, Best: c.Best}
		a.Number = w.newest
		d.known |= 1 << a.Number
		d.registers++
	case Update:
		w.running = c.Number
		a.Number = c.Number
	}
	d.Answered(c, a, w.family(i))
	if m != nil {
		m(w, d, c, before)
	}
}

// next returns the next calls of delivery i other than ReadRevision, whose
// revisions it reads.
func (w *world) next(i int) []Call {
	for {
		calls := w.all[i].Next(w.family(i))
		if len(calls) != 1 || calls[0].Kind != ReadRevision {
			return calls
		}
		w.all[i].known |= 1 << calls[0].Number
	}
}

// step is one call in a run.
type step struct {
	event    string
	delivery int
	call     Call
	how      string
}

// explorer runs every run of a scenario.
type explorer struct {
	mutant       mutant
	newest       Request // the event whose image has to run in the end
	seen         map[uint64]bool
	seed         maphash.Seed
	trace        []step
	states, ends int
	wrong        string // the first run that ended wrong, call by call
}

// explore runs every run of a scenario.
func explore(events []Request, crashes int, m mutant) *explorer {
	w := world{newest: firstNumber, running: firstNumber, crashes: crashes, deliveries: len(events)}
	w.revisions[0] = Revision{Number: firstNumber, Image: "v1"}
	x := &explorer{mutant: m, newest: events[0], seen: map[uint64]bool{}, seed: maphash.MakeSeed()}
	for i, e := range events {
		w.all[i] = delivery{Deployer: New(e)}
		if e.Time > x.newest.Time {
			x.newest = e
		}
	}
	x.visit(&w)
	return x
}

// visit explores all runs that continue from a state, and reports whether all of
// them end right. States are distinguished by a 64-bit hash: among some millions
// of them, the probability of a collision is one in a million.
func (x *explorer) visit(w *world) bool {
	key := maphash.Comparable(x.seed, w.future())
	if x.seen[key] {
		return true
	}
	x.seen[key] = true
	x.states++
	ended := true
	for i := range w.deliveries {
		ready, taken := *w, len(x.trace)
		write, ok := x.readAll(&ready, i)
		if ok {
			ended = false
			if !x.write(&ready, i, write) {
				return false
			}
		}
		x.trace = x.trace[:taken]
	}
	if !ended {
		return true
	}
	x.ends++
	if got := w.at(w.running).Image; got != x.newest.Image {
		x.fail(fmt.Sprintf("the service runs %s, and the newest event is of %s", got, x.newest.Image))
		return false
	}
	return true
}

// readAll makes the reads of delivery i up to its next write, which it returns; ok
// is false if the delivery is done instead.
func (x *explorer) readAll(w *world, i int) (write Call, ok bool) {
	for {
		calls := w.next(i)
		if len(calls) == 0 {
			return Call{}, false
		}
		if k := calls[0].Kind; k == Register || k == Update {
			return calls[0], true
		}
		x.do(w, i, calls[0])
	}
}

// do makes one call take effect, and adds it to the trace.
func (x *explorer) do(w *world, i int, c Call) {
	x.trace = append(x.trace, step{w.all[i].request.Event, i, c, ""})
	w.do(i, c, x.mutant)
}

// write explores the runs that continue with a write of delivery i, after every
// subset of the other deliveries' reads that it changes, with and without a crash.
func (x *explorer) write(w *world, i int, c Call) bool {
	changed := ReadService
	if c.Kind == Register {
		changed = ReadNewest
	}
	var readers []int
	for j := range w.deliveries {
		ready := *w
		if j != i && slices.ContainsFunc(ready.next(j), func(c Call) bool { return c.Kind == changed }) &&
			(c.Kind == Register || c.Number != w.running) {
			readers = append(readers, j)
		}
	}
	for set := range 1 << len(readers) {
		taken := len(x.trace)
		after := *w
		for n, j := range readers {
			if set&(1<<n) != 0 {
				after.next(j) // reads the revisions that it needs
				x.do(&after, j, Call{Kind: changed})
			}
		}
		x.do(&after, i, c)
		if after.all[i].registers > 1 {
			x.fail("registered twice")
			return false
		}
		if dead := after; !x.visit(&after) {
			return false
		} else if dead.crashes > 0 {
			dead.crashes, dead.all[i] = dead.crashes-1, delivery{Deployer: New(dead.all[i].request)}
			x.trace[len(x.trace)-1].how = " crashes"
			if !x.visit(&dead) {
				return false
			}
		}
		x.trace = x.trace[:taken]
	}
	return true
}

// fail describes the run that ended wrong.
func (x *explorer) fail(why string) {
	var b strings.Builder
	for _, s := range x.trace {
		fmt.Fprintf(&b, "%s.%d:%s%s ", s.event, s.delivery, s.call, s.how)
	}
	x.wrong = b.String() + "=> " + why
}

// String returns the call as runs show it.
func (c Call) String() string {
	switch c.Kind {
	case ReadService:
		return "service"
	case ReadNewest:
		return "newest"
	case Register:
		return fmt.Sprintf("register(base %d, best %d)", c.Base, c.Best.Number)
	case Update:
		return fmt.Sprintf("update(%d)", c.Number)
	}
	return fmt.Sprintf("read(%d)", c.Number)
}
