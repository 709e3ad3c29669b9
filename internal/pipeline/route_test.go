package pipeline

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/fault"
)

// TestRoute checks that every verdict has a route, and that one without is an error: it is
// not taken for a request.
func TestRoute(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	for _, v := range append([]event.Verdict{"new"}, event.Verdicts...) {
		reading := event.Reading{ID: "e1", Verdict: v, Reason: "why"}
		got, err := f.function().route(t.Context(), f.env, delivery{}, reading, true)
		switch {
		case v == "new":
			var m *fault.Misconfiguration
			if !errors.As(err, &m) || !strings.Contains(err.Error(), `no route for the verdict "new"`) {
				t.Errorf("%s: %+v, %v", v, got, err)
			}
		case err != nil || v != event.Accepted && !strings.HasPrefix(got.Reason, "why"):
			t.Errorf("%s: %+v, %v", v, got, err)
		}
	}
}

// TestClaimedKeys checks what the log says of an event that is ignored or rejected.
func TestClaimedKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 600)
	for _, tt := range []struct {
		name   string
		claims event.Claims
		want   []any
	}{
		{"nothing", event.Claims{}, nil},
		{"a push", event.Claims{Cause: event.Cause{Source: "aws.ecr"}, Service: "backend", Tag: "v9",
			Repository: "myproject_backend"}, []any{"source", "aws.ecr", "service", "backend", "tag", "v9",
			"repository", "myproject_backend"}},
		{"another's repository", event.Claims{Tag: "v9", Repository: "other"}, []any{"tag", "v9", "repository",
			"other"}},
		{"a long text", event.Claims{Service: long}, []any{"service", long[:2*500] + "…"}},
	} {
		want := append([]any{"event_id", "e1"}, tt.want...)
		if diff := cmp.Diff(want, claimedKeys(event.Reading{ID: "e1", Claims: tt.claims})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
