// Command bench measures the deployer side by side with the shortest programs that do the same (testbed/floor), on one
// emulated cloud. Product and floor run in turn, so that a busy machine slows down both: the ratios of the medians are
// what counts. It prints a table in Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	root := flag.String("root", ".", "the project's `directory`")
	runs := flag.Int("runs", 11, "how often each is measured")
	only := flag.String("only", "", "measure only rows whose name contains `TEXT`")
	product := flag.String("product", "", "a `directory` with another product to measure: bootstrap and deployer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, *product, *only, *runs); err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
}

// A row is one figure of the product, beside the floor's.
type row struct {
	name    string
	unit    string
	measure measurement
}

// A measurement returns one figure of product and floor for every run, in turn.
type measurement func(ctx context.Context, b *bench, runs int) (product, floor []float64, err error)

var rows = []row{
	{"cold start: start of the process to its first request for an event", "ms", coldStart(false)},
	{"processor time of the cold start", "ms", coldStart(true)},
	{"processor time of the cold start with 5 tasks; against none", "ms",
		coldStartWith(true, further{0, 3, 2}, further{})},
	{"processor time of the cold start with 40 tasks; against 40 more services", "ms",
		coldStartWith(true, further{0, 20, 20}, further{40, 0, 0})},
	{"cold, 20 ms a call: start of the process to UpdateService", "ms", startToUpdate},
	{"256 MB, TLS: first event to UpdateService", "ms", throttled(256, false)},
	{"256 MB, TLS, after a freeze: event to UpdateService; against a first event", "ms", throttled(256, true)},
	{"512 MB, TLS: first event to UpdateService", "ms", throttled(512, false)},
	{"512 MB, TLS, after a freeze: event to UpdateService; against a first event", "ms", throttled(512, true)},
	{"command line: round trips before UpdateService", "", roundTrips},
	{"command line, 20 ms a call: start of the process to UpdateService", "ms", commandToUpdate},
	{"after a freeze, connections reset: event to answer, 20 ms a call; against a warm event", "ms",
		afterFreeze(reset)},
	{"after a freeze, connections dropped: event to answer, 20 ms a call; against a warm event", "ms",
		afterFreeze(drop)},
	{"one push, 200 services, 512 MB, TLS: handshakes", "",
		crowdFigures(crowdOf{512, false}, func(c crowd) float64 { return c.handshakes })},
	{"one push, 200 services, 512 MB, TLS: peak memory", "MB",
		crowdFigures(crowdOf{512, false}, func(c crowd) float64 { return c.megabytes })},
	{"one push, 200 services, 512 MB, TLS: event to the last UpdateService", "s",
		crowdFigures(crowdOf{512, false}, func(c crowd) float64 { return c.seconds })},
	{"one push, 200 services, 256 MB, TLS: event to the last UpdateService", "s",
		crowdFigures(crowdOf{256, false}, func(c crowd) float64 { return c.seconds })},
	{"one push, 200 services, 256 MB, TLS, ECS's rate limits: attempts to register", "",
		crowdFigures(crowdOf{256, true}, func(c crowd) float64 { return c.registrations })},
	{"one push, 200 services, 256 MB, TLS, ECS's rate limits: event to the last UpdateService", "s",
		crowdFigures(crowdOf{256, true}, func(c crowd) float64 { return c.seconds })},
	{"five external revisions that do not run: round trips before UpdateService", "", externalRoundTrips},
	{"beside `reconcile` of 400 services, ECS's rate limits, 20 ms a call: event to UpdateService; against alone", "ms",
		beside(searching)},
	{"beside `status` of 400 services, ECS's rate limits, 20 ms a call: event to UpdateService; against alone", "ms",
		beside(looking)},
}

func run(ctx context.Context, root, product, only string, runs int) error {
	b, err := newBench(ctx, root, product)
	if err != nil {
		return err
	}
	defer b.close()
	fmt.Printf("| medians of %d | deployer | floor | ratio |\n|---|--:|--:|--:|\n", runs)
	for _, r := range rows {
		if !strings.Contains(r.name, only) {
			continue
		}
		ours, floor, err := r.measure(ctx, b, runs)
		if err != nil {
			return fmt.Errorf("measuring %q: %w", r.name, err)
		}
		if len(ours) == 0 {
			fmt.Printf("| %s | not measured: no control group with a quota here | | |\n", r.name)
			continue
		}
		if len(floor) == 0 {
			fmt.Printf("| %s | %s | | |\n", r.name, figure(median(ours), r.unit))
			continue
		}
		p, f := median(ours), median(floor)
		fmt.Printf("| %s | %s | %s | %.2f |\n", r.name, figure(p, r.unit), figure(f, r.unit), p/f)
	}
	return nil
}

func figure(v float64, unit string) string {
	if unit == "" {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
