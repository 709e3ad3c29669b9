package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/lambdahost"
)

// TestSlackIsDown checks that a channel that never responds neither fails nor delays
// the deployment, its outcomes, its journal and the other channel.
func TestSlackIsDown(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.mu.Lock()
	s.slackDown = true
	s.mu.Unlock()
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 2*rolloutStep)
	if got := len(s.outcomes(t)); got != 2 {
		t.Errorf("%d outcomes, want 2", got)
	}
	if !strings.Contains(s.journals(t), "deployer:outcome = succeeded") {
		t.Errorf("journals:\n%s", s.journals(t))
	}
	if got := len(s.aws.Published(s.topic)) - s.setupMessages; got != 2 {
		t.Errorf("%d messages to the topic, want 2", got)
	}
	lines := s.logs.lines(t, "notification not sent")
	if len(lines) != 2 || lines[0]["channel"] != "slack" || strings.Contains(s.logs.String(), planted) {
		t.Errorf("log: %v", lines)
	}
	var order []string // of the function's writes
	for _, c := range s.aws.Calls() {
		if c.Operation == "UpdateService" || c.Operation == "PutEvents" && c.Role != "" {
			order = append(order, c.Operation)
		}
	}
	if diff := cmp.Diff([]string{"UpdateService", "PutEvents", "PutEvents"}, order); diff != "" {
		t.Error(diff)
	}
}

// TestWebhookInFile checks that a webhook in the environment file is called, and that
// the log warns of the secret without showing it.
func TestWebhookInFile(t *testing.T) {
	t.Parallel()
	received := make(chan string, 1)
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- r.URL.Path + " " + string(body)
	}))
	t.Cleanup(slack.Close)
	text, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "prod.yaml")
	webhook := "\nworkload:\n  slack_webhook: " + slack.URL + "/services/" + planted + "\n"
	must(t, os.WriteFile(file, append(text, webhook...), 0o600))
	f := newFunction(t, "prod", func(o *lambdahost.Options) { o.Env["DEPLOYER_ENVIRONMENT_FILE"] = file })
	f.invoke(t, deployEvent("action.production", `{"service":"backend","tag":"git-"}`))
	want := "/services/" + planted + ` {"text":"🚫 prod: deployment of git- to backend was rejected: `
	if got := <-received; !strings.HasPrefix(got, want) {
		t.Errorf("Slack received %s", got)
	}
	warnings := f.logs.lines(t, "reading the environment file")
	if len(warnings) != 1 || strings.Contains(f.logs.String(), planted) ||
		!strings.Contains(fmt.Sprint(warnings[0]["warning"]), "`workload.slack_webhook` is a secret in a file") {
		t.Errorf("log:\n%s", f.logs)
	}
}
