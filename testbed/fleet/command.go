package fleet

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Command is the main function of a command that measures the deployer: it parses the flags that were defined, adds the
// flag -root, and runs until it has ended or is interrupted.
func Command(name string, run func(ctx context.Context, root string) error) {
	root := flag.String("root", ".", "the project's `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root); err != nil {
		fmt.Fprintf(os.Stderr, "%s: error: %v\n", name, err)
		os.Exit(1)
	}
}

// A Result is the result of one measurement.
type Result interface {
	fmt.Stringer
	// Check returns an error if a limit is exceeded.
	Check() error
}

// Print prints a result and returns the error of its check.
func Print[R Result](r R, err error) error {
	if err != nil {
		return err
	}
	fmt.Println(r)
	return r.Check()
}
