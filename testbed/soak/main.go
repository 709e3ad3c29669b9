// Command soak sends one bootstrap thousands of events, half of which deploy and half of which are ignored, and shows
// that its memory and its open files do not grow. It runs on Linux.
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
	events := flag.Int("events", 20000, "the number of deployments, and of ignored events")
	flag.Parse()
	os.Setenv("CGO_ENABLED", "0") // the bootstrap is built as the release is: with C, the resolver's allocator grows
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := start(ctx, *root)
	if err == nil {
		defer s.close()
		err = s.run(ctx, *events, os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak: error: %v\n", err)
		os.Exit(1)
	}
}
