package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// Options are the options of [Start].
type Options struct {
	Root        string // the project's directory
	Services    Services
	Processes   int           // of the function
	RolloutStep time.Duration // as in [emulator.Options]
	Warm        bool          // the processes are started before Start returns
	Rollouts    bool          // ECS's events about rollouts are delivered to the function
	// Clock is AWS's clock. By default it is two minutes slow, so that events of the last minute are newer than the
	// revisions that exist.
	Clock func() time.Time
	// Front returns a handler in front of emulated AWS; nil for none.
	Front func(aws http.Handler) http.Handler
}

// A Fleet is the running environment. Close it after use.
type Fleet struct {
	AWS      *emulator.Emulator
	Account  *accounts.Account
	Function *lambdahost.Host

	Environment *environment.Environment

	url      string
	services Services

	dir     string
	stop    func() error // stops serving AWS
	closed  chan struct{}
	ticking sync.WaitGroup

	mu      sync.Mutex
	logged  map[string]int      // log lines by message
	refused map[string]bool     // the ids of events that were ignored or rejected
	failed  []lambdahost.Record // sent to the function's failure destination
}

// Start builds the bootstrap, creates the services and starts the function.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	f := &Fleet{logged: map[string]int{}, refused: map[string]bool{}, closed: make(chan struct{})}
	var err error
	if f.dir, err = os.MkdirTemp("", "deployer-fleet-"); err != nil {
		return nil, err
	}
	if err := f.start(ctx, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) start(ctx context.Context, o Options) error {
	bootstrap := filepath.Join(f.dir, "bootstrap")
	if err := cloud.BuildBootstrap(ctx, o.Root, bootstrap); err != nil {
		return err
	}
	if o.Clock == nil {
		o.Clock = func() time.Time { return time.Now().Add(-2 * time.Minute) }
	}
	f.AWS = emulator.New(emulator.Options{Clock: o.Clock, RolloutStep: o.RolloutStep})
	var front http.Handler = f.AWS
	if o.Front != nil {
		front = o.Front(f.AWS)
	}
	url, stop, err := emulator.Serve(front)
	if err != nil {
		return err
	}
	f.stop = stop
	f.url, f.services = url, o.Services
	f.Account = Connect(url, nil)
	file, err := o.Services.Create(ctx, f.Account)
	if err != nil {
		return err
	}
	if f.Environment, err = environment.Parse("environment.yaml", file); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.dir, "environment.yaml"), file, 0o600); err != nil {
		return err
	}
	for _, role := range []string{"deployer", Operator, Person, Terraform} {
		if err := f.allow(role); err != nil {
			return err
		}
	}
	started := newBarrier(o)
	f.Function, err = lambdahost.Start(ctx, lambdahost.Options{
		Bootstrap: bootstrap, FunctionARN: functionARN,
		Env:         map[string]string{"AWS_ENDPOINT_URL": url, "DEPLOYER_ROLE": "deployer"},
		AccessKeyID: account + "-deployer", SecretAccessKey: "any", Timeout: 4 * time.Minute, Concurrency: o.Processes,
		RetryWaits: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond},
		Logs:       (*logCounter)(f), OnFailure: f.addFailed, Initialized: started.wait,
	})
	if err != nil {
		return err
	}
	if o.Warm {
		if err := f.warmUp(ctx, o.Processes); err != nil {
			return err
		}
	}
	if o.Rollouts {
		return f.deliverRollouts(ctx)
	}
	return nil
}

func (f *Fleet) addFailed(r lambdahost.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, r)
}

// Close stops the function and emulated AWS.
func (f *Fleet) Close() {
	close(f.closed)
	f.ticking.Wait()
	if f.Function != nil {
		f.Function.Close()
	}
	if f.stop != nil {
		f.stop()
	}
	os.RemoveAll(f.dir)
}

// Failed returns how many invocations were sent to the function's failure destination.
func (f *Fleet) Failed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failed)
}

// TakeFailed returns what was sent to the function's failure destination, and empties it.
func (f *Fleet) TakeFailed() []lambdahost.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := f.failed
	f.failed = nil
	return failed
}

// Logged returns how often the function logged each message.
func (f *Fleet) Logged() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.logged)
}

// Refused returns the ids of the events of which a delivery was ignored or rejected.
func (f *Fleet) Refused() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.refused)
}

// logCounter counts the function's log lines.
type logCounter Fleet

func (l *logCounter) Write(line []byte) (int, error) {
	var entry struct {
		Message string
		Event   string `json:"event_id"`
	}
	if json.Unmarshal(bytes.TrimSpace(line), &entry) != nil || entry.Message == "" { // a metric
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

// Attempts returns how often each invocation was tried, by request id.
func (f *Fleet) Attempts() map[string]int {
	n := map[string]int{}
	for _, r := range f.Function.Requests() {
		rest, ok := strings.CutPrefix(r.Path, "/2018-06-01/runtime/invocation/")
		if id, what, isAnswer := strings.Cut(rest, "/"); ok && isAnswer && (what == "response" || what == "error") {
			n[id]++
		}
	}
	return n
}
