// Package lambdahost runs a function's real bootstrap executable behind the Lambda Runtime API (Lambda developer guide,
// "Using the Lambda runtime API for custom runtimes"). It does what Lambda does around a function: it starts execution
// environments on demand and reuses them, enforces timeouts, replaces crashed processes, retries asynchronous
// invocations, and reports those that failed for good. It records every request of a bootstrap, so that a test reads
// like a transcript.
//
//	host, err := lambdahost.Start(ctx, lambdahost.Options{Bootstrap: path, FunctionARN: arn})
//	response, err := host.Invoke(ctx, event)
//	requests := host.Requests()
package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrClosed is returned by [Host.Invoke] and [Host.InvokeAsync] if the host is closed, or closes before the function
// answers.
var ErrClosed = errors.New("the Lambda host is closed")

// shutdownGrace is the time between SIGTERM and SIGKILL, as in Lambda with an internal extension (Lambda developer
// guide, "Shutdown phase").
const shutdownGrace = 500 * time.Millisecond

// A Host is one Lambda function and its execution environments. It is safe for concurrent use. Close it after use.
type Host struct {
	opts       Options
	function   function
	closing    chan struct{} // closed when the host closes
	slots      slots
	logs       *logSink
	transcript transcript
	recording  sync.Mutex // serializes calls of OnFailure

	mu        sync.Mutex
	closed    bool
	processes []*process // all that were started, in order
	idle      []*process // initialized and waiting, the last used at the end
	pending   int        // invocations queued, waiting for a retry, or running
	quiet     chan struct{}
}

// Start checks opts and returns a host for the function. The first invocation starts the first process. The host closes
// when ctx is done.
func Start(ctx context.Context, opts Options) (*Host, error) {
	opts, fn, err := opts.complete()
	if err != nil {
		return nil, fmt.Errorf("starting the Lambda host: %w", err)
	}
	h := &Host{opts: opts, function: fn, logs: &logSink{w: opts.Logs}, quiet: make(chan struct{}),
		closing: make(chan struct{})}
	h.slots.free = opts.Concurrency
	close(h.quiet)
	context.AfterFunc(ctx, func() { _ = h.Close() })
	return h, nil
}

// Close drops what is queued or running, ends every bootstrap (SIGTERM to its process group, SIGKILL after half a
// second) and returns when all have exited. It returns the first error of writing to Options.Logs.
func (h *Host) Close() error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.closing)
	}
	quiet := h.quiet
	h.mu.Unlock()
	<-quiet // from here on no process is started

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

// isClosing reports whether Close was called.
func (h *Host) isClosing() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// Wait waits until no invocation is queued, waiting for a retry, or running, and Options.OnFailure was called for all
// that failed. It returns the context's error.
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

// Requests returns the requests of the bootstraps to the Runtime API until now, in the order of their arrival.
func (h *Host) Requests() []Request { return h.transcript.requests() }

// Stats returns the measurements of the processes until now.
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
	// Processes has an entry for every bootstrap that was started; process number n is entry n-1.
	Processes []ProcessStats
}

// ProcessStats holds the measurements of one bootstrap process. InitCPU and PeakRSS are 0 without Options.Measure.
type ProcessStats struct {
	// PID is the process's id.
	PID int
	// Started is when the process was started.
	Started time.Time
	// Init is the time from the start of the process to its first request for an invocation, 0 if it made none.
	Init time.Duration
	// InitCPU is the time that the process's threads had run until then, user and system. It is 0 on systems other than
	// Linux.
	InitCPU time.Duration
	// PeakRSS is the process's peak resident set size in bytes at its latest request for an invocation. It is 0 before
	// the first, and on systems other than Linux.
	PeakRSS int64
	// Exit is how the process ended, in the form of [os.ProcessState] ("exit status 1", "signal: killed"); empty while
	// it runs.
	Exit string
}

// begin adds a pending invocation. It returns ErrClosed if the host is closed.
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

// end removes a pending invocation.
func (h *Host) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending--
	if h.pending == 0 {
		close(h.quiet)
	}
}

// takeIdle returns the idle process that was used last, or nil.
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

// putIdle makes a process idle.
func (h *Host) putIdle(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = append(h.idle, p)
}
