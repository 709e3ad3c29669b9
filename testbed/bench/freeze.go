package main

import (
	"context"
	"errors"
	"syscall"
	"time"

	"deployer/testbed/lambdahost"
	"deployer/testbed/proxy"
)

// frozen is how long a process is stopped.
const frozen = 6 * time.Second

// stop and resume do to the only process of a host what Lambda does between invocations.
func stop(h *lambdahost.Host) error { return syscall.Kill(h.Stats().Processes[0].PID, syscall.SIGSTOP) }
func resume(h *lambdahost.Host) error {
	return syscall.Kill(h.Stats().Processes[0].PID, syscall.SIGCONT)
}

// What becomes of connections during a freeze.
var (
	reset = (*proxy.Proxy).Reset // the other side ends them
	drop  = (*proxy.Proxy).Drop  // a gateway forgets them, and discards what is sent
)

// afterFreeze measures the first event after the process was stopped and its connections died, and for comparison the
// event before it. All processes are stopped at the same time.
func afterFreeze(die func(*proxy.Proxy)) measurement {
	return func(ctx context.Context, b *bench, runs int) (after, warm []float64, err error) {
		defer b.slowly()()
		network, err := proxy.Start(b.plain.Listener.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		defer network.Close()
		hosts := make([]*lambdahost.Host, runs)
		defer func() {
			for _, h := range hosts {
				if h != nil {
					err = errors.Join(err, h.Close())
				}
			}
		}()
		for i := range hosts {
			if hosts[i], err = b.start(ctx, product, "http://"+network.Addr, nil); err != nil {
				return nil, nil, err
			}
			if warm, err = b.deployTimed(ctx, hosts[i], warm, 2); err != nil {
				return nil, nil, err
			}
			if err := stop(hosts[i]); err != nil {
				return nil, nil, err
			}
		}
		die(network)
		time.Sleep(frozen)
		for _, h := range hosts {
			if err := resume(h); err != nil {
				return nil, nil, err
			}
			if after, err = b.deployTimed(ctx, h, after, 1); err != nil {
				return nil, nil, err
			}
		}
		return after, warm, nil
	}
}

// deployTimed deploys a number of times, and adds the duration of the last to the given ones.
func (b *bench) deployTimed(ctx context.Context, h *lambdahost.Host, all []float64, times int) ([]float64, error) {
	var last lambdahost.Response
	for range times {
		var err error
		if last, err = b.deploy(ctx, h); err != nil {
			return nil, err
		}
	}
	return append(all, milliseconds(last.Duration)), nil
}
