package main

import (
	"context"
	"io"
	"time"

	"deployer/testbed/cloud"
)

// A demo is the environment with the logs of its functions.
type demo struct {
	cloud *cloud.Cloud
	log   *functionLog
}

// newDemo builds the bootstrap and starts the environment.
func newDemo(ctx context.Context, root, bootstrap string, rolloutStep time.Duration) (*demo, error) {
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return nil, err
	}
	log := &functionLog{}
	c, err := cloud.New(ctx, cloud.Options{
		Root: root, Bootstrap: bootstrap, RolloutStep: rolloutStep,
		RetryWaits: []time.Duration{time.Second, 2 * time.Second}, // Lambda waits one and two minutes
		Logs:       func(env string) io.Writer { return logWriter{log, env} },
	})
	if err != nil {
		return nil, err
	}
	return &demo{c, log}, nil
}
