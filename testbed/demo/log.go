package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"deployer/testbed/cloud"
)

// A result is a log line with the result of an event.
type result struct {
	env            string
	Message        string `json:"message"`
	Service        string `json:"service"`
	Tag            string `json:"tag"`
	TaskDefinition string `json:"task_definition"`
	Reason         string `json:"reason"`
	Error          string `json:"error"`
}

// isResult reports whether the line has the result of an event. Other lines are about rollouts, or are metrics.
func (r result) isResult() bool {
	return strings.HasPrefix(r.Message, "deployment ") || strings.HasPrefix(r.Message, "event ")
}

// kind returns the last word of the message, such as "deployed".
func (r result) kind() string {
	words := strings.Fields(r.Message)
	return words[len(words)-1]
}

// An outcome is a log line with the outcome of a rollout.
type outcome struct {
	env     string
	Message string `json:"message"`
	Outcome string `json:"outcome"`
	Summary string `json:"summary"`
	Foreign bool   `json:"foreign"`
}

// ended reports whether the line says that a rollout of the deployer succeeded or failed.
func (o outcome) ended() bool {
	return o.Message == "outcome published" && !o.Foreign && o.kind() != ""
}

// kind returns "succeeded" or "failed", "" for other outcomes.
func (o outcome) kind() string {
	switch o.Outcome {
	case "Deployment Succeeded":
		return "succeeded"
	case "Deployment Failed":
		return "failed"
	}
	return ""
}

// A functionLog collects the log lines of the functions.
type functionLog struct {
	mu      sync.Mutex
	results []result
	ends    []outcome
	file    io.Writer // receives every line too, unless nil

	decisions io.Writer // receives a line for each decision and outcome, unless nil
}

// takeResults returns the results since the last call, in the order of a release.
func (l *functionLog) takeResults() []result {
	l.mu.Lock()
	defer l.mu.Unlock()
	results := l.results
	l.results = nil
	slices.SortStableFunc(results, func(a, b result) int {
		return cmp.Or(cmp.Compare(order(a.env), order(b.env)), cmp.Compare(a.Message, b.Message))
	})
	return results
}

// takeEnds waits for the ends of n rollouts and returns them in the order of a release.
func (l *functionLog) takeEnds(ctx context.Context, n int) ([]outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		l.mu.Lock()
		ends := l.ends
		if len(ends) >= n {
			l.ends = nil
		}
		l.mu.Unlock()
		if len(ends) >= n {
			slices.SortStableFunc(ends, func(a, b outcome) int { return cmp.Compare(order(a.env), order(b.env)) })
			return ends, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %d rollouts to end: only %d have", n, len(ends))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// order returns an environment's position in the order of a release.
func order(env string) int {
	for i, e := range cloud.Environments {
		if e.Name == env {
			return i
		}
	}
	return -1
}

// A logWriter is the log of one environment's function.
type logWriter struct {
	log *functionLog
	env string
}

// Write collects one line.
func (w logWriter) Write(line []byte) (int, error) {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	r := result{env: w.env}
	if json.Unmarshal(bytes.TrimSpace(line), &r) == nil && r.isResult() {
		w.log.results = append(w.log.results, r)
	}
	o := outcome{env: w.env}
	if json.Unmarshal(bytes.TrimSpace(line), &o) == nil && o.ended() {
		w.log.ends = append(w.log.ends, o)
	}
	if w.log.decisions != nil {
		if text := decision(w.env, line, time.Now()); text != "" {
			fmt.Fprintln(w.log.decisions, text)
		}
	}
	if w.log.file != nil {
		if _, err := w.log.file.Write(append([]byte(w.env+"  "), line...)); err != nil {
			return 0, err
		}
	}
	return len(line), nil
}
