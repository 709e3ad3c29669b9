package converge

import (
	"fmt"
	"hash/maphash"
	"slices"
	"testing"
)

// sameFuture reports whether what can happen next in a world, and whether it may end, is as
// in all earlier worlds with the same key.
func (x *taskExplorer) sameFuture(key uint64, w *taskWorld) bool {
	var next []uint64
	x.successors(w, func(_ string, after *taskWorld) bool {
		next = append(next, x.key(after))
		return true
	})
	slices.Sort(next)
	why := ""
	if x.idle(w) {
		why = "end: " + x.verdict(w)
	}
	future := maphash.String(x.seed, fmt.Sprint(why, slices.Compact(next)))
	was, ok := x.futures[key]
	x.futures[key] = future
	return !ok || was == future
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
			if c.large && (len(c.forms) > 1 || c.forms[0] == Pinned && len(c.events) > 2) {
				t.Skip("has too many states for it")
			}
			if len(c.events) > 3 && !everyCase && !*deeper {
				t.Skip("runs in `make test-slow`")
			}
			x := newTaskExplorer(c)
			x.futures = map[uint64]uint64{}
			if x.visit(c.first()); x.wrong != "" {
				t.Fatal(x.wrong)
			}
			t.Logf("%d states", x.states)
		})
	}
}
