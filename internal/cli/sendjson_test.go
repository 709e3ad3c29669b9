package cli

import (
	"encoding/json"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/logs"
	"deployer/testbed/accounts"
)

// TestSendFollowJSON follows events with --json: standard output is one document, and its status
// is the end of the rollouts.
func TestSendFollowJSON(t *testing.T) {
	t.Parallel()
	s, clock := newCloud(t)
	_, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2", "v2-again")
	must(t, err)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "broken", "broken")
	must(t, err)
	s.AWS.FailImage(digest)
	for _, tt := range []struct {
		tag, status, reason string // reason is a pattern
		revision            string
		exit                int
	}{
		{"v2", "succeeded", "^the service runs the image$", revision2, exitDone},
		{"v2-again", "unchanged", "^the service runs the image$", "", exitDone},
		{"broken", "failed", `^the rollout of \S+ failed: ECS deployment circuit breaker: `, "", exitFailed},
	} {
		clock.Advance(time.Second) // events of the same second have no order
		stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", tt.tag, "--follow",
			"--json")
		checkDocument(t, tt.tag, stdout, exit)
		var got sentEvent
		must(t, json.Unmarshal([]byte(stdout), &got))
		if exit != tt.exit || got.Status != tt.status || !regexp.MustCompile(tt.reason).MatchString(got.Reason) ||
			len(got.EventID) != 36 || len(got.Rollouts) != 1 || got.Rollouts[0].Status != tt.status ||
			got.Rollouts[0].Service != "backend" || tt.revision != "" && got.Rollouts[0].TaskDefinition != tt.revision {
			t.Errorf("%s: exit %d\n%s%s", tt.tag, exit, stdout, stderr)
		}
	}
	onlyLogs(t, s)
	clock.Advance(time.Second)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "v2", "--follow", "--json")
	var got sentEvent
	must(t, json.Unmarshal([]byte(stdout), &got))
	if exit != exitAWS || got.Status != unfinished || got.Rollouts[0].Error == nil {
		t.Errorf("the function failed: exit %d\n%s%s", exit, stdout, stderr)
	}
}

// TestRolloutEnd checks the statuses of events that deployed nothing.
func TestRolloutEnd(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"event rejected": "rejected", "deployment rejected": "rejected", "event ignored": "ignored",
		"deployment superseded": "superseded", "deployment failed": unfinished,
	} {
		one := followed{target: ecsservice.Target{Workload: "backend"}}
		err := &decided{logs.Entry{EventID: "e1", Message: message}, errors.New("why")}
		got, result := rolloutEndOf(one, err), ""
		if want == unfinished {
			result = unknown // Lambda tries again
		}
		if got := resultOf(err); got != result {
			t.Errorf("%s: the outcome is %q, want %q", message, got, result)
		}
		if diff := cmp.Diff([]string{want, "why"}, []string{got.Status, got.Error.Message}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", message, diff)
		}
	}
}
