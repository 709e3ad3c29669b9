package main

import (
	"context"
	"time"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/lambdahost"
)

// perCall is the latency of a call where a row says "20 ms a call".
const perCall = 20 * time.Millisecond

// inTurn measures one program and then the other, runs times.
func inTurn(runs int, ours, theirs func() (float64, error)) (product, floor []float64, err error) {
	for range runs {
		for _, m := range []struct {
			measure func() (float64, error)
			into    *[]float64
		}{{ours, &product}, {theirs, &floor}} {
			v, err := m.measure()
			if err != nil {
				return nil, nil, err
			}
			*m.into = append(*m.into, v)
		}
	}
	return product, floor, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// slowly gives every call of AWS the latency perCall until the returned function is called.
func (b *bench) slowly() (stop func()) {
	b.aws.Inject(emulator.Fault{Operation: "*", Latency: perCall})
	return b.aws.ClearFaults
}

// coldStart measures the time, or the processor time, from the start of a process to its first request for an event.
func coldStart(processor bool) measurement {
	return func(ctx context.Context, b *bench, runs int) ([]float64, []float64, error) {
		one := func(p program) func() (float64, error) {
			return func() (float64, error) { return b.coldStart(ctx, p, processor, nil) }
		}
		return inTurn(runs, one(product), one(empty))
	}
}

// coldStart starts a program once, with a change to its options if that is not nil.
func (b *bench) coldStart(ctx context.Context, p program, processor bool, change func(*lambdahost.Options)) (
	float64, error,
) {
	host, err := b.start(ctx, p, b.plain.URL, change)
	if err != nil {
		return 0, err
	}
	defer host.Close()
	if _, err := host.Invoke(ctx, []byte(ignored)); err != nil {
		return 0, err
	}
	stats := host.Stats().Processes[0]
	if processor {
		return milliseconds(stats.InitCPU), nil
	}
	return milliseconds(stats.Init), nil
}

// ignored is an event that starts no deployment.
const ignored = `{"source":"test"}`

// startToUpdate measures the time from the start of a process to UpdateService, at 20 ms a call.
func startToUpdate(ctx context.Context, b *bench, runs int) ([]float64, []float64, error) {
	defer b.slowly()()
	one := func(p program) func() (float64, error) {
		return func() (float64, error) {
			host, err := b.start(ctx, p, b.plain.URL, nil)
			if err != nil {
				return 0, err
			}
			defer host.Close()
			b.aws.ResetCalls()
			if _, err := b.deploy(ctx, host); err != nil {
				return 0, err
			}
			at, err := b.updated()
			return milliseconds(at.Sub(host.Stats().Processes[0].Started)), err
		}
	}
	return inTurn(runs, one(product), one(raw))
}

// throttled measures the time from an event to UpdateService with the processor share that Lambda gives an amount of
// memory: of the first event, or of one after a freeze. As in Lambda, the process has all of the processor until it
// asks for its first event. The floor's event is always its first.
func throttled(megabytes int, frozenBefore bool) measurement {
	return func(ctx context.Context, b *bench, runs int) ([]float64, []float64, error) {
		group, err := newGroup(megabytes)
		if err != nil {
			return nil, nil, nil
		}
		defer group.remove()
		certificate, err := b.certificate()
		if err != nil {
			return nil, nil, err
		}
		one := func(p program, freeze bool) func() (float64, error) {
			return func() (float64, error) {
				host, err := b.start(ctx, p, b.tls.URL, func(o *lambdahost.Options) {
					o.Env["SSL_CERT_FILE"] = certificate
					o.Initialized = group.add
				})
				if err != nil {
					return 0, err
				}
				defer host.Close()
				if freeze {
					if _, err := b.deploy(ctx, host); err != nil {
						return 0, err
					}
					if err := stop(host); err != nil {
						return 0, err
					}
					time.Sleep(frozen)
					if err := resume(host); err != nil {
						return 0, err
					}
				}
				b.aws.ResetCalls()
				response, err := b.deploy(ctx, host)
				if err != nil {
					return 0, err
				}
				at, err := b.updated()
				return milliseconds(at.Sub(response.Begun)), err
			}
		}
		return inTurn(runs, one(product, frozenBefore), one(raw, false))
	}
}
