package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEveryLogLineHasARequest checks that every log line of an invocation is a JSON
// object with the request's id, and that each decision is logged once, at its level.
func TestEveryLogLineHasARequest(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "dev", nil)
	digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "latest")
	must(t, err)
	report, err := f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "v2", "latest")
	must(t, err)
	// AWS documents ids like ecs-svc/1 only.
	odd := `{"id":"r1","source":"aws.ecs","detail-type":"ECS Deployment State Change","account":"111111111111",` +
		`"region":"us-east-1","resources":["arn:aws:ecs:us-east-1:111111111111:service/myproject_cluster_dev/` +
		`myproject_service_dev"],"time":"2026-01-22T10:15:30Z","detail":{"eventName":"SERVICE_DEPLOYMENT_COMPLETED",` +
		`"deploymentId":"EZe5pZ0kTx2qexample"}}`
	fault := denied("ecs:UpdateService")
	fault.Skip = 1
	f.aws.Inject(fault)
	tests := []struct{ event, message, level string }{
		{pushEvent("myproject_backend", "latest", digest), "deployment deployed", "INFO"},
		{pushEvent("myproject_backend", "git-abc123f", digest), "event ignored", "INFO"},
		{pushEvent("myproject_task_nightly-report", "latest", report), "deployment deployed", "INFO"},
		{odd, "event ignored", "WARN"},
		{deployEvent("action.dev", `{"service":"backend","tag":"git-"}`), "event rejected", "ERROR"},
		{deployEvent("action.dev", `{"service":"backend","tag":"git-0000000"}`), "deployment rejected", "ERROR"},
		{deployEvent("action.dev", `{"service":"worker","tag":"v1","dry_run":true}`), "deployment planned", "INFO"},
		{deployEvent("action.dev", `{"service":"worker","tag":"v1"}`), "deployment failed", "ERROR"},
		{schedule, "reconciled", "INFO"},
	}
	f.invoke(t, `{}`)          // the lines of the cold start belong to no request
	for _, tt := range tests { // not in parallel, because they share a function
		before := f.logs.String()
		response, err := f.host.Invoke(t.Context(), []byte(tt.event))
		must(t, err)
		logged := 0
		for line := range strings.Lines(strings.TrimPrefix(f.logs.String(), before)) {
			var entry struct {
				Level, Message, RequestID string
				Metrics                   any `json:"_aws"`
			}
			err := json.Unmarshal([]byte(line), &entry)
			if err != nil || entry.RequestID != response.RequestID && entry.Metrics == nil {
				t.Errorf("a line of request %s: %s", response.RequestID, line)
			}
			if entry.Message == tt.message && entry.Level == tt.level {
				logged++
			}
		}
		if logged != 1 {
			t.Errorf("%q was logged %d times at %s:\n%s", tt.message, logged, tt.level, f.logs)
		}
	}
}
