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

// block returns a document and the place in it where the output of `make demo` is.
func block(t *testing.T, file string) (document string, begin, end int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const opening = "```console\n$ make demo\n"
	document = string(text)
	before, rest, opened := strings.Cut(document, opening)
	output, _, closed := strings.Cut(rest, "```")
	if !opened || !closed {
		t.Fatalf("%s does not show make demo", file)
	}
	begin = len(before) + len(opening)
	return document, begin, begin + len(output)
}

// TestOutputIsDocumented runs the demo and compares what it prints with the tutorial, which shows all of it, and with
// the README, which shows parts of it between lines of "…". UPDATE_GOLDEN=1 rewrites the tutorial.
func TestOutputIsDocumented(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), "../..", false, &out); err != nil {
		t.Fatal(err)
	}
	const tutorial = "../../docs/getting-started.md"
	document, begin, end := block(t, tutorial)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(tutorial, []byte(document[:begin]+out.String()+document[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(document[begin:end], out.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", tutorial, diff)
	}
	document, begin, end = block(t, "../../README.md")
	rest := out.String()
	for part := range strings.SplitSeq(document[begin:end], "…\n") {
		_, after, found := strings.Cut("\n"+rest, "\n"+part)
		if !found {
			t.Errorf("the README shows what the demo does not print, or not in this order:\n%s", part)
			continue
		}
		rest = after
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
