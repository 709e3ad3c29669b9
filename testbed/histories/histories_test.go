package histories

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What `go test` runs: what holds today. `make histories` runs everything.
const (
	testActors = "all"
	testChecks = "all,-words"
)

var (
	count  = flag.Int("histories", 150, "how many histories TestHistories runs")
	first  = flag.Uint64("seed", 0, "the only history that TestHistories runs; 0 for all")
	actors = flag.String("actors", testActors, "the actors, separated by commas: all, none, NAME, -NAME")
	checks = flag.String("checks", testChecks, "the checks, separated by commas: all, none, NAME, -NAME")
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

// TestHistories runs random histories. `make histories` runs more of them.
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
	seeds := []uint64{*first}
	if *first == 0 {
		seeds = seeds[:0]
		for n := range *count {
			seeds = append(seeds, uint64(n+1))
		}
	}
	start := time.Now()
	failed, total := map[Check][]uint64{}, Report{}
	shownOf := map[Check]int{}
	for _, seed := range seeds {
		h := Generate(seed, set)
		r := run(t, h)
		total.Calls += r.Calls
		total.Moves += r.Moves
		total.Choices += r.Choices
		if *first != 0 {
			t.Logf("%s\n%s", h, r.Trace)
		}
		for _, check := range checksOf(r) {
			if !wanted[check] {
				continue
			}
			failed[check] = append(failed[check], seed)
			if shownOf[check]++; shownOf[check] <= *shown {
				report(t, h, check)
			}
		}
	}
	t.Logf("%d histories in %.1f s: %d choices, %d moves by the deployer, %d calls of the function", len(seeds),
		time.Since(start).Seconds(), total.Choices, total.Moves, total.Calls)
	for _, check := range slices.Sorted(maps.Keys(failed)) {
		t.Errorf("%s: %d histories: %v", check, len(failed[check]), failed[check])
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
