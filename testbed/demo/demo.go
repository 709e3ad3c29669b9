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

// newDemo builds the bootstrap and starts the environment, whose functions log to log.
func newDemo(ctx context.Context, root, bootstrap string, log *functionLog, o cloud.Options) (*demo, error) {
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return nil, err
	}
	o.Root, o.Bootstrap = root, bootstrap
	if o.RetryWaits == nil {
		o.RetryWaits = []time.Duration{time.Second, 2 * time.Second} // Lambda waits one and two minutes
	}
	o.Logs = func(env string) io.Writer { return logWriter{log, env} }
	c, err := cloud.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return &demo{c, log}, nil
}
