// Command demo shows the deployer at work on emulated AWS: pushes and DEPLOY events in three accounts, handled by the
// real bootstrap behind the Lambda Runtime API. It needs Go and no AWS account. With -up it leaves the environment
// running.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"deployer/testbed/cloud"
)

// ownGroup is the argument by which the process that make starts runs the environment in another one.
const ownGroup = "-own-group"

func main() {
	u := upOptions{rolloutStep: 3 * time.Second}
	isUp := flag.Bool("up", false, "leave the environment running and wait for events from the aws command")
	number := flag.Int("pattern", 0, "show this pattern of docs/strategies.md instead, `1`, 2 or 3; 9 for all")
	flag.StringVar(&u.root, "root", ".", "the project's `directory`")
	flag.StringVar(&u.dir, "dir", "", "with -up: the `directory` for its files")
	flag.StringVar(&u.bin, "bin", "", "with -up: the `directory` of the command line deployer")
	flag.IntVar(&u.port, "port", 0, "with -up: the `port` of emulated AWS; 0 for any free one")
	inGroup := flag.Bool(strings.TrimPrefix(ownGroup, "-"), false, "with -up: this process has a group of its own")
	flag.Parse()
	if *isUp && !*inGroup {
		exit, err := inForeground(ownGroup)
		if err != nil {
			fmt.Fprintf(os.Stderr, "demo: error: %v\n", err)
			exit = 1
		}
		os.Exit(exit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	show := func() error { return run(ctx, u.root, os.Stdout) }
	if *isUp {
		show = func() error { return runUp(ctx, u, os.Stdin, os.Stdout) }
	} else if *number > 0 {
		show = func() error { return runPatterns(ctx, u.root, *number, os.Stdout) }
	}
	if err := show(); err != nil {
		fmt.Fprintf(os.Stderr, "demo: error: %v\n", err)
		os.Exit(1)
	}
}

// again returns the command that runs this program with a further argument.
func again(argument string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, append([]string{argument}, os.Args[1:]...)...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command, nil
}

// run shows the steps.
func run(ctx context.Context, root string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "deployer-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := newDemo(ctx, root, filepath.Join(dir, "bootstrap"), &functionLog{},
		cloud.Options{RolloutStep: 10 * time.Millisecond}) // the steps wait for the ends of rollouts
	if err != nil {
		return err
	}
	defer d.cloud.Close()
	return d.showSteps(ctx, out)
}

// runPatterns shows the pattern with a number, or all.
func runPatterns(ctx context.Context, root string, number int, out io.Writer) error {
	for i, p := range patterns {
		if number != i+1 && number <= len(patterns) {
			continue
		}
		dir, err := os.MkdirTemp("", "deployer-pattern-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := showPattern(ctx, root, dir, p, out); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return nil
}
