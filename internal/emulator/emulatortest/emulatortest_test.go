package emulatortest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/emulator"
	"deployer/internal/emulator/emulatortest"
)

// A recorder is a test that keeps its errors to itself.
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
		"RunTask":      {"the emulator does not have the operation ecs:RunTask, which was called"},
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
			request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=111111111111/20260122/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=00")
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
