package cloud

import (
	"context"
	"fmt"
	"os/exec"
)

// BuildBootstrap builds the function's bootstrap for this machine from the project in root and writes it to path. The
// flags are the release's without -trimpath and CGO_ENABLED=0, which would compile every package a second time.
// `make test` sets CGO_ENABLED=0 for the tests and for the bootstrap. `go run` keeps the linked program in Go's build
// cache, so it is linked once for all tests; cp is what it runs it with.
func BuildBootstrap(ctx context.Context, root, path string) error {
	build := exec.CommandContext(ctx, "go", "run", "-tags", "lambda.norpc,function", "-ldflags=-s -w", "-exec", "cp",
		"./cmd/deployer", path)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the bootstrap: %w\n%s", err, out)
	}
	return nil
}
