package lambdahost

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	apiPrefix = "/2018-06-01/runtime/"

	// maxResponse is the size limit of an answer in bytes: 6 MB and 100 bytes.
	maxResponse = 6*1024*1024 + 100
)

// A reply is the Runtime API's answer to one request.
type reply struct {
	status int
	header map[string]string
	body   []byte
}

var (
	accepted  = reply{status: http.StatusAccepted, body: []byte(`{"status":"OK"}` + "\n")}
	notFound  = reply{status: http.StatusNotFound, body: []byte("404 page not found\n")}
	invalidID = errorReply(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	truncated = errorReply(http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
	tooLarge  = errorReply(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
)

// errorReply returns a reply with an error document.
func errorReply(status int, errorType, message string) reply {
	body, _ := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, errorType}) // strings always marshal
	return reply{status: status, body: append(body, '\n')}
}

// outOfTurn returns the reply to a request that the state of the runtime does not allow.
func outOfTurn(why string) reply {
	return errorReply(http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed: "+why)
}

// ServeHTTP answers a request of the process to its Runtime API, and records it.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// One byte more than allowed shows that the body is too large. The rest is read too, so that the runtime reads the
	// error.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	entry := &Request{Process: p.number, Method: r.Method, Path: r.URL.Path,
		Body: string(body[:min(len(body), excerptLen)])}
	p.host.transcript.add(entry)
	rep := truncated
	if err == nil {
		rep = p.route(r, body)
	}
	if rep.status == 0 {
		return // the runtime closed the connection
	}
	p.host.transcript.answered(entry, rep.status)
	w.Header().Set("Content-Type", "application/json")
	for name, value := range rep.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body) // a runtime that exited does not read it
}

// route calls the method of a request.
func (p *process) route(r *http.Request, body []byte) reply {
	path, ok := strings.CutPrefix(r.URL.Path, apiPrefix)
	call := r.Method + " " + path
	switch {
	case !ok:
		return notFound
	case call == "GET invocation/next":
		return p.next(r)
	case call == "POST init/error":
		return p.initError(r, body)
	}
	call, ok = strings.CutPrefix(call, "POST invocation/")
	id, call, _ := strings.Cut(call, "/")
	switch {
	case ok && call == "response":
		return p.answer(id, body, false)
	case ok && call == "error":
		return p.answer(id, errorDocument(r, body), true)
	}
	return notFound
}

// next completes the answered invocation and waits for the next one.
func (p *process) next(r *http.Request) reply {
	p.mu.Lock()
	if p.asking || p.current != nil && p.current.payload == nil {
		p.mu.Unlock()
		return outOfTurn("the current invocation has no response yet, or another request for the next one is open")
	}
	p.asking = true
	if p.measured.Init == 0 {
		p.measured.Init = time.Since(p.begun)
		if p.host.opts.Measure {
			p.measured.InitCPU = cpuTime(p.cmd.Process)
		}
		p.host.opts.Initialized(p.cmd.Process.Pid)
		close(p.ready)
	}
	if p.current != nil {
		close(p.current.done)
		p.current = nil
	}
	if p.host.opts.Measure {
		p.measured.PeakRSS = peakRSS(p.cmd.Process)
	}
	p.mu.Unlock()

	var inv *invocation
	select {
	case inv = <-p.work:
	case <-r.Context().Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asking, p.current = false, inv
	if inv == nil {
		return reply{}
	}
	return reply{status: http.StatusOK, body: inv.event, header: map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       inv.id,
		"Lambda-Runtime-Deadline-Ms":          strconv.FormatInt(inv.deadline.UnixMilli(), 10),
		"Lambda-Runtime-Invoked-Function-Arn": p.host.opts.FunctionARN,
		"Lambda-Runtime-Trace-Id":             inv.trace,
	}}
}

// answer sets the result of the current invocation.
func (p *process) answer(id string, body []byte, failed bool) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	inv := p.current
	switch {
	case inv == nil:
		return outOfTurn("there is no invocation to answer")
	case inv.id != id:
		return invalidID
	case inv.payload != nil:
		return outOfTurn("the invocation has its response already")
	case len(body) > maxResponse:
		inv.payload, inv.failed = responseTooLarge, true
		return tooLarge
	}
	inv.payload, inv.failed = body, failed
	return accepted
}

// initError sets the error of a failed initialization.
func (p *process) initError(r *http.Request, body []byte) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.measured.Init != 0 || p.initBody != nil {
		return outOfTurn("the initialization is over")
	}
	p.initBody = errorDocument(r, body)
	close(p.initFail)
	return accepted
}

// errorDocument returns the error document of a posted error: the body or, if that is not JSON, a document with the
// error type of the header.
func errorDocument(r *http.Request, body []byte) []byte {
	if json.Valid(body) {
		return body
	}
	errorType := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	orDefault(&errorType, "Runtime.Unknown")
	return failure{Type: errorType}.document()
}
