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

	"deployer/testbed/fleet"
)

// An update is one UpdateService that started a rollout.
type update struct {
	service      string
	revision     int
	attemptStart time.Time // the first call of the attempt that made it; zero if foreign
	end          time.Time
	foreign      bool      // a person or a tool made it
	at           time.Time // on AWS's clock
}

// An updateRecorder is a handler in front of emulated AWS that records which attempt updates a service. In Lambda the
// SDK sends the trace id of the invocation with every call, and each attempt has another trace id.
type updateRecorder struct {
	aws   http.Handler
	clock func() time.Time // AWS's

	updating sync.Mutex // one update at a time, so that they are recorded in the order in which they took effect

	mu       sync.Mutex
	attempts map[string]time.Time // the first call of each attempt, by trace id
	redrive  time.Time            // when the operator's current attempt began
	rollouts map[string]bool      // by ECS's id
	updates  []update
}

func newUpdateRecorder(clock func() time.Time) *updateRecorder {
	return &updateRecorder{clock: clock, attempts: map[string]time.Time{}, rollouts: map[string]bool{}}
}

// ServeHTTP implements [http.Handler].
func (u *updateRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := u.attemptStart(r)
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
	foreign := strings.Contains(r.Header.Get("Authorization"), "-"+fleet.Person+"/") ||
		strings.Contains(r.Header.Get("Authorization"), "-"+fleet.Terraform+"/")
	u.updating.Lock()
	defer u.updating.Unlock()
	answer := &copyWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { // the emulator panics to drop the connection after the update
		if answer.status == http.StatusOK {
			u.add(body, answer.body.Bytes(), start, foreign)
		}
	}()
	u.aws.ServeHTTP(answer, r)
}

// attemptStart returns when the attempt that makes a call made its first one.
func (u *updateRecorder) attemptStart(r *http.Request) time.Time {
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	trace := r.Header.Get("X-Amzn-Trace-Id")
	switch {
	case strings.Contains(r.Header.Get("Authorization"), "-"+fleet.Operator+"/"):
		return u.redrive
	case trace == "": // a call of the set-up, a person or a tool
		return now
	}
	if _, known := u.attempts[trace]; !known {
		u.attempts[trace] = now
	}
	return u.attempts[trace]
}

// beginRedrive begins an attempt of the operator.
func (u *updateRecorder) beginRedrive() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.redrive = time.Now()
}

// all returns the updates of a service until now.
func (u *updateRecorder) all(service string) (all []update) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range u.updates {
		if one.service == service {
			all = append(all, one)
		}
	}
	return all
}

// add records an update, unless its answer says that it started no rollout. The answer is empty if it was dropped.
func (u *updateRecorder) add(body, answer []byte, attemptStart time.Time, foreign bool) {
	var in struct{ Service, TaskDefinition string }
	var out struct {
		Service struct{ Deployments []struct{ ID string } }
	}
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
	if json.Unmarshal(answer, &out) == nil && len(out.Service.Deployments) > 0 {
		id := out.Service.Deployments[0].ID
		if u.rollouts[id] {
			return
		}
		u.rollouts[id] = true
	}
	u.updates = append(u.updates, update{in.Service, revision, attemptStart, time.Now(), foreign, u.clock()})
}

// A copyWriter records an answer.
type copyWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements [http.ResponseWriter].
func (c *copyWriter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (c *copyWriter) Write(b []byte) (int, error) {
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}
