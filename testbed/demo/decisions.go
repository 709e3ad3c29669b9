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
)

// decision is one line of a function's log that says what became of an event.
type decision struct {
	env            string
	Message        string `json:"message"`
	Level          string `json:"level"`
	EventID        string `json:"event_id"`
	Service        string `json:"service"`
	Tag            string `json:"tag"`
	TaskDefinition string `json:"task_definition"`
	Reason         string `json:"reason"`
	Error          string `json:"error"`
}

// decided reports whether the line says what became of an event: others tell of
// rollouts, or are metrics.
func (d decision) decided() bool {
	return strings.HasPrefix(d.Message, "deployment ") || strings.HasPrefix(d.Message, "event ")
}

// ending is a line that says how a deployment of the deployer's own ended.
type ending struct {
	env     string
	Outcome string `json:"outcome"`
	Words   string `json:"summary"`
	Foreign bool   `json:"foreign"`
}

// decisions collects what the functions log.
type decisions struct {
	mu   sync.Mutex
	all  []decision
	ends []ending
	also io.Writer // gets every line too, if it is not nil
}

// of returns the writer for the log of one environment's function.
func (d *decisions) of(env string) io.Writer { return writer{d, env} }

// take returns what was logged since the last time.
func (d *decisions) take() []decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.all
	d.all = nil
	return all
}

// ended waits for as many ends as there have to be, and returns them in the
// order of a release.
func (d *decisions) ended(ctx context.Context, count int) ([]ending, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		d.mu.Lock()
		if len(d.ends) >= count {
			ends := d.ends
			d.ends = nil
			d.mu.Unlock()
			slices.SortStableFunc(ends, func(a, b ending) int { return cmp.Compare(order(a.env), order(b.env)) })
			return ends, nil
		}
		have := len(d.ends)
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %d deployments to end: only %d have", count, have)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

type writer struct {
	*decisions
	env string
}

// Write takes one line of a log.
func (w writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := decision{env: w.env}
	if json.Unmarshal(bytes.TrimSpace(line), &one) == nil && one.decided() {
		w.all = append(w.all, one)
	}
	end := ending{env: w.env}
	if json.Unmarshal(bytes.TrimSpace(line), &end) == nil && end.Outcome == "Deployment Succeeded" && one.Message == "outcome published" && !end.Foreign {
		w.ends = append(w.ends, end)
	}
	if w.also != nil {
		if _, err := w.also.Write(append([]byte(w.env+"  "), line...)); err != nil {
			return 0, err
		}
	}
	return len(line), nil
}
