// Package lambdahost runs a Lambda function's real bootstrap executable behind
// the Lambda Runtime API (version 2018-06-01), for the demo and for end-to-end
// tests. It does what the Lambda service does around a function: execution
// environments that start on demand and are used again, timeouts, restarts
// after a crash, the asynchronous queue with its retries, and the record of
// the events that failed for good. Every request of a bootstrap is kept, so
// that a test reads like a transcript.
package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrClosed is returned by [Host.Invoke] and [Host.InvokeAsync] when the host
// is closed, or closes before the function has answered.
var ErrClosed = errors.New("the Lambda host is closed")

// shutdownGrace is how long a bootstrap has between SIGTERM and SIGKILL; it is
// what Lambda gives a runtime in the Shutdown phase when an internal extension
// is registered.
const shutdownGrace = 500 * time.Millisecond

// A Host is one Lambda function and its execution environments. Its methods
// may be called from several goroutines. [Host.Close] must be called.
type Host struct {
	opts       Options
	function   function
	ctx        context.Context // done when the host closes
	cancel     context.CancelFunc
	slots      slots
	logs       *logSink
	transcript transcript
	recording  sync.Mutex // keeps calls of OnFailure apart

	mu        sync.Mutex
	closed    bool
	processes []*process // all that were ever started, in that order
	idle      []*process // initialised and waiting, the last used at the end
	pending   int        // invocations queued, waiting for a retry, or running
	quiet     chan struct{}
}

// Start checks opts and returns a host for the function. No process is started
// before the first invocation. When ctx is done the host closes by itself.
func Start(ctx context.Context, opts Options) (*Host, error) {
	opts, fn, err := opts.complete()
	if err != nil {
		return nil, fmt.Errorf("starting the Lambda host: %w", err)
	}
	h := &Host{opts: opts, function: fn, logs: &logSink{w: opts.Logs}, quiet: make(chan struct{})}
	h.slots.free = opts.Concurrency
	close(h.quiet)
	h.ctx, h.cancel = context.WithCancel(ctx)
	context.AfterFunc(h.ctx, func() { _ = h.Close() })
	return h, nil
}

// Close gives up what is queued or running, ends every bootstrap (SIGTERM to
// its process group, SIGKILL after half a second) and returns when none is
// left. The error is the first that writing to Options.Logs met.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	quiet := h.quiet
	h.mu.Unlock()
	h.cancel()
	<-quiet // from here on nothing starts a process

	h.mu.Lock()
	processes := slices.Clone(h.processes)
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range processes {
		wg.Go(p.shutdown)
	}
	wg.Wait()
	return h.logs.err()
}

// Wait returns when no invocation is queued, waiting for a retry, or running,
// and every failure record was handed over. The error is that of ctx.
func (h *Host) Wait(ctx context.Context) error {
	h.mu.Lock()
	quiet := h.quiet
	h.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Requests returns what the bootstraps have sent to the Runtime API until now,
// in the order of arrival.
func (h *Host) Requests() []Request { return h.transcript.requests() }

// Stats returns what is known of every process until now.
func (h *Host) Stats() Stats {
	h.mu.Lock()
	processes := slices.Clone(h.processes)
	h.mu.Unlock()
	var s Stats
	for _, p := range processes {
		s.Processes = append(s.Processes, p.stats())
	}
	return s
}

// Stats holds the measurements of a host, for benchmarks.
type Stats struct {
	// Processes has an entry for every bootstrap that was started, in order:
	// number n is entry n-1.
	Processes []ProcessStats
}

// ProcessStats holds the measurements of one bootstrap process.
type ProcessStats struct {
	// Init is the time from starting the process to its first request for an
	// invocation, or 0 when it never made one.
	Init time.Duration
	// PeakRSS is the process's largest resident set in bytes, as of its latest
	// request for an invocation. It is 0 before the first, and on systems
	// other than Linux.
	PeakRSS int64
	// Exit is how the process ended, as [os.ProcessState] words it ("exit
	// status 1", "signal: killed"); empty while it runs.
	Exit string
}

// begin counts one more pending invocation, unless the host is closed.
func (h *Host) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	if h.pending == 0 {
		h.quiet = make(chan struct{})
	}
	h.pending++
	return nil
}

// end is the other half of begin.
func (h *Host) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending--
	if h.pending == 0 {
		close(h.quiet)
	}
}

// takeIdle returns the initialised process that was used last, or nil.
func (h *Host) takeIdle() *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.idle) > 0 {
		p := h.idle[len(h.idle)-1]
		h.idle = h.idle[:len(h.idle)-1]
		if p.alive() {
			return p
		}
	}
	return nil
}

// putIdle makes an initialised process available again.
func (h *Host) putIdle(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = append(h.idle, p)
}
