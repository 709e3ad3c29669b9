package main

import (
	"context"
	"io"
	"time"

	"deployer/testbed/cloud"
)

// stack is the guide's first pattern, up and running, and what its functions say.
type stack struct {
	*cloud.Cloud
	said *decisions
}

// newStack builds the bootstrap and starts everything.
func newStack(ctx context.Context, root, bootstrap string, step time.Duration) (*stack, error) {
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return nil, err
	}
	said := &decisions{}
	s, err := cloud.New(ctx, cloud.Options{
		Root: root, Bootstrap: bootstrap, RolloutStep: step,
		RetryWaits: []time.Duration{time.Second, 2 * time.Second}, // Lambda waits one and two minutes
		Logs:       func(env string) io.Writer { return said.of(env) },
	})
	return &stack{s, said}, err
}
