package histories

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What `go test` runs: what holds today. `make histories` runs everything.
const (
	testActors = "all"
	testChecks = "all"
)

var (
	count  = flag.Int("histories", sample, "how many histories TestHistories runs")
	first  = flag.Uint64("seed", 0, "the only history that TestHistories runs; 0 for all")
	actors = flag.String("actors", testActors, "the actors, separated by commas: all, none, NAME, -NAME")
	checks = flag.String("checks", testChecks, "the checks, separated by commas: all, none, NAME, -NAME")
	limit  = flag.Duration("limit", 0, "how long TestHistories begins new histories; 0 for all")
	shown  = flag.Int("shown", 3, "how many failing histories are shrunk and printed")
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	os.Exit(m.Run())
}

// run runs a history in a bubble of its own.
func run(t *testing.T, h History) (r Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = Run(t.Context(), h); err != nil {
			t.Errorf("%s\n%v", h, err)
		}
	})
	return r
}

// TestHistories runs random histories, as many at a time as there are processors. `make histories` runs more of them.
func TestHistories(t *testing.T) {
	t.Parallel()
	set, err := ParseActors(*actors)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := ParseChecks(*checks)
	if err != nil {
		t.Fatal(err)
	}
	if *first != 0 {
		h := Generate(*first, set)
		t.Logf("%s\n%s", h, run(t, h).Trace)
		*count = 1
	}
	start := time.Now()
	var all totals
	t.Run("all", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("worker", func(t *testing.T) {
				t.Parallel()
				for seed, ok := all.next(start); ok; seed, ok = all.next(start) {
					all.add(t, seed, run(t, Generate(seed, set)), wanted)
				}
			})
		}
	})
	t.Logf("%d histories in %.1f s: %d choices, %d moves by the deployer, %d calls of the function", all.histories,
		time.Since(start).Seconds(), all.choices, all.moves, all.calls)
	for _, check := range slices.Sorted(maps.Keys(all.failed)) {
		seeds := slices.Sorted(maps.Keys(all.failed[check]))
		t.Errorf("%s: %d histories", check, len(seeds))
		for _, seed := range seeds {
			t.Logf("seed %d: %s", seed, all.failed[check][seed])
		}
		for _, seed := range seeds[:min(len(seeds), *shown)] {
			report(t, Generate(seed, set), check)
		}
	}
}

// totals are the results of many histories.
type totals struct {
	mu      sync.Mutex
	started int
	failed  map[Check]map[uint64]string // what is wrong, by seed

	histories, choices, moves, calls int
}

// next returns the seed of the next history, unless there are enough.
func (a *totals) next(start time.Time) (seed uint64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.started == *count || *limit > 0 && time.Since(start) > *limit {
		return 0, false
	}
	a.started++
	return max(*first, uint64(a.started)), true
}

// add adds the result of a history. What is wrong, and every thousandth history, is logged at once: all of them take
// long.
func (a *totals) add(t *testing.T, seed uint64, r Report, wanted map[Check]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.histories++
	a.choices += r.Choices
	a.moves += r.Moves
	a.calls += r.Calls
	if a.histories%1000 == 0 {
		t.Logf("%d histories", a.histories)
	}
	for _, p := range r.Problems {
		if !wanted[p.Check] {
			continue
		}
		if a.failed == nil {
			a.failed = map[Check]map[uint64]string{}
		}
		if a.failed[p.Check] == nil {
			a.failed[p.Check] = map[uint64]string{}
		}
		a.failed[p.Check][seed] = p.Text
		t.Logf("seed %d: %s: %s", seed, p.Check, p.Text)
	}
}

// checksOf returns the checks that a run failed.
func checksOf(r Report) (checks []Check) {
	for _, p := range r.Problems {
		if !slices.Contains(checks, p.Check) {
			checks = append(checks, p.Check)
		}
	}
	return checks
}

// report prints the smallest history in which a check fails.
func report(t *testing.T, h History, check Check) {
	t.Helper()
	small := Shrink(h, func(h History) bool { return slices.Contains(checksOf(run(t, h)), check) })
	r := run(t, small)
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\n  %s: %s", p.Check, p.Text)
	}
	t.Errorf("make histories seed=%d\n%s\n%s%s", h.Seed, small, r.Trace, b.String())
}
