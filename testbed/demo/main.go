// Command demo plays the ECR strategy guide's story on emulated AWS: the real
// bootstrap of the deployer, behind Lambda's own protocol, in three accounts.
// It needs Go and nothing else, and no account of AWS.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	up := flag.Bool("up", false, "leave the stack running, for the aws command to send events to")
	root := flag.String("root", ".", "the project's `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, *up, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demo: error: %v\n", err)
		os.Exit(1)
	}
}

// run plays the story, or leaves the stack running until ctx ends.
func run(ctx context.Context, root string, up bool, out io.Writer) error {
	dir, err := os.MkdirTemp("", "deployer-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	step := 10 * time.Millisecond // of a rollout: the story waits for its end
	if up {
		step = 3 * time.Second
	}
	s, err := newStack(ctx, root, filepath.Join(dir, "bootstrap"), step)
	if err != nil {
		return err
	}
	defer s.Close()
	if !up {
		return s.play(ctx, out)
	}
	if err := s.announce(ctx, out); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
