package converge

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameFuture reports whether what can happen next in a world, and whether it may end, is as
// in all earlier worlds with the same key. Of a plain case too, keys are short.
func (x *taskExplorer) sameFuture(w *taskWorld) bool {
	key := x.keyOf(w, x.onlyEvents())
	var next []uint64
	x.successors(w, func(_ string, after *taskWorld) bool {
		next = append(next, x.keyOf(after, x.onlyEvents()))
		return true
	})
	slices.Sort(next)
	why := ""
	if x.idle(w) {
		why = "end: " + x.ended(w, x.verdict(w))
	}
	future := maphash.String(x.seed, fmt.Sprint(why, slices.Compact(next)))
	was, ok := x.futures[key]
	x.futures[key] = future
	return !ok || was == future
}

// ended describes a final world without the numbers of revisions: what the pointers run, the
// newest choice, and what is wrong.
func (x *taskExplorer) ended(w *taskWorld, why string) string {
	var runs []string
	held := w.held[len(w.held)-1]
	for i := range held {
		r := w.revisions[w.runs(i)-1]
		runs = append(runs, r.Event+r.Image)
	}
	k := &known{family: x.family(w, nil), rolls: x.service(held).resolved(len(w.revisions)), newest: len(w.revisions)}
	wrong := ""
	if why != "" {
		wrong = ", which is wrong"
	}
	return fmt.Sprint(runs, " of ", k.winner().Event, wrong)
}

// TestTaskKeys checks that worlds with the same key have the same future, in every world of
// all but the largest cases; of the small ones for one pointer without `make model`.
func TestTaskKeys(t *testing.T) {
	t.Parallel()
	for _, c := range taskCases() {
		t.Run(nameOf(c), func(t *testing.T) {
			t.Parallel()
			if !*deeper && (c.large || c.crashes+c.stale+c.lost+c.again != 1 || len(c.forms) > 1) {
				t.Skip("runs in `make model`")
			}
			four := len(c.events) > 3 && (len(c.line) > 2 || c.crashes > 1)
			if c.large && (len(c.forms) > 1 || c.forms[0] == Pinned && four) {
				t.Skip("has too many states for it")
			}
			if len(c.events) > 3 && !everyCase && !*deeper {
				t.Skip("runs in `make test-slow`")
			}
			x := newTaskExplorer(c)
			x.futures = map[uint64]uint64{}
			if x.visit(x.start()); x.wrong != "" {
				t.Fatal(x.wrong)
			}
			t.Logf("%d states", x.states)
		})
	}
}

// TestTaskReduction explores cases twice: as they are, with everything in the keys of worlds and
// every step by itself, and as the other tests do. Both have to find the same ends, of mutants
// too. All worlds with the same short key have to have the same future.
func TestTaskReduction(t *testing.T) {
	t.Parallel()
	for _, c := range append(taskCases(), taskMutants()...) {
		t.Run(nameOf(c), func(t *testing.T) {
			t.Parallel()
			if !c.onlyEvents() || c.large && (!*deeper || len(c.forms) > 1) || len(c.events) > 2 && c.crashes > 0 ||
				len(c.events) > 3 {
				t.Skip("is not reduced, or has too many states for it")
			}
			explore := func(plain bool) *taskExplorer {
				one := *c
				one.plain, one.joint = plain, c.joint && !plain
				x := newTaskExplorer(&one)
				x.found = map[string]bool{}
				if plain {
					x.futures = map[uint64]uint64{}
				}
				if x.visit(x.start()); x.wrong != "" {
					t.Fatal(x.wrong)
				}
				return x
			}
			whole, reduced := explore(true), explore(false)
			if diff := cmp.Diff(whole.found, reduced.found); diff != "" {
				t.Error(diff)
			}
			t.Logf("%d states, reduced to %d; the ends are %v", whole.states, reduced.states,
				slices.Sorted(maps.Keys(whole.found)))
		})
	}
}
