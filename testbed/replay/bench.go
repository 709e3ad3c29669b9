package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// bench is a place on emulated AWS, and the function's real bootstrap in
// several processes.
type bench struct {
	place
	aws      *emulator.Emulator
	witness  *witness
	account  *accounts.Account
	function *lambdahost.Host
	dir      string
	stop     func() error // of serving aws

	mu      sync.Mutex
	logged  map[string]int      // how often each message was logged
	refused map[string]bool     // the events that were ignored or rejected
	failed  []lambdahost.Record // what went to the failure queue
}

// newBench builds the place and the bootstrap, and readies the function to run
// in so many processes.
func newBench(ctx context.Context, root string, p place, processes int, rolloutStep time.Duration) (*bench, error) {
	b := &bench{place: p, logged: map[string]int{}, refused: map[string]bool{}}
	var err error
	if b.dir, err = os.MkdirTemp("", "deployer-replay-"); err != nil {
		return nil, err
	}
	if err := b.start(ctx, root, processes, rolloutStep); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) start(ctx context.Context, root string, processes int, rolloutStep time.Duration) error {
	bootstrap := filepath.Join(b.dir, "bootstrap")
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return err
	}
	// Two minutes behind: events can be of the last minute, and later than what runs.
	clock := func() time.Time { return time.Now().Add(-2 * time.Minute) }
	b.aws = emulator.New(emulator.Options{Clock: clock, RolloutStep: rolloutStep})
	b.witness = &witness{aws: b.aws, began: map[string]time.Time{}}
	var url string
	var err error
	if url, b.stop, err = emulator.Serve(b.witness); err != nil {
		return err
	}
	b.account = connect(url, nil)
	file, err := b.build(ctx, b.account)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "environment.yaml"), file, 0o600); err != nil {
		return err
	}
	b.function, err = lambdahost.Start(ctx, lambdahost.Options{
		Bootstrap: bootstrap, Env: map[string]string{"AWS_ENDPOINT_URL": url}, FunctionARN: "arn:aws:lambda:" + region + ":" + account + ":function:deployer",
		AccessKeyID: account, SecretAccessKey: "any", Timeout: 2 * time.Minute, Concurrency: processes,
		RetryWaits: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}, Logs: (*log)(b),
		OnFailure: func(r lambdahost.Record) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.failed = append(b.failed, r)
		},
	})
	return err
}

func (b *bench) close() {
	if b.function != nil {
		b.function.Close()
	}
	if b.stop != nil {
		b.stop()
	}
	os.RemoveAll(b.dir)
}

// log counts the functions' log lines by what they say.
type log bench

func (l *log) Write(line []byte) (int, error) {
	var entry struct {
		Message string
		Event   string `json:"event_id"`
	}
	if json.Unmarshal(bytes.TrimSpace(line), &entry) != nil || entry.Message == "" { // a metric says nothing
		return len(line), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logged[entry.Message]++
	switch entry.Message {
	case "event ignored", "event rejected", "deployment ignored", "deployment rejected":
		l.refused[entry.Event] = true
	}
	return len(line), nil
}

// attempts returns how often each invocation was tried, by request id.
func (b *bench) attempts() map[string]int {
	n := map[string]int{}
	for _, r := range b.function.Requests() {
		rest, ok := strings.CutPrefix(r.Path, "/2018-06-01/runtime/invocation/")
		if id, what, isAnswer := strings.Cut(rest, "/"); ok && isAnswer && (what == "response" || what == "error") {
			n[id]++
		}
	}
	return n
}
