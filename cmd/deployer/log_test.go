package main

import (
	"encoding/json"
	"strings"
	"testing"

	"deployer/testbed/aws/emulator"
)

// TestEveryLogLineHasARequest holds that each line that the function logs while
// it works is a JSON object that says of which invocation it is, how bad it is
// and what was decided: one for each decision.
func TestEveryLogLineHasARequest(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "dev", nil)
	digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "latest")
	must(t, err)
	f.aws.Inject(emulator.Fault{Operation: "ecs:UpdateService", Skip: 1, Error: emulator.AccessDenied("User: u is not authorized to perform: ecs:UpdateService")})
	tests := []struct{ event, message, level string }{
		{pushEvent("myproject_backend", "latest", digest), "deployment deployed", "INFO"},
		{pushEvent("myproject_backend", "git-abc123f", digest), "event ignored", "INFO"},
		{pushEvent("myproject_task_nightly-report", "latest", digest), "deployment ignored", "INFO"},
		{deployEvent("action.dev", `{"service":"backend","tag":"git-"}`), "event rejected", "ERROR"},
		{deployEvent("action.dev", `{"service":"backend","tag":"git-0000000"}`), "deployment rejected", "ERROR"},
		{deployEvent("action.dev", `{"service":"worker","tag":"v1","dry_run":true}`), "deployment planned", "INFO"},
		{deployEvent("action.dev", `{"service":"worker","tag":"v1"}`), "deployment failed", "ERROR"},
		{schedule, "reconciled", "INFO"},
	}
	for _, tt := range tests { // one after the other: they share a function
		before := f.logs.String()
		response, err := f.host.Invoke(t.Context(), []byte(tt.event))
		must(t, err)
		said := 0
		for line := range strings.Lines(strings.TrimPrefix(f.logs.String(), before)) {
			var entry struct {
				Level, Message, RequestID string
				Metrics                   any `json:"_aws"`
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.RequestID != response.RequestID && entry.Metrics == nil {
				t.Errorf("of request %s: %s", response.RequestID, line)
			}
			if entry.Message == tt.message && entry.Level == tt.level {
				said++
			}
		}
		if said != 1 {
			t.Errorf("%q was said %d times at %s:\n%s", tt.message, said, tt.level, f.logs)
		}
	}
}
