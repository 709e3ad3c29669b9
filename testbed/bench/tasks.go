package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"deployer/testbed/lambdahost"
)

// further are workloads that an environment file has besides its services.
type further struct{ services, scheduled, events int }

// text returns the lists of the environment file. The services continue its own list.
func (f further) text() string {
	var b strings.Builder
	for i := range f.services {
		fmt.Fprintf(&b, "  - name: further-%d\n", i)
	}
	if f.scheduled > 0 {
		b.WriteString("scheduled_tasks:\n")
	}
	for i := range f.scheduled {
		fmt.Fprintf(&b, "  - name: job-%d\n", i)
	}
	if f.events > 0 {
		b.WriteString("event_processor_tasks:\n")
	}
	for i := range f.events {
		fmt.Fprintf(&b, "  - name: processor-%d\n", i)
	}
	return b.String()
}

// coldStartWith measures the time, or the processor time, from the start of a process to its first request for an
// event: with further workloads, and with others.
func coldStartWith(processor bool, these, others further) measurement {
	return func(ctx context.Context, b *bench, runs int) (product, other []float64, err error) {
		text, err := os.ReadFile(b.file)
		if err != nil {
			return nil, nil, err
		}
		services, _, found := strings.Cut(string(text), "\nscheduled_tasks:")
		if !found {
			return nil, nil, fmt.Errorf("%s has no scheduled_tasks", b.file)
		}
		one := func(f further) (func() (float64, error), error) {
			file := filepath.Join(b.dir, fmt.Sprintf("further-%d-%d-%d.yaml", f.services, f.scheduled, f.events))
			return func() (float64, error) {
				return b.coldStart(ctx, program("bootstrap"), processor,
					func(o *lambdahost.Options) { o.Env["DEPLOYER_ENVIRONMENT_FILE"] = file })
			}, os.WriteFile(file, []byte(services+"\n"+f.text()), 0o600)
		}
		with, err := one(these)
		if err != nil {
			return nil, nil, err
		}
		against, err := one(others)
		if err != nil {
			return nil, nil, err
		}
		return inTurn(runs, with, against)
	}
}
