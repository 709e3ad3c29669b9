// Command replay tries the deployer in bulk, on emulated AWS: thousands of
// deliveries in disorder with faults on the way (the replay), or many services
// pushed at once against ECS's own rate limits (the storm). It prints what came
// of it, and fails if anything was lost, wrong, moved back or registered twice.
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
	storm := flag.Bool("storm", false, "push many services at once against ECS's rate limits, instead")
	root := flag.String("root", ".", "the project's `directory`")
	seed := flag.Uint64("seed", 1, "of the disorder")
	services := flag.Int("services", 0, "how many services; 0 for 20, or 50 in a storm")
	deliveries := flag.Int("deliveries", 10_000, "how many deliveries to replay")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() (fmt.Stringer, error) {
		if *storm {
			return runStorm(ctx, *root, orElse(*services, 50))
		}
		return runReplay(ctx, *root, orElse(*services, 20), *deliveries, *seed, "*")
	}
	report, err := run()
	if report != nil {
		fmt.Print(report)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "replay: error: %v\n", err)
		os.Exit(1)
	}
}

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
