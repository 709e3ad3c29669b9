package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/logs"
)

// TestRolloutEnds checks which phase of a rollout the listing of events shows, by the outcomes in the log.
func TestRolloutEnds(t *testing.T) {
	t.Parallel()
	line := func(message, id, service, outcome string) logs.Entry {
		return logs.Entry{Message: message, EventID: id, Service: service, Outcome: outcome}
	}
	report := func(id, outcome string) logs.Entry { return line("outcome published", id, "web", outcome) }
	ends := endsOf([]logs.Entry{ // the newest first
		report("started late", "Deployment Started"), report("started late", "Deployment Succeeded"),
		report("failed after all", "Deployment Failed"), report("failed after all", "Deployment Succeeded"),
		report("begun", "Deployment Started"), report("paused", "Deployment Paused"),
		report("paused", "Deployment Started"), report("stuck", "Deployment Impaired"),
		report("replaced", "Deployment Superseded"), report("run", "First Run Failed"),
		line("outcome published", "begun", "api", "Deployment Succeeded"),
	})
	want := map[string]string{"started late": "succeeded", "failed after all": "failed", "begun": "rolling out",
		"paused": "paused", "stuck": "impaired", "replaced": "superseded", "run": "not known", "none": "not known"}
	got := map[string]string{}
	for id := range want {
		got[id] = ends.of(line("deployment deployed", id, "web", ""))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, decision := range []string{"unchanged", "superseded", "ignored", "rejected", "failed"} {
		if got := ends.of(line("deployment "+decision, "begun", "web", "")); got != "" {
			t.Errorf("%s: %q", decision, got)
		}
	}
}

// TestNoRollouts checks that a listing of events has no column of rollouts if none was deployed.
func TestNoRollouts(t *testing.T) {
	t.Parallel()
	entries := []logs.Entry{{Message: "event ignored", EventID: "e1", Service: "web", Tag: "v1", Reason: "no"}}
	text := drawEvents(canvas{}, entries, []queuedMessage{{Queue: "failed"}}, nil)
	if head, _, _ := strings.Cut(text, "\n"); strings.Join(strings.Fields(head), " ") !=
		"WHEN EVENT SERVICE TAG STATUS REASON" {
		t.Errorf("%s", text)
	}
}
