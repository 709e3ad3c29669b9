package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// modeVar makes the test binary run as a bootstrap, as a child of one, or as a host that will be killed.
const modeVar = "LAMBDAHOST_TEST_MODE"

func TestMain(m *testing.M) {
	mode := os.Getenv(modeVar)
	run, ok := modes[mode]
	switch {
	case ok:
		run()
	case mode != "":
		fmt.Fprintf(os.Stderr, "unknown mode %q\n", mode)
		os.Exit(2)
	default:
		os.Exit(m.Run())
	}
}

var modes = map[string]func(){
	"handler":      func() { lambda.Start(handle) },
	"init error":   rawInitError,
	"init exit":    func() { os.Exit(7) },
	"init hang":    hang,
	"second init":  secondInit,
	"raw":          rawErrors,
	"raw error":    rawError,
	"raw exit":     rawExit,
	"with child":   withChild,
	"child":        child,
	"ignores term": ignoresTerm,
	"killed host":  killedHost,
	"partial line": partialLine,
}

// command is the event that handle carries out.
type command struct {
	Do   string
	URL  string `json:",omitempty"`
	Size int    `json:",omitempty"`
	Code int    `json:",omitempty"`
	Text string `json:",omitempty"`
}

type brokenError struct{ what string }

func (e *brokenError) Error() string { return e.what + " is broken" }

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var o command
	if err := json.Unmarshal(event, &o); err != nil {
		return nil, err
	}
	switch o.Do {
	case "echo":
		return event, nil
	case "error":
		return nil, &brokenError{"the cluster"}
	case "panic":
		panic("no such revision")
	case "exit":
		os.Exit(o.Code)
	case "hang":
		hang()
	case "log":
		fmt.Println(o.Text)
		fmt.Fprintln(os.Stderr, o.Text)
		return nil, nil
	case "size":
		return strings.Repeat("x", o.Size), nil
	case "environ":
		env := os.Environ()
		slices.Sort(env)
		dir, err := os.Getwd()
		return map[string]any{"env": env, "dir": dir}, err
	case "context":
		deadline, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return invocationContext{deadline.UnixMilli(), lc.AwsRequestID, lc.InvokedFunctionArn,
			os.Getenv("_X_AMZN_TRACE_ID")}, nil
	case "exit later": // when the connection ends, which is after the invocation
		conn, err := net.Dial("tcp", o.URL)
		if err != nil {
			return nil, err
		}
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			os.Exit(4)
		}()
		return nil, nil
	case "get":
		resp, err := http.Get(o.URL)
		if err != nil {
			return nil, err
		}
		return resp.Status, resp.Body.Close()
	}
	return nil, errors.New("unknown command " + o.Do)
}

type invocationContext struct {
	DeadlineMs              int64
	RequestID, ARN, TraceID string
}

// call sends one raw request to the Runtime API and returns the request id of the answer, "" if it has none.
func call(method, path, body string, header ...string) string {
	req, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, strings.NewReader(body))
	must(err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	must(err)
	answer, err := io.ReadAll(resp.Body)
	must(err)
	if resp.StatusCode != http.StatusOK {
		fmt.Println(strings.TrimRight(string(answer), "\n"))
	}
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}

const api = "/2018-06-01/runtime/"

func rawInitError() {
	call("POST", api+"init/error", `{"errorMessage":"no environment file","errorType":"Config.Missing"}`)
	os.Exit(1)
}

// secondInit fails its first initialization in a directory.
func secondInit() {
	if err := os.Mkdir("tried", 0o777); err == nil {
		os.Exit(1)
	}
	lambda.Start(handle)
}

// rawErrors makes every request that the Runtime API answers with an error.
func rawErrors() {
	call("POST", api+"invocation/early/response", `1`)
	id := call("GET", api+"invocation/next", "")
	call("GET", api+"invocation/next", "")
	call("POST", api+"init/error", `{}`)
	call("POST", api+"invocation/another/response", `2`)
	call("POST", api+"invocation/another/error", `{}`)
	call("GET", api+"invocation/"+id+"/response", "")
	call("GET", "/2018-06-01/ping", "")
	call("POST", api+"invocation/"+id+"/response", `"good"`)
	call("POST", api+"invocation/"+id+"/error", `{}`)
	call("GET", api+"invocation/next", "")
}

// rawError posts errors without a document.
func rawError() {
	for {
		id := call("GET", api+"invocation/next", "")
		call("POST", api+"invocation/"+id+"/error", "", "Lambda-Runtime-Function-Error-Type", "Runtime.Odd")
	}
}

// rawExit exits after its first answer.
func rawExit() {
	id := call("GET", api+"invocation/next", "")
	call("POST", api+"invocation/"+id+"/response", `"answered"`)
	os.Exit(5)
}

// withChild starts a child in its process group that ignores SIGTERM.
func withChild() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), modeVar+"=child")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	must(cmd.Start())
	lambda.Start(handle)
}

// child holds a connection while it runs, and ignores SIGTERM.
func child() {
	signal.Ignore(syscall.SIGTERM)
	conn, err := net.Dial("tcp", os.Getenv("LISTENER"))
	must(err)
	_, err = conn.Write([]byte("here\n"))
	must(err)
	_, _ = io.Copy(io.Discard, conn)
}

// partialLine is killed in the middle of a log line.
func partialLine() {
	fmt.Print("no newline")
	self, err := os.FindProcess(os.Getpid())
	must(err)
	must(self.Kill())
	hang()
}

func ignoresTerm() {
	signal.Ignore(syscall.SIGTERM)
	lambda.Start(handle)
}

// hang waits for longer than any test. With an empty select Go's runtime would report a deadlock.
func hang() { time.Sleep(time.Hour) }
