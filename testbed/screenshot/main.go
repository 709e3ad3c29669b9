// Command screenshot draws the picture in the README: what `deployer status` and `deployer history` print on a
// terminal, after deployments in the whole environment on emulated AWS.
//
//	go run ./testbed/screenshot > docs/images/status.svg
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
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	picture, err := draw(ctx, *root)
	if err != nil {
		fmt.Fprintf(os.Stderr, "screenshot: error: %v\n", err)
		os.Exit(1)
	}
	fmt.Print(picture)
}

// draw returns the picture as SVG.
func draw(ctx context.Context, root string) (string, error) {
	dir, err := os.MkdirTemp("", "deployer-screenshot-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	screen, err := record(ctx, root, dir)
	if err != nil {
		return "", err
	}
	return svg(screen), nil
}
