package converge

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// The model of a task is its family and its pointers, deliveries of events to it, and
// others who act on the same task. A pointer shows only what it holds now. A step is one
// call, and is atomic; a move of several pointers is not. A delivery may die after any
// write, and before it notes that it moved the task. See model_test.go for the clock.

// taskCase is a case of the model and its bounds.
type taskCase struct {
	*scenario
	forms []Form
	gives int  // how many deliveries that die are never repeated
	late  bool // the search for lost pushes looks at the end
	// joint means that the first two reads are one step, and the last read and the note.
	joint bool
	// handled means that others act after all earlier events were handled.
	handled bool
	lag     int  // how often a delivery waits before ECS shows it a revision that others registered
	plain   bool // nothing is left out of the keys and steps of worlds: see [taskCase.timeless]

	phase func(k *known, p *Delivery)         // a mutant: after each decision
	moved func(k *known, r Revision) Revision // a mutant: what is known of a revision
}

// taskWorld is one state of the model.
type taskWorld struct {
	clock     int
	revisions []revision
	held      [][]int // what the pinned pointers held after each write; 0 for a floating one
	processes []taskProcess
	crashes   int
	stale     int
	again     int
	lost      int
	gives     int
	looked    bool
	wrote     int // when the latest write was made
	others    []choiceMade
	writes    int // of deliveries
}

// taskProcess is a delivery, or a look. When the rule has ended, it notes which revisions
// the task was moved to.
type taskProcess struct {
	process
	notes []int
}

func (w *taskWorld) clone() *taskWorld {
	c := *w
	c.revisions, c.held, c.processes = slices.Clone(w.revisions), slices.Clone(w.held), slices.Clone(w.processes)
	c.others = slices.Clone(w.others)
	return &c
}

func (w *taskWorld) now(s *scenario) int {
	if w.clock == 0 {
		return 1
	}
	return s.line[w.clock-1].at + 1
}

// family is what a process knows of the family. A note counts only some time after it was
// made, because a read of the pointer may be older than it.
func (c *taskCase) family(w *taskWorld, p *taskProcess) Family {
	return func(number int) (Revision, bool) {
		if number < 1 || number > len(w.revisions) {
			return Revision{}, true
		}
		m := &w.revisions[number-1]
		if m.by == 'x' && number > 1 && p != nil && p.waits < c.lag {
			return c.change(Revision{Number: number, Other: true, Unusable: true, Gone: true, Unseen: true}), true
		}
		r := m.Revision
		r.Own, r.Other = m.by == 'd', m.by == 'z'
		if r.Ended > 0 && r.Ended > int64(w.now(c.scenario)-inTime)*unit {
			r.Ended = 0
		}
		return c.change(r), true
	}
}

// change makes the mutant's change of what is known of a revision.
func (c *taskCase) change(r Revision) Revision {
	if c.moved != nil {
		return c.moved(nil, r)
	}
	return r
}

// service is what the pointers hold after the first writes.
func (c *taskCase) service(held []int) (all Service) {
	for i, n := range held {
		all = append(all, Rollout{ID: fmt.Sprintf("p%d@%d", i, n), Revision: n, Form: c.forms[i]})
	}
	return all
}

// runs returns the revision that a pointer runs.
func (w *taskWorld) runs(i int) int {
	if n := w.held[len(w.held)-1][i]; n > 0 {
		return n
	}
	return len(w.revisions)
}

// write makes the first pinned pointers hold a revision.
func (w *taskWorld) write(c *taskCase, number, first int) {
	now := slices.Clone(w.held[len(w.held)-1])
	for i := range now[:first] {
		if c.forms[i] == Pinned {
			now[i] = number
		}
	}
	w.held, w.wrote = append(w.held, now), w.now(c.scenario)
}

func (c *taskCase) first() *taskWorld {
	w := &taskWorld{revisions: []revision{{Revision{Number: 1, Image: "v1"}, 'x'}}, crashes: c.crashes, stale: c.stale,
		again: c.again, lost: c.lost, gives: c.gives, looked: !c.late}
	held := make([]int, len(c.forms))
	for i, f := range c.forms {
		if f == Pinned {
			held[i] = 1
		}
	}
	w.held = [][]int{held}
	for i, e := range c.events {
		w.processes = append(w.processes, taskProcess{process: process{Delivery: New(c.request(i, e)), active: true}})
	}
	return w
}

// taskExplorer runs every run of a case.
type taskExplorer struct {
	*taskCase
	seen         map[uint64]bool // and whether the run that is looked at passes it
	seed         maphash.Seed
	trace        []string
	states, ends int
	most         int
	revisions    int // the most of the family
	wrong        string
	form         taskForm
	futures      map[uint64]uint64 // if not nil, all worlds with a key are compared
	found        map[string]bool   // if not nil, all ends are noted here, and a wrong one is not the last
}

// maxTaskRevisions is how many revisions or writes of the pointers mean that the rule does not
// settle. Where a pointer floats, each of four deliveries may register several copies.
const maxTaskRevisions = 40

// maxTaskStates is how many states of a case are run at most. No case has as many.
const maxTaskStates = 20_000_000

func newTaskExplorer(c *taskCase) *taskExplorer {
	return &taskExplorer{taskCase: c, seen: map[uint64]bool{}, seed: maphash.MakeSeed()}
}

func exploreTask(c *taskCase) *taskExplorer {
	x := newTaskExplorer(c)
	x.visit(x.start())
	return x
}

// start returns the first world. In a timeless case all events have been emitted: a delivery may
// start at any time after that, so that every run has one of the same steps.
func (x *taskExplorer) start() *taskWorld {
	w := x.first()
	for x.timeless() && w.clock < len(x.line) {
		x.tick(w)
	}
	return w
}

func (x *taskExplorer) visit(w *taskWorld) bool {
	key := x.key(w)
	if x.futures != nil && !x.sameFuture(w) {
		return x.fail("another world with the same key has another future")
	}
	if passes, ok := x.seen[key]; passes {
		return x.fail("it goes round in a circle")
	} else if ok {
		return true
	}
	x.seen[key] = true
	defer func() { x.seen[key] = false }()
	if x.states++; x.states > maxTaskStates {
		return x.fail("it has too many states")
	}
	x.revisions = max(x.revisions, len(w.revisions))
	if len(w.revisions) > maxTaskRevisions || len(w.held) > maxTaskRevisions {
		return x.fail("it does not settle")
	}
	idle := x.idle(w)
	if idle {
		x.ends++
		x.most = max(x.most, w.writes)
		why := x.verdict(w)
		if x.found != nil {
			x.found[x.ended(w, why)] = true
		} else if why != "" {
			return x.fail(why)
		}
	}
	taken, after := len(x.trace), 0
	ok := x.successors(w, func(label string, next *taskWorld) bool {
		after++
		x.trace = append(x.trace[:taken], label)
		return x.visit(next)
	})
	x.trace = x.trace[:taken]
	if ok && after == 0 && !idle {
		return x.fail("nothing can happen, and it is not the end")
	}
	return ok
}

// idle reports whether nothing has to happen any more.
func (x *taskExplorer) idle(w *taskWorld) bool {
	for _, p := range w.processes {
		if !p.ended && !p.stuck {
			return false
		}
	}
	return w.clock == len(x.line) && w.looked
}

func (x *taskExplorer) fail(why string) bool {
	x.wrong = why + ":\n\t" + strings.Join(x.trace, "\n\t")
	return false
}

// knows reports whether there is a revision of an event.
func (w *taskWorld) knows(event string) bool {
	return slices.ContainsFunc(w.revisions, func(r revision) bool { return r.Event == event })
}

// verdict returns what is wrong with a final world, "" if nothing.
func (x *taskExplorer) verdict(w *taskWorld) string {
	var best choiceMade
	for _, e := range x.events {
		if !w.knows(e.Event) {
			continue // all of its revisions were deleted
		}
		best = best.newer(choiceMade{e.Time, 1, e.Image, "event " + e.Event, false})
	}
	newestEvent := best
	for _, o := range w.others {
		best = best.newer(o)
	}
	for _, p := range w.processes {
		if p.stuck {
			return "a delivery cannot go on, however often it is retried"
		}
	}
	if best.name == "" {
		return "" // every revision of an event was deleted
	}
	for i := range x.forms {
		want := best
		if i > 0 && x.forms[0] == Pinned { // others act on the first pointer only
			want = newestEvent
		}
		if w.revisions[w.runs(i)-1].Unusable {
			return fmt.Sprintf("pointer %d holds %d, of which no task starts", i, w.runs(i))
		}
		if got := w.revisions[w.runs(i)-1].Image; got != want.image {
			return fmt.Sprintf("pointer %d runs %d (%s), but the newest choice is %s (%s)", i, w.runs(i), got,
				want.name, want.image)
		}
	}
	return ""
}
