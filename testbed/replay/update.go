package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An update is one UpdateService that took effect.
type update struct {
	service      string
	revision     int
	attemptStart time.Time // the first call of the attempt that made it
	end          time.Time
}

// An updateRecorder is a handler in front of emulated AWS that records which attempt updates a service. In Lambda the
// SDK sends the trace id of the invocation with every call, and each attempt has another trace id.
type updateRecorder struct {
	aws http.Handler

	mu       sync.Mutex
	attempts map[string]time.Time // the first call of each attempt, by trace id
	updates  []update
}

func newUpdateRecorder() *updateRecorder { return &updateRecorder{attempts: map[string]time.Time{}} }

// ServeHTTP implements [http.Handler].
func (u *updateRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := u.attemptStart(r.Header.Get("X-Amzn-Trace-Id"))
	if r.Header.Get("X-Amz-Target") != "AmazonEC2ContainerServiceV20141113.UpdateService" {
		u.aws.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { // the emulator panics to drop the connection after the update
		if answer.status == http.StatusOK {
			u.add(body, start)
		}
	}()
	u.aws.ServeHTTP(answer, r)
}

// attemptStart returns when the attempt with the trace id made its first call.
func (u *updateRecorder) attemptStart(trace string) time.Time {
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if trace == "" { // a call of the set-up
		return now
	}
	if _, known := u.attempts[trace]; !known {
		u.attempts[trace] = now
	}
	return u.attempts[trace]
}

func (u *updateRecorder) add(body []byte, attemptStart time.Time) {
	var in struct{ Service, TaskDefinition string }
	if json.Unmarshal(body, &in) != nil {
		return
	}
	number := in.TaskDefinition[strings.LastIndexByte(in.TaskDefinition, ':')+1:]
	revision, err := strconv.Atoi(number)
	if err != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.updates = append(u.updates, update{in.Service, revision, attemptStart, time.Now()})
}

// A statusWriter records the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
