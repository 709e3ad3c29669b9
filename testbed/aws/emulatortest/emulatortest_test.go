package emulatortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// A recorder is a test whose errors are recorded.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestUnknownOperationsFailTheTest(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string][]string{
		"ListClusters": nil,
		"StopTask":     {"the emulator does not have the operation ecs:StopTask, which was called"},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			_, url := emulatortest.Start(r, emulator.Options{})
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
			request.Header.Set("Authorization",
				"AWS4-HMAC-SHA256 Credential=111111111111/20260122/us-east-1/ecs/aws4_request, SignedHeaders=host, "+
					"Signature=00")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			for _, f := range r.cleanups {
				f()
			}
			if diff := cmp.Diff(want, r.errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if _, err := http.Get(url); err == nil {
				t.Error("the server is still there")
			}
		})
	}
}

// TestInProcessDrops: a dropped connection is an error of the client.
func TestInProcessDrops(t *testing.T) {
	t.Parallel()
	e := emulator.New(emulator.Options{})
	e.Inject(emulator.Fault{Operation: "*", Drop: emulator.DropBefore})
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.invalid",
		strings.NewReader(`{}`))
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	request.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=111111111111/20260122/us-east-1/ecs/aws4_request, SignedHeaders=host, "+
			"Signature=00")
	if _, err := (emulatortest.InProcess{AWS: e}).Do(request); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.ClearFaults()
	e.Inject(emulator.Fault{Operation: "*", Latency: time.Minute})
	if _, err := (emulatortest.InProcess{AWS: e}).Do(request.WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
