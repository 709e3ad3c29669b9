package converge

import (
	"flag"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The model: one service of ECS, and several deliveries of events to it. Every
// order in which their calls can take effect is tried, with deaths anywhere:
// a delivery dies, and is delivered again. Only the number of deaths is bounded.
//
// Not every order is run, but one of each kind that comes to the same:
//
//   - What one revision holds never changes, so when ReadRevision takes effect
//     makes no difference, and it is no step of its own.
//   - Of the calls only the writes change anything. A read may as well be made
//     later, up to the next write that changes what it reads: ReadService
//     before an Update, ReadNewest before a Register, or any before the
//     reader's own next write. So a run is a row of writes, and before each of
//     them every set of the reads that it would change.
//   - A death before a write is a delivery that reads later. So deaths come
//     right after a write.

// The most that a scenario holds.
const (
	maxDeliveries = 4
	maxRevisions  = 12
	firstNumber   = 8 // the family's first revision: the tenth follows soon, which as text comes before the ninth
)

// delivery is one delivery of an event.
type delivery struct {
	Deployer
	known     uint32 // the revisions it has read, by number
	registers int    // since it last began
}

// world is one state of the model. It is a comparable value.
type world struct {
	revisions  [maxRevisions]Revision // by number, from firstNumber
	newest     int
	running    int
	crashes    int // that may still happen
	deliveries int
	all        [maxDeliveries]delivery
}

func (w *world) at(number int) Revision { return w.revisions[number-firstNumber] }

// family is what one delivery has read of the family.
func (w *world) family(i int) Family {
	return func(number int) (Revision, bool) {
		if number >= firstNumber && w.all[i].known&(1<<number) == 0 {
			return Revision{}, false
		}
		return w.whole(number)
	}
}

// whole is the family as one sees it who has read all.
func (w *world) whole(number int) (Revision, bool) {
	if number < firstNumber {
		return Revision{}, true
	}
	return w.at(number), true
}

// future returns the world without what can make no difference any more: what
// the deliveries that are done once knew.
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

// mutant breaks a deployer on purpose; nil breaks nothing. It is called after
// every answer, with the phase before it.
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
		w.revisions[w.newest-firstNumber] = Revision{Number: w.newest, Event: r.Event, Time: r.Time, Image: r.Image, Base: c.Base, Best: c.Best}
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

// next returns the calls that delivery i may make now, after reading whatever
// revisions it must.
func (w *world) next(i int) []Call {
	for {
		calls := w.all[i].Next(w.family(i))
		if len(calls) != 1 || calls[0].Kind != ReadRevision {
			return calls
		}
		w.all[i].known |= 1 << calls[0].Number
	}
}

// step is one step of a run, kept as it is and worded only if the run ends wrong.
type step struct {
	event    string
	delivery int
	call     Call
	how      string
}

// explorer tries every run of a scenario.
type explorer struct {
	mutant       mutant
	newest       Request // the event whose image has to run in the end
	seen         map[uint64]bool
	seed         maphash.Seed
	trace        []step
	states, ends int
	wrong        string // the first run that ended wrong, call by call
}

// explore tries every run of a scenario.
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

// visit explores all that can follow a state, and reports whether all of it
// ended right. States are told apart by 64 bits of hash: among some millions
// of them, the chance that two fall together is one in a million.
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

// readAll makes the reads of delivery i until it wants to write, and returns
// that call; or until it is done.
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

// do makes one call take effect, and keeps it in the trace.
func (x *explorer) do(w *world, i int, c Call) {
	x.trace = append(x.trace, step{w.all[i].request.Event, i, c, ""})
	w.do(i, c, x.mutant)
}

// write explores what follows a write of delivery i, after every set of the
// others' reads that it changes; and then i may die.
func (x *explorer) write(w *world, i int, c Call) bool {
	changed := ReadService
	if c.Kind == Register {
		changed = ReadNewest
	}
	var readers []int
	for j := range w.deliveries {
		ready := *w
		if j != i && slices.ContainsFunc(ready.next(j), func(c Call) bool { return c.Kind == changed }) && (c.Kind == Register || c.Number != w.running) {
			readers = append(readers, j)
		}
	}
	for set := range 1 << len(readers) {
		taken := len(x.trace)
		after := *w
		for n, j := range readers {
			if set&(1<<n) != 0 {
				after.next(j) // reads the revisions it must
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
			x.trace[len(x.trace)-1].how = " dies"
			if !x.visit(&dead) {
				return false
			}
		}
		x.trace = x.trace[:taken]
	}
	return true
}

// fail words the run that ended wrong.
func (x *explorer) fail(why string) {
	var b strings.Builder
	for _, s := range x.trace {
		fmt.Fprintf(&b, "%s.%d:%s%s ", s.event, s.delivery, s.call, s.how)
	}
	x.wrong = b.String() + "=> " + why
}

// String names a call in a run.
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

// scenarios are events to one service that runs v1. Letters are events; the
// same letter twice is one event that is delivered twice.
var scenarios = []struct {
	name    string
	events  []Request
	crashes int
	large   bool // too large for the race detector
}{
	{"one", events("a1v2"), 3, false},
	{"one, what runs", events("a1v1"), 3, false},
	{"one, four times", events("a1v2", "a1v2", "a1v2", "a1v2"), 1, false},
	{"three", events("a1v2", "b2v3", "c3v4"), 2, false},
	{"back to what ran", events("a1v3", "b2v2", "c3v1"), 2, false},
	{"to and fro", events("a1v2", "b2v1", "c3v2"), 2, false},
	{"newest twice", events("b2v2", "c3v1", "c3v1"), 2, false},
	{"oldest twice", events("a1v2", "a1v2", "b2v3"), 2, false},
	{"two tags of one image", events("a1v2", "b2v2", "c3v3"), 2, false},
	{"four", events("a1v2", "b2v1", "c3v2", "d4v1"), 0, true},
	{"four, two twice", events("a1v2", "a1v2", "b2v3", "b2v3"), 0, true},
}

// events reads requests like "a1v2": event a, at time 1, for image v2.
func events(specs ...string) (all []Request) {
	for _, s := range specs {
		all = append(all, Request{Event: s[:1], Time: int64(s[1] - '0'), Image: s[2:]})
	}
	return all
}

// deeper is for `make model`: it takes minutes, and memory.
var deeper = flag.Int("deeper", 0, "how many more deaths there may be than the tests try")

func TestEveryRunEndsRight(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && s.large {
				t.Logf("left out of a short run: %d deliveries", len(s.events))
				return
			}
			for crashes := range s.crashes + 1 + *deeper {
				x := explore(s.events, crashes, nil)
				t.Logf("%d crashes: %d states, %d ends", crashes, x.states, x.ends)
				if x.wrong != "" {
					t.Fatalf("%d crashes: %s", crashes, x.wrong)
				}
				if x.ends == 0 {
					t.Fatal("no run ended")
				}
			}
		})
	}
}

// TestMutants breaks the rule in one place each, and finds a run that ends
// wrong: each part of the rule is needed, and the model would find it missing.
func TestMutants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		mutant   mutant
		scenario string
		crashes  int
	}{
		{"without the look", func(_ *world, d *delivery, _ Call, _ phase) {
			if d.phase == looking {
				d.phase = done
			}
		}, "three", 0},
		{"without helping", func(w *world, d *delivery, _ Call, before phase) {
			if before == starting && d.phase == starting && d.running != 0 && d.newest != 0 {
				copied := *d
				if copied.Next(w.whole); copied.phase == updating && copied.outcome != Deployed {
					d.phase = done
				}
			}
		}, "three", 1},
		{"without the journal's entry for an unchanged image", func(w *world, d *delivery, _ Call, before phase) {
			if before == starting && d.running != 0 && d.newest != 0 && w.at(d.running).Image == d.request.Image {
				copied := *d
				if copied.Next(w.whole); copied.phase == registering {
					d.phase = done
				}
			}
		}, "back to what ran", 0},
		{"without the second reading", func(_ *world, d *delivery, _ Call, _ phase) {
			if d.phase == rereading {
				d.phase = done
			}
		}, "back to what ran", 0},
		{"sorting revisions as text", func(w *world, d *delivery, c Call, before phase) {
			if c.Kind != ReadNewest {
				return
			}
			greatest := firstNumber
			for _, r := range w.revisions {
				if strconv.Itoa(r.Number) > strconv.Itoa(greatest) {
					greatest = r.Number
				}
			}
			d.newest = greatest
			d.known |= 1 << greatest
		}, "three", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range scenarios {
				if s.name != tt.scenario {
					continue
				}
				x := explore(s.events, tt.crashes, tt.mutant)
				if x.wrong == "" {
					t.Fatalf("no run of %d states ended wrong", x.states)
				}
				t.Logf("found: %s", x.wrong)
			}
		})
	}
}
