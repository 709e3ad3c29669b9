package notify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/outcome"
)

// TestSummarize checks what depends on the kind of an outcome. The messages of the
// channels have the rest.
func TestSummarize(t *testing.T) {
	t.Parallel()
	all := outcomes(t)
	type parts struct {
		Why    Row
		Undo   string
		Thread string
		Next   []string // labels of links
	}
	const event = "7bf73129-1428-4cd3-a780-2b9e0c5d80e3"
	breaker := Row{"Why it failed", "ECS deployment circuit breaker: task failed to start."}
	for name, want := range map[string]parts{
		"started":    {Thread: event, Next: []string{"Deployments"}},
		"succeeded":  {Thread: event, Next: []string{"Deployments"}, Undo: "deployer rollback -e prod backend"},
		"failed":     {Thread: event, Next: []string{"Deployments", "Logs"}, Why: breaker},
		"superseded": {Thread: event, Next: []string{"Deployments"}},
		"foreign": {Thread: "ecs-svc/1234567890123456789", Next: []string{"Deployments"},
			Undo: "deployer rollback -e prod backend"},
		"rejected": {Thread: "7bf73129-1428-4cd3-a780-2b9e0c5d8bd5",
			Why: Row{"Why it was rejected", all["rejected"].Problem}},
	} {
		s := Summarize(all[name])
		got := parts{Why: s.Why, Undo: s.Undo, Thread: s.Thread}
		for _, l := range s.Links {
			if l.Next {
				got.Next = append(got.Next, l.Label)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		actor, source string
		foreign       bool
		want          string
	}{
		{"alice", "action.production", false, "alice (action.production)"},
		{"alice", "", false, "alice"},
		{"", "aws.ecr", false, "aws.ecr"},
		{"", "", false, ""},
		{"", "", true, "another tool, not the deployer"},
	} {
		o := outcome.Outcome{Cause: event.Cause{Actor: tt.actor, Source: tt.source}, Foreign: tt.foreign}
		if got := by(o); got != tt.want {
			t.Errorf("%q, %q: %q, want %q", tt.actor, tt.source, got, tt.want)
		}
	}
}
