package main

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
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

// decisions collects what the functions log.
type decisions struct {
	mu   sync.Mutex
	all  []decision
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

type writer struct {
	*decisions
	env string
}

// Write takes one line of a log.
func (w writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := decision{env: w.env}
	if json.Unmarshal(bytes.TrimSpace(line), &one) == nil {
		w.all = append(w.all, one)
	}
	if w.also != nil {
		if _, err := w.also.Write(append([]byte(w.env+"  "), line...)); err != nil {
			return 0, err
		}
	}
	return len(line), nil
}
