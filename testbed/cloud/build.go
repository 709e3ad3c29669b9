package cloud

import (
	"context"
	"fmt"
	"os/exec"
)

// BuildBootstrap builds the function's bootstrap for this machine from the project in root and writes it to path. The
// flags are the release's without -trimpath and CGO_ENABLED=0, which would compile every package a second time.
// `make test` sets CGO_ENABLED=0 for the tests and for the bootstrap.
func BuildBootstrap(ctx context.Context, root, path string) error {
	build := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc,function", "-ldflags=-s -w", "-o", path,
		"./cmd/deployer")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the bootstrap: %w\n%s", err, out)
	}
	return nil
}
