package lambdahost

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// version is the version that an unqualified ARN invokes.
	version = "$LATEST"

	maxSync  = 6 * 1024 * 1024 // bytes of a synchronous event
	maxAsync = 1024 * 1024     // bytes of an asynchronous event
)

// A Response is the answer to a synchronous invocation (Lambda API reference, "Invoke").
type Response struct {
	// RequestID is the invocation's id, a UUID.
	RequestID string
	// Payload is the function's answer, or the error document if FunctionError is set.
	Payload []byte
	// FunctionError is "Unhandled" if the function failed, timed out or did not start, otherwise empty.
	FunctionError string
	// ErrorType and ErrorMessage are those of the error document, such as "Sandbox.Timedout" or "Runtime.ExitError" for
	// errors of Lambda itself.
	ErrorType, ErrorMessage string
	// Begun is when the function was handed the event.
	Begun time.Time
	// Duration is the time in which the function handled the event, or in which it was tried to start.
	Duration time.Duration
	// Cold is true if a process was started for this invocation.
	Cold bool
	// Process is the number of the process that ran the invocation, from 1; 0 if none did.
	Process int
}

// An invocation is one event that one process handles.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	trace    string
	done     chan struct{} // closed when the runtime asks for the next one

	// payload and failed are the result. The process's mutex guards them.
	payload []byte // nil before the answer
	failed  bool
}

// A failure is an error document of Lambda itself.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (f failure) document() []byte {
	doc, _ := json.Marshal(f) // strings always marshal
	return doc
}

var responseTooLarge = failure{"Function.ResponseSizeTooLarge",
	fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)}.document()

// Invoke invokes the function with an event and returns its answer, as the Invoke API does with the invocation type
// RequestResponse. The function's log lines are in Options.Logs when it returns. A failed function is not an error, see
// [Response].FunctionError. It returns the context's error (while the function keeps running), [ErrClosed], or an error
// for an event that is not JSON or larger than 6 MB.
func (h *Host) Invoke(ctx context.Context, payload []byte) (Response, error) {
	if err := checkEvent(payload, "RequestResponse", maxSync); err != nil {
		return Response{}, err
	}
	if err := h.begin(); err != nil {
		return Response{}, err
	}
	granted := h.slots.reserve()
	select {
	case <-granted:
	case <-ctx.Done():
		h.slots.abandon(granted)
		h.end()
		return Response{}, ctx.Err()
	case <-h.closing:
		h.slots.abandon(granted)
		h.end()
		return Response{}, ErrClosed
	}
	type result struct {
		response Response
		err      error
	}
	results := make(chan result, 1)
	go func() {
		defer h.end()
		defer h.slots.release()
		response, err := h.attempt(newUUID(), payload)
		results <- result{response, err}
	}()
	select {
	case r := <-results:
		return r.response, r.err
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
}

func checkEvent(payload []byte, invocationType string, limit int) error {
	if len(payload) > limit {
		return fmt.Errorf("invoking the function: %d byte payload is too large for the %s invocation type (limit %d "+
			"bytes)", len(payload), invocationType, limit)
	}
	if !json.Valid(payload) {
		return errors.New("invoking the function: the event is not JSON")
	}
	return nil
}

// attempt runs one invocation in an idle process or, if there is none, in a new one. The caller holds a slot. The only
// error is ErrClosed.
func (h *Host) attempt(id string, event []byte) (Response, error) {
	inv := &invocation{id: id, event: event, trace: newTraceID(), done: make(chan struct{})}
	begun := time.Now()
	for p := h.takeIdle(); p != nil; p = h.takeIdle() {
		inv.deadline = time.Now().Add(h.opts.Timeout)
		if r, err := p.invoke(inv); !errors.Is(err, errGone) {
			return r, err
		}
	}
	p, fault := h.initialize(id, h.opts.InitTimeout)
	inv.deadline = time.Now().Add(h.opts.Timeout)
	if fault != nil && !h.isClosing() {
		p, fault = h.initialize(id, h.opts.Timeout)
	}
	if h.isClosing() {
		return Response{}, ErrClosed
	}
	if fault != nil {
		r := newResponse(id, fault, true)
		r.Duration, r.Cold = time.Since(begun), true
		return r, nil
	}
	r, err := p.invoke(inv)
	if errors.Is(err, errGone) {
		r, err = newResponse(id, exitFailure(id, p), true), nil
	}
	r.Cold = true
	return r, err
}

// initialize starts a process and returns it when it asks for an invocation. If it does not, fault is the error
// document.
func (h *Host) initialize(id string, timeout time.Duration) (p *process, fault []byte) {
	p, err := h.startProcess()
	if err != nil {
		return nil, failure{"Runtime.InvalidEntrypoint", fmt.Sprintf("RequestId: %s Error: %v", id, err)}.document()
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.ready:
		return p, nil
	case <-p.exited:
	case <-p.initFail:
	case <-h.closing:
	case <-timer.C:
		p.kill()
		return nil, timeoutFailure(id, timeout)
	}
	p.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initBody != nil {
		return nil, p.initBody
	}
	return nil, exitFailure(id, p)
}

// errGone is returned if a process exited before it received the invocation.
var errGone = errors.New("the process exited")

// invoke hands the process an invocation, and returns the response when the process asks for the next one or exits. An
// answer that was posted counts, whatever the process does afterwards.
func (p *process) invoke(inv *invocation) (Response, error) {
	timer := time.NewTimer(time.Until(inv.deadline))
	defer timer.Stop()
	begun := time.Now()
	fault := func() []byte { return exitFailure(inv.id, p) }
	timedOut := func() []byte { return timeoutFailure(inv.id, p.host.opts.Timeout) }
	select {
	case p.work <- inv:
		select {
		case <-inv.done:
		case <-p.exited:
		case <-p.host.closing:
			return Response{}, ErrClosed
		case <-timer.C:
			p.kill()
			fault = timedOut
		}
	case <-p.exited:
		return Response{}, errGone
	case <-p.host.closing:
		return Response{}, ErrClosed
	case <-timer.C: // it runs, but does not ask for an invocation
		p.kill()
		fault = timedOut
	}
	duration := time.Since(begun)
	p.logs.flush()

	p.mu.Lock()
	payload, failed := inv.payload, inv.failed
	p.mu.Unlock()
	if payload == nil {
		payload, failed = fault(), true
	}
	r := newResponse(inv.id, payload, failed)
	r.Begun, r.Duration, r.Process = begun, duration, p.number
	if p.alive() {
		p.host.putIdle(p)
	}
	return r, nil
}

func newResponse(id string, payload []byte, failed bool) Response {
	r := Response{RequestID: id, Payload: payload}
	if failed {
		var f failure
		_ = json.Unmarshal(payload, &f) // a runtime may post JSON of another form
		r.FunctionError, r.ErrorType, r.ErrorMessage = "Unhandled", f.Type, f.Message
	}
	return r
}

func timeoutFailure(id string, timeout time.Duration) []byte {
	message := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, timeout.Seconds())
	return failure{"Sandbox.Timedout", message}.document()
}

// exitFailure returns the error document for a process that has ended.
func exitFailure(id string, p *process) []byte {
	reason := "Runtime exited without providing a reason"
	state := p.cmd.ProcessState
	if !state.Success() {
		reason = "Runtime exited with error: " + state.String()
	}
	return failure{"Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", id, reason)}.document()
}

// newUUID returns a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns an X-Ray trace header that is not sampled.
func newTraceID() string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", time.Now().Unix(), b[:12], b[12:])
}
