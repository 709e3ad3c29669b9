// Command storm pushes an image to many services at once, against ECS's own rate limits on emulated AWS: first one
// image for each service, then one image that all services run. It prints how long the deployments took, and fails if
// one is missing or if they took too long.
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
	services := flag.Int("services", 50, "the number of services")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, shared := range []bool{false, true} {
		if err := run(ctx, *root, *services, shared); err != nil {
			fmt.Fprintf(os.Stderr, "storm: error: %v\n", err)
			os.Exit(1)
		}
	}
}

// run runs one storm and prints its result.
func run(ctx context.Context, root string, services int, shared bool) error {
	r, err := runStorm(ctx, root, services, shared)
	if err != nil {
		return err
	}
	fmt.Println(r)
	return r.check()
}
