// Command screenshot draws the picture in the README: what `deployer status` and `deployer history` print on a
// terminal, after deployments in the whole environment on emulated AWS.
//
//	go run ./testbed/screenshot > docs/images/status.svg
//	go run ./testbed/screenshot -dashboard docs/images/dashboard.png
//
// The latter shows what `deployer dashboard` writes; it needs chromium-headless-shell.
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
	photo := flag.String("dashboard", "", "write a picture of the dashboard to this `file` instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	picture, err := "", error(nil)
	if *photo != "" {
		err = drawDashboard(ctx, *root, *photo)
	} else {
		picture, err = draw(ctx, *root)
	}
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

// drawDashboard writes the picture of the dashboard to a file.
func drawDashboard(ctx context.Context, root, file string) error {
	dir, err := os.MkdirTemp("", "deployer-screenshot-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	page, err := dashboard(ctx, root, dir)
	if err != nil {
		return err
	}
	return photograph(ctx, page, dir, file)
}
