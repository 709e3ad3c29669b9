// Command replay delivers thousands of events to the deployer on emulated AWS, in disorder, several times each, and
// with faults on the way. It prints what became of them, and fails if an event was lost, or a service runs a wrong
// image, was moved back to an older event's image, or had more revisions registered than attempts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	root := flag.String("root", ".", "the project's `directory`")
	seed := flag.Uint64("seed", 1, "the seed of the events, their order and the faults")
	services := flag.Int("services", 20, "the number of services")
	deliveries := flag.Int("deliveries", 10_000, "the number of deliveries")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{
		root: *root, services: *services, deliveries: *deliveries, seed: *seed, throttled: []string{"*"},
	}
	if err := replayAndPrint(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "replay: error: %v\n", err)
		os.Exit(1)
	}
}

func replayAndPrint(ctx context.Context, o options) error {
	r, err := replay(ctx, o)
	if err != nil {
		return err
	}
	fmt.Print(r)
	return r.check()
}
