package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
)

// TestStoryIsTheReadmes plays the demo and compares what it prints with what
// the README shows.
func TestStoryIsTheReadmes(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```console\n$ make demo\n")
	want, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the README does not show make demo")
	}
	var out bytes.Buffer
	if err := run(t.Context(), "../..", false, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestUp brings the stack up as `make up` does, and sends it the event that it
// prints, with the aws command where that is installed.
func TestUp(t *testing.T) {
	t.Parallel()
	s, err := newStack(t.Context(), "../..", t.TempDir()+"/bootstrap", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out bytes.Buffer
	if err := s.announce(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	s.said.also = nil // out has no lock
	_, command, ok := strings.Cut(out.String(), "\n  aws events put-events ")
	command, _, _ = strings.Cut(command, "\n")
	if !ok || !strings.Contains(command, "--endpoint-url "+s.URL+" ") {
		t.Fatalf("it prints no command to send an event:\n%s", out.String())
	}
	if _, err := exec.LookPath("aws"); err == nil {
		aws := exec.Command("bash", "-c", "aws events put-events "+command)
		aws.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+accounts.Prod, "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1")
		if out, err := aws.CombinedOutput(); err != nil || !strings.Contains(string(out), `"FailedEntryCount": 0`) {
			t.Fatalf("aws: %v\n%s", err, out)
		}
	} else if err := s.putEvent(t.Context(), accounts.Prod, "action.production", "DEPLOY", `{"service":"backend","tag":"git-abc123f"}`); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	runs, err := s.Accounts["prod"].Runs(t.Context(), "myproject_cluster_prod", "myproject_service_prod")
	if err != nil || runs.TaskDefinition.Revision != 2 {
		t.Errorf("prod runs revision %v, %v; the functions said %v", runs.TaskDefinition.Revision, err, s.said.take())
	}
}
