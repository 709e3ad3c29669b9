package lambdahost_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"deployer/testbed/lambdahost"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestInvoke(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		mode    string
		command command
		timeout time.Duration
		want    lambdahost.Response // with ID for the request id
		exits   []string            // of the processes before Close
	}{
		{
			name: "success", mode: "handler", command: command{Do: "echo"},
			want:  lambdahost.Response{Payload: []byte(`{"Do":"echo"}`), Process: 1},
			exits: []string{""},
		},
		{
			name: "the handler returns an error", mode: "handler", command: command{Do: "error"},
			want: lambdahost.Response{
				Payload:       []byte(`{"errorMessage":"the cluster is broken","errorType":"brokenError"}`),
				FunctionError: "Unhandled", ErrorType: "brokenError", ErrorMessage: "the cluster is broken", Process: 1,
			},
			exits: []string{""},
		},
		{
			name: "the handler exits", mode: "handler", command: command{Do: "exit", Code: 3},
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime ` +
					`exited with error: exit status 3"}`),
				FunctionError: "Unhandled", ErrorType: "Runtime.ExitError",
				ErrorMessage: "RequestId: ID Error: Runtime exited with error: exit status 3", Process: 1,
			},
			exits: []string{"exit status 3"},
		},
		{
			name: "the handler exits with status 0", mode: "handler", command: command{Do: "exit"},
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime ` +
					`exited without providing a reason"}`),
				FunctionError: "Unhandled", ErrorType: "Runtime.ExitError",
				ErrorMessage: "RequestId: ID Error: Runtime exited without providing a reason", Process: 1,
			},
			exits: []string{"exit status 0"},
		},
		{
			name: "timeout", mode: "handler", command: command{Do: "hang"}, timeout: 250 * time.Millisecond,
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task ` +
					`timed out after 0.25 seconds"}`),
				FunctionError: "Unhandled", ErrorType: "Sandbox.Timedout",
				ErrorMessage: "RequestId: ID Error: Task timed out after 0.25 seconds", Process: 1,
			},
			exits: []string{"signal: killed"},
		},
		{
			name: "the response is too large", mode: "handler", command: command{Do: "size", Size: 6*1024*1024 + 99},
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload ` +
					`size exceeded maximum allowed payload size (6291556 bytes)."}`),
				FunctionError: "Unhandled", ErrorType: "Function.ResponseSizeTooLarge",
				ErrorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
				Process:      1,
			},
		},
		{
			name: "the initialization posts an error", mode: "init error",
			want: lambdahost.Response{
				Payload:       []byte(`{"errorMessage":"no environment file","errorType":"Config.Missing"}`),
				FunctionError: "Unhandled", ErrorType: "Config.Missing", ErrorMessage: "no environment file",
			},
		},
		{
			name: "the initialization exits", mode: "init exit",
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime ` +
					`exited with error: exit status 7"}`),
				FunctionError: "Unhandled", ErrorType: "Runtime.ExitError",
				ErrorMessage: "RequestId: ID Error: Runtime exited with error: exit status 7",
			},
			exits: []string{"exit status 7", "exit status 7"},
		},
		{
			name: "the initialization hangs", mode: "init hang", timeout: 50 * time.Millisecond,
			want: lambdahost.Response{
				Payload: []byte(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task ` +
					`timed out after 0.05 seconds"}`),
				FunctionError: "Unhandled", ErrorType: "Sandbox.Timedout",
				ErrorMessage: "RequestId: ID Error: Task timed out after 0.05 seconds",
			},
			exits: []string{"signal: killed", "signal: killed"},
		},
		{
			name: "the second initialization succeeds", mode: "second init", command: command{Do: "echo"},
			want:  lambdahost.Response{Payload: []byte(`{"Do":"echo"}`), Process: 2},
			exits: []string{"exit status 1", ""},
		},
		{
			name: "an error without a document", mode: "raw error",
			want: lambdahost.Response{
				Payload:       []byte(`{"errorType":"Runtime.Odd","errorMessage":""}`),
				FunctionError: "Unhandled", ErrorType: "Runtime.Odd", Process: 1,
			},
			exits: []string{""},
		},
		{
			name: "the process exits after the answer", mode: "raw exit",
			want: lambdahost.Response{Payload: []byte(`"answered"`), Process: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := options(tt.mode)
			opts.Timeout = cmp.Or(tt.timeout, opts.Timeout)
			if tt.mode == "init hang" {
				opts.InitTimeout = tt.timeout
			}
			host := start(t, opts)

			got := invoke(t, host, tt.command)

			id := got.RequestID
			if !uuidForm.MatchString(id) {
				t.Errorf("request id %q is not a UUID", id)
			}
			if got.Duration <= 0 || got.Duration < tt.timeout {
				t.Errorf("duration %v, want more than %v", got.Duration, tt.timeout)
			}
			if got.Begun.IsZero() != (got.Process == 0) {
				t.Errorf("begun at %v in process %d", got.Begun, got.Process)
			}
			got.RequestID, got.Begun, got.Duration = "", time.Time{}, 0
			got.Payload = bytes.ReplaceAll(got.Payload, []byte(id), []byte("ID"))
			got.ErrorMessage = strings.ReplaceAll(got.ErrorMessage, id, "ID")
			tt.want.Cold = true
			equal(t, "response", got, tt.want)
			if tt.exits != nil {
				equal(t, "exits", exits(host), tt.exits)
			}
		})
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	host := start(t, options("handler"))

	panicked := invoke(t, host, command{Do: "panic"})
	cold := invoke(t, host, command{Do: "echo"})
	warm := invoke(t, host, command{Do: "echo"})

	equal(t, "error", []string{panicked.FunctionError, panicked.ErrorType, panicked.ErrorMessage},
		[]string{"Unhandled", "string", "no such revision"})
	equal(t, "cold", []bool{panicked.Cold, cold.Cold, warm.Cold}, []bool{true, true, false})
	equal(t, "processes", []int{panicked.Process, cold.Process, warm.Process}, []int{1, 2, 2})
	equal(t, "exits", exits(host), []string{"exit status 1", ""})
}

func TestInvocationHeaders(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.Timeout = 17 * time.Second
	host := start(t, opts)
	invoke(t, host, command{Do: "echo"}) // the deadline counts from the event

	before := time.Now().Add(opts.Timeout).UnixMilli()
	r := invoke(t, host, command{Do: "context"})
	after := time.Now().Add(opts.Timeout).UnixMilli()

	var got invocationContext
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.DeadlineMs < before || got.DeadlineMs > after {
		t.Errorf("deadline %d, want %d to %d", got.DeadlineMs, before, after)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(got.TraceID) {
		t.Errorf("trace id %q", got.TraceID)
	}
	got.DeadlineMs, got.TraceID = 0, ""
	equal(t, "context", got, invocationContext{RequestID: r.RequestID, ARN: functionARN})
}

func TestPayloadSizes(t *testing.T) {
	t.Parallel()
	host := start(t, options("handler"))

	big := event(t, command{Do: "echo", Text: strings.Repeat("x", 1024*1024)})
	r, err := host.Invoke(t.Context(), big)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Payload, big) {
		t.Errorf("got %d bytes that differ from the %d sent", len(r.Payload), len(big))
	}
	largest := invoke(t, host, command{Do: "size", Size: 6*1024*1024 + 98}) // and two quotes
	equal(t, "largest response", []any{len(largest.Payload), largest.FunctionError}, []any{6291556, ""})

	tests := []struct {
		name   string
		invoke func([]byte) error
		event  []byte
		want   string
	}{
		{"synchronous, too large", sync1(host), bytes.Repeat([]byte("1"), 6291457),
			"invoking the function: 6291457 byte payload is too large for the RequestResponse invocation type (limit " +
				"6291456 bytes)"},
		{"asynchronous, too large", async1(host), bytes.Repeat([]byte("1"), 1048577),
			"invoking the function: 1048577 byte payload is too large for the Event invocation type (limit 1048576 " +
				"bytes)"},
		{"synchronous, not JSON", sync1(host), []byte("{"), "invoking the function: the event is not JSON"},
		{"asynchronous, not JSON", async1(host), nil, "invoking the function: the event is not JSON"},
	}
	for _, tt := range tests {
		equal(t, tt.name, fmt.Sprint(tt.invoke(tt.event)), tt.want)
	}
	if requests := host.Requests(); len(requests[1].Body) != 1024 {
		t.Errorf("excerpt of %d bytes, want 1024", len(requests[1].Body))
	}
}

func sync1(host *lambdahost.Host) func([]byte) error {
	return func(event []byte) error { _, err := host.Invoke(context.Background(), event); return err }
}

func async1(host *lambdahost.Host) func([]byte) error {
	return func(event []byte) error { _, err := host.InvokeAsync(event); return err }
}
