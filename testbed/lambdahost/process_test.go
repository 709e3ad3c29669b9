package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"deployer/testbed/lambdahost"
)

// TestEnvironment: a bootstrap has Lambda's and the function's variables, and none of the test's own (HOME, GOPATH,
// credentials).
func TestEnvironment(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.Dir = t.TempDir()
	opts.MemorySize, opts.LogLevel = 256, "DEBUG"
	opts.AccessKeyID, opts.SecretAccessKey, opts.SessionToken = "ASIAX", "secret", "token"
	opts.Env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
	opts.Env["PATH"] = "/opt/bin"
	host := start(t, opts)

	var got struct {
		Env []string
		Dir string
	}
	if err := json.Unmarshal(invoke(t, host, command{Do: "environ"}).Payload, &got); err != nil {
		t.Fatal(err)
	}

	for i, v := range got.Env {
		v = regexp.MustCompile(`^(AWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:)\d+$`).ReplaceAllString(v, "${1}PORT")
		v = regexp.MustCompile(`^(_X_AMZN_TRACE_ID=Root=1-).*$`).ReplaceAllString(v, "${1}ID")
		logStream := regexp.MustCompile(`^(AWS_LAMBDA_LOG_STREAM_NAME=)\d{4}/\d\d/\d\d/(\[\$LATEST\])[0-9a-f]{32}$`)
		got.Env[i] = logStream.ReplaceAllString(v, "${1}DATE/${2}ID")
	}
	equal(t, "environment", got.Env, []string{
		"AWS_ACCESS_KEY_ID=ASIAX",
		"AWS_DEFAULT_REGION=eu-west-1",
		"AWS_ENDPOINT_URL=http://127.0.0.1:1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_NAME=deployer",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/deployer",
		"AWS_LAMBDA_LOG_LEVEL=DEBUG",
		"AWS_LAMBDA_LOG_STREAM_NAME=DATE/[$LATEST]ID",
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:PORT",
		"AWS_REGION=eu-west-1",
		"AWS_SECRET_ACCESS_KEY=secret",
		"AWS_SESSION_TOKEN=token",
		"LAMBDAHOST_TEST_MODE=handler",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=" + opts.Dir,
		"LANG=en_US.UTF-8",
		"PATH=/opt/bin",
		"TZ=:UTC",
		"_HANDLER=bootstrap",
		"_X_AMZN_TRACE_ID=Root=1-ID",
	})
	equal(t, "directory", got.Dir, opts.Dir)
}

// TestLogs: the log has the lines of an invocation when Invoke returns.
func TestLogs(t *testing.T) {
	t.Parallel()
	host, logs := startLogged(t, "handler", 1)

	invoke(t, host, command{Do: "log", Text: "one"})
	equal(t, "after one", logs.got(), []string{"one", "one"})
	invoke(t, host, command{Do: "log", Text: "two\n\nthree"})
	equal(t, "after two", logs.got(), []string{"one", "one", "two", "", "three", "two", "", "three"})
	long := strings.Repeat("x", 100_000)
	invoke(t, host, command{Do: "log", Text: long})
	equal(t, "after a long one", logs.got()[8:], []string{long, long})
}

func TestLogsOfKilledProcess(t *testing.T) {
	t.Parallel()
	host, logs := startLogged(t, "partial line", 1)

	invoke(t, host, command{})

	equal(t, "lines", logs.got(), []string{"no newline", "no newline"}) // initialized twice
}

func TestLogsOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	host, logs := startLogged(t, "handler", 3)

	text := strings.Repeat("y", 9000) // larger than the pipe buffer
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() { invoke(t, host, command{Do: "log", Text: text}) })
	}
	wg.Wait()

	counts := map[string]int{}
	for _, line := range logs.got() {
		counts[line]++
	}
	equal(t, "lines", counts, map[string]int{text: 24})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestCloseReportsLogErrors(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.Logs = brokenWriter{}
	host, err := lambdahost.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, host, command{Do: "log", Text: "lost"})
	equal(t, "error", fmt.Sprint(host.Close()), "disk full")
}

func TestClose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, mode string
		want       []string
	}{
		{"ends by SIGTERM", "handler", []string{"signal: terminated"}},
		{"ignores SIGTERM", "ignores term", []string{"signal: killed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			host := start(t, options(tt.mode))
			invoke(t, host, command{Do: "echo"})
			if err := host.Close(); err != nil {
				t.Fatal(err)
			}
			equal(t, "exits", exits(host), tt.want)
		})
	}
}

// TestIdleProcessEnds: a process that exits while it is idle is replaced.
func TestIdleProcessEnds(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	host := start(t, options("handler"))
	invoke(t, host, command{Do: "exit later", URL: ln.Addr().String()})
	conn := accept(t, ln)

	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	for host.Stats().Processes[0].Exit == "" {
		runtime.Gosched()
	}
	next := invoke(t, host, command{Do: "echo"})

	equal(t, "exits", exits(host), []string{"exit status 4", ""})
	equal(t, "cold", next.Cold, true)
	equal(t, "payload", string(next.Payload), `{"Do":"echo"}`)
}

func TestCloseWhileRunning(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	opts := options("handler")
	opts.Dir = t.TempDir()
	host, err := lambdahost.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		_, err := host.Invoke(t.Context(), event(t, command{Do: "get", URL: "http://" + ln.Addr().String()}))
		result <- err
	}()
	conn := accept(t, ln)

	cancel() // the context of Start
	equal(t, "error", errors.Is(<-result, lambdahost.ErrClosed), true)
	waitForExit(t, conn)
	equal(t, "Close", host.Close(), nil)
}

func TestStats(t *testing.T) {
	t.Parallel()
	needLinux(t)
	opts := options("handler")
	var initialized []int
	opts.Initialized = func(pid int) { initialized = append(initialized, pid) }
	opts.Measure = true
	host := start(t, opts)
	equal(t, "before the first invocation", host.Stats(), lambdahost.Stats{})
	begun := time.Now()
	invoke(t, host, command{Do: "echo"})
	first := host.Stats().Processes
	invoke(t, host, command{Do: "size", Size: 5 << 20})
	second := host.Stats().Processes

	if len(first) != 1 || len(second) != 1 {
		t.Fatalf("%d and %d processes, want 1", len(first), len(second))
	}
	equal(t, "Initialized", initialized, []int{first[0].PID})
	if started := first[0].Started; started.Before(begun) || started.After(time.Now()) {
		t.Errorf("started at %v, want after %v", started, begun)
	}
	if first[0].Init <= 0 || first[0].Init != second[0].Init {
		t.Errorf("init %v, then %v, want the same above zero", first[0].Init, second[0].Init)
	}
	if first[0].InitCPU <= 0 || first[0].InitCPU != second[0].InitCPU {
		t.Errorf("init ran for %v, then %v, want the same above zero", first[0].InitCPU, second[0].InitCPU)
	}
	if first[0].PeakRSS < 1<<20 || second[0].PeakRSS < first[0].PeakRSS+5<<20 {
		t.Errorf("peak RSS %d, then %d, want 5 MB more", first[0].PeakRSS, second[0].PeakRSS)
	}
}
