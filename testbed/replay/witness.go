package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// move is one UpdateService that took effect.
type move struct {
	service  string
	revision int
	began    time.Time // when the attempt that made it made its first call of all
	landed   time.Time // when it had taken effect
}

// witness stands before emulated AWS, and sees which attempt moves a service:
// in Lambda the SDK sends every call with the trace id of its invocation, which
// is another one for each attempt.
type witness struct {
	aws http.Handler

	mu    sync.Mutex
	began map[string]time.Time // an attempt's first call, by trace id
	moves []move
}

// ServeHTTP implements [http.Handler].
func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	began := w.attempt(r.Header.Get("X-Amzn-Trace-Id"))
	if r.Header.Get("X-Amz-Target") != "AmazonEC2ContainerServiceV20141113.UpdateService" {
		w.aws.ServeHTTP(rw, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &statusWriter{ResponseWriter: rw, status: http.StatusOK}
	defer func() { // the emulator panics where an answer is to be lost
		if answer.status == http.StatusOK {
			w.moved(body, began)
		}
	}()
	w.aws.ServeHTTP(answer, r)
}

// attempt returns when the attempt with the trace id made its first call.
func (w *witness) attempt(trace string) time.Time {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if trace == "" { // not the function
		return now
	}
	if _, known := w.began[trace]; !known {
		w.began[trace] = now
	}
	return w.began[trace]
}

func (w *witness) moved(body []byte, began time.Time) {
	var in struct{ Service, TaskDefinition string }
	if json.Unmarshal(body, &in) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moves = append(w.moves, move{in.Service, revisionOf(in.TaskDefinition), began, time.Now()})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
