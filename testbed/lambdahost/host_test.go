package lambdahost_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"deployer/testbed/lambdahost"

	gocmp "github.com/google/go-cmp/cmp"
)

const functionARN = "arn:aws:lambda:eu-west-1:111122223333:function:deployer"

// options returns options with which the test binary runs as a bootstrap.
func options(mode string) lambdahost.Options {
	return lambdahost.Options{
		Bootstrap:   os.Args[0],
		FunctionARN: functionARN,
		Env:         map[string]string{modeVar: mode},
		Timeout:     time.Minute,
		InitTimeout: time.Minute,
	}
}

func start(t *testing.T, opts lambdahost.Options) *lambdahost.Host {
	t.Helper()
	opts.Dir = cmp.Or(opts.Dir, t.TempDir())
	host, err := lambdahost.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}

func event(t *testing.T, o command) []byte {
	t.Helper()
	doc, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func invoke(t *testing.T, host *lambdahost.Host, o command) lambdahost.Response {
	t.Helper()
	r, err := host.Invoke(t.Context(), event(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// lines is a writer for Options.Logs. It checks that calls write whole lines and are not concurrent.
type lines struct {
	mu   sync.Mutex
	list []string
	bad  bool
}

func (l *lines) Write(p []byte) (int, error) {
	if !l.mu.TryLock() {
		panic("concurrent calls of Write")
	}
	defer l.mu.Unlock()
	l.bad = l.bad || bytes.IndexByte(p, '\n') != len(p)-1
	l.list = append(l.list, strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func (l *lines) got() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad {
		return append(l.list, "(not whole lines)")
	}
	return l.list
}

// startLogged starts a host that logs to lines.
func startLogged(t *testing.T, mode string, concurrency int) (*lambdahost.Host, *lines) {
	t.Helper()
	logs := new(lines)
	opts := options(mode)
	opts.Logs, opts.Concurrency = logs, concurrency
	return start(t, opts), logs
}

func exits(host *lambdahost.Host) []string {
	var list []string
	for _, p := range host.Stats().Processes {
		list = append(list, p.Exit)
	}
	return list
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct {
		name   string
		change func(*lambdahost.Options)
		want   string
	}{
		{"no ARN", func(o *lambdahost.Options) { o.FunctionARN = "" },
			`starting the Lambda host: reading function ARN "": want arn:aws:lambda:REGION:ACCOUNT:function:NAME`},
		{"qualified ARN", func(o *lambdahost.Options) { o.FunctionARN += ":live" },
			`starting the Lambda host: reading function ARN "` + functionARN +
				`:live": want arn:aws:lambda:REGION:ACCOUNT:function:NAME`},
		{"no bootstrap", func(o *lambdahost.Options) { o.Bootstrap = "" },
			`starting the Lambda host: Options.Bootstrap is empty: give the path of the bootstrap executable`},
		{"bootstrap missing", func(o *lambdahost.Options) { o.Bootstrap = dir + "/none" },
			fmt.Sprintf(`starting the Lambda host: finding bootstrap %q: stat %s: no such file or directory`,
				dir+"/none", dir+"/none")},
		{"bootstrap is a directory", func(o *lambdahost.Options) { o.Bootstrap = dir },
			fmt.Sprintf(`starting the Lambda host: finding bootstrap %q: not a file`, dir)},
		{"directory missing", func(o *lambdahost.Options) { o.Dir = dir + "/none" },
			fmt.Sprintf(`starting the Lambda host: finding the function's directory %q: stat %s: no such file or `+
				`directory`, dir+"/none", dir+"/none")},
		{"directory is a file", func(o *lambdahost.Options) { o.Dir = os.Args[0] },
			fmt.Sprintf(`starting the Lambda host: finding the function's directory %q: not a directory`, os.Args[0])},
		{"reserved variables", func(o *lambdahost.Options) {
			o.Env = map[string]string{"AWS_REGION": "", "_HANDLER": "x", "LANG": "C"}
		},
			`starting the Lambda host: checking Options.Env: AWS_REGION, _HANDLER: reserved by Lambda, which sets ` +
				`them`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := options("handler")
			tt.change(&opts)
			_, err := lambdahost.Start(t.Context(), opts)
			equal(t, "error", fmt.Sprint(err), tt.want)
		})
	}
}

func TestBootstrapIsNotExecutable(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.Bootstrap = t.TempDir() + "/bootstrap"
	if err := os.WriteFile(opts.Bootstrap, []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	host := start(t, opts)

	r := invoke(t, host, command{})

	equal(t, "error", []string{r.FunctionError, r.ErrorType, r.ErrorMessage},
		[]string{"Unhandled", "Runtime.InvalidEntrypoint", "RequestId: " + r.RequestID + " Error: fork/exec " +
			opts.Bootstrap + ": permission denied"})
}

// listen listens for a process that holds a connection while it runs.
func listen(t *testing.T) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}
