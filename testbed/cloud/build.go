package cloud

import (
	"context"
	"fmt"
	"os/exec"
)

// BuildBootstrap builds the function's bootstrap for this machine from the project in root and writes it to path.
func BuildBootstrap(ctx context.Context, root, path string) error {
	return build(ctx, root, "lambda.norpc,function", path)
}

// BuildCommandLine builds the command line for this machine from the project in root and writes it to path.
func BuildCommandLine(ctx context.Context, root, path string) error {
	return build(ctx, root, "lambda.norpc", path)
}

// build builds cmd/deployer. The flags are the release's without -trimpath and CGO_ENABLED=0, which would compile every
// package a second time. `make test` sets CGO_ENABLED=0 for the tests and for what they build. `go run` keeps the
// linked program in Go's build cache, so it is linked once for all tests; cp is what it runs it with.
func build(ctx context.Context, root, tags, path string) error {
	command := exec.CommandContext(ctx, "go", "run", "-tags", tags, "-ldflags=-s -w", "-exec", "cp",
		"./cmd/deployer", path)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", path, err, out)
	}
	return nil
}
