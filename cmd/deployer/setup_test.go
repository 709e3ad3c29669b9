package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// buildDir is the directory that bootstrap builds in; "" until it is called.
var buildDir string

// bootstrap builds the function's bootstrap once for all tests and returns its path.
var bootstrap = sync.OnceValues(func() (path string, err error) {
	if buildDir, err = os.MkdirTemp("", "deployer-bootstrap-"); err != nil {
		return "", err
	}
	path = filepath.Join(buildDir, "bootstrap")
	return path, cloud.BuildBootstrap(context.Background(), "../..", path)
})

// functionTimeout is the function's timeout in tests that do not set their own. It
// is long, so that a slow machine fails no test.
const functionTimeout = 4 * time.Minute

// testFunction is the function of one environment: its real bootstrap behind the
// Lambda runtime API, on emulated AWS that is set up for the central registry strategy.
type testFunction struct {
	aws      *emulator.Emulator
	host     *lambdahost.Host
	accounts map[string]*accounts.Account
	env      string
	logs     *logBuffer
	ahead    atomic.Int64 // how far the emulator's clock is ahead of the real clock, in nanoseconds

	mu     sync.Mutex
	failed []lambdahost.Record // records sent to the on-failure destination
}

// newFunction starts the function of an environment. Change may alter its options.
func newFunction(t testing.TB, env string, change func(*lambdahost.Options)) *testFunction {
	t.Helper()
	path, err := bootstrap()
	must(t, err)
	f := &testFunction{env: env, logs: &logBuffer{}}
	clock := func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }
	var url string
	f.aws, url = emulatortest.Start(t, emulator.Options{Clock: clock})
	f.accounts, err = cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.CreateTasks(t.Context(), f.accounts))
	f.aws.ResetCalls()
	file, err := filepath.Abs("../../examples/centralized-dev-ecr/" + env + ".yaml")
	must(t, err)
	options := lambdahost.Options{
		Bootstrap:       path,
		Env:             map[string]string{"AWS_ENDPOINT_URL": url, "DEPLOYER_ENVIRONMENT_FILE": file},
		FunctionARN:     "arn:aws:lambda:us-east-1:" + f.account() + ":function:deployer",
		AccessKeyID:     f.account(),
		SecretAccessKey: "any",
		Timeout:         functionTimeout,
		RetryWaits:      []time.Duration{0, 0},
		Logs:            f.logs,
		OnFailure: func(r lambdahost.Record) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.failed = append(f.failed, r)
		},
	}
	if change != nil {
		change(&options)
	}
	f.host, err = lambdahost.Start(t.Context(), options)
	must(t, err)
	t.Cleanup(func() { f.host.Close() })
	return f
}

func (f *testFunction) account() string { return f.accounts[f.env].ID }

// invoke sends the function an event and returns its result.
func (f *testFunction) invoke(t testing.TB, event string) pipeline.Result {
	t.Helper()
	response, err := f.host.Invoke(t.Context(), []byte(event))
	must(t, err)
	if response.FunctionError != "" {
		t.Fatalf("the function failed: %s\nlog:\n%s", response.Payload, f.logs)
	}
	var result pipeline.Result
	must(t, json.Unmarshal(response.Payload, &result))
	return result
}

// operations returns the names of the operations called since the last reset.
func (f *testFunction) operations() []string {
	var names []string
	for _, c := range f.aws.Calls() {
		names = append(names, c.Operation)
	}
	return names
}

// runs returns the revision that a workload's service runs, and its first image.
func (f *testFunction) runs(t testing.TB, workload string) (revision int32, image string) {
	t.Helper()
	cluster := cloud.Project + "_cluster_" + f.env
	got, err := f.accounts[f.env].Runs(context.Background(), cluster, cloud.ServiceName(workload, f.env))
	must(t, err)
	return got.TaskDefinition.Revision, *got.TaskDefinition.ContainerDefinitions[0].Image
}

// logBuffer collects a function's log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

// lines returns the lines with the given message.
func (l *logBuffer) lines(t testing.TB, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a log line is not JSON: %s", line)
			continue
		}
		if entry["message"] == message {
			found = append(found, entry)
		}
	}
	return found
}

// deployEvent returns a DEPLOY event with the current time.
func deployEvent(source, detail string) string {
	return deployEventAt(time.Now(), "6f1d", source, detail)
}

func deployEventAt(at time.Time, id, source, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"DEPLOY","source":%q,"account":"333333333333",
		"time":%q,"region":"us-east-1","resources":[],"detail":%s}`, id, source, at.UTC().Format(time.RFC3339), detail)
}

// pushEvent returns the event of a push to dev's registry, with the current time.
func pushEvent(repository, tag, digest string) string {
	return pushEventAt(time.Now(), "13cd", repository, tag, digest)
}

func pushEventAt(at time.Time, id, repository, tag, digest string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"ECR Image Action","source":"aws.ecr",
		"account":"111111111111","time":%q,"region":"us-east-1","resources":[],
		"detail":{"action-type":"PUSH","result":"SUCCESS","repository-name":%q,"image-tag":%q,"image-digest":%q}}`,
		id, at.UTC().Format(time.RFC3339), repository, tag, digest)
}

// denied is a fault by which AWS denies every call of an operation.
func denied(operation string) emulator.Fault {
	return emulator.Fault{Operation: operation, Error: emulator.AccessDenied(
		"User: arn:aws:sts::333333333333:assumed-role/d/d is not authorized to perform: " + operation)}
}

// leaveOut removes cases from a table but in `make test-slow`: another case that stays is of the same kind.
func leaveOut[C any](t *testing.T, cases map[string]C, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, ok := cases[name]; !ok {
			t.Fatalf("there is no case %q", name)
		}
		if !everyCase {
			delete(cases, name)
		}
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
