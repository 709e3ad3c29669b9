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
	seed := flag.Uint64("seed", 1, "of the events, their disorder and the faults")
	services := flag.Int("services", 0, "how many services; 0 for 20, or 50 in a storm")
	deliveries := flag.Int("deliveries", 10_000, "how many deliveries to replay")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *storm {
		err = storms(ctx, *root, orElse(*services, 50))
	} else {
		err = replay(ctx, script{root: *root, services: orElse(*services, 20), deliveries: *deliveries, seed: *seed, throttled: []string{"*"}})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "replay: error: %v\n", err)
		os.Exit(1)
	}
}

// replay plays the script and prints what came of it.
func replay(ctx context.Context, s script) error {
	o, err := s.play(ctx)
	if err != nil {
		return err
	}
	fmt.Print(o)
	return o.check()
}

// storms lets both storms pass, one after the other, and prints what came of each.
func storms(ctx context.Context, root string, services int) error {
	for _, shared := range []bool{false, true} {
		w, err := runStorm(ctx, root, services, shared)
		if err != nil {
			return err
		}
		fmt.Print(w)
		if err := w.check(); err != nil {
			return err
		}
	}
	return nil
}

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
