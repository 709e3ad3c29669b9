package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/cloud"
)

// A screen is what a terminal shows. It is safe for concurrent use.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// testUpOptions returns the options for an environment with fast rollouts, and builds the command line for it. Its
// directory has a name that shells split.
func testUpOptions(t *testing.T) upOptions {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := upOptions{root: root, dir: filepath.Join(dir, "it's up"), bin: dir, rolloutStep: 50 * time.Millisecond}
	if err := cloud.BuildCommandLine(t.Context(), root, filepath.Join(dir, "deployer")); err != nil {
		t.Fatal(err)
	}
	return o
}

// paste runs a command in a terminal that is set up by the instructions, and returns its exit code and output.
func (i instructions) paste(t *testing.T, line string) (int, string) {
	t.Helper()
	script := strings.Join(append(i.setUp(), line), "\n")
	bash := exec.CommandContext(t.Context(), "bash", "-c", script)
	out, err := bash.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return bash.ProcessState.ExitCode(), string(out)
}

// runsV1 is the backend's row of status.
var runsV1 = regexp.MustCompile(`(?m)^backend +v1 `)

// TestUp starts the environment as `make up` does, runs the doctor in it, uses its keys, and ends it.
func TestUp(t *testing.T) {
	t.Parallel()
	o := testUpOptions(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	in, keyboard := io.Pipe()
	var out screen
	ended := make(chan error, 1)
	go func() { ended <- runUp(ctx, o, in, &out) }()
	const last = "\nEnter prints this again, Ctrl-C stops. Decisions follow.\n\n"
	wait := func(n int) {
		for strings.Count(out.String(), last) < n {
			select {
			case err := <-ended:
				t.Fatalf("ended: %v\n%s", err, out.String())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	wait(1)
	_, url, _ := strings.Cut(out.String(), "\nEmulated AWS is at ")
	url, _, _ = strings.Cut(url, ": one project in three accounts")
	i := instructions{url: url, dir: o.dir, bin: o.bin}
	if !strings.HasSuffix(out.String(), i.text()) {
		t.Errorf("something follows the instructions:\n%s", out.String())
	}
	for _, env := range cloud.Environments {
		code, report := i.paste(t, "deployer doctor -e "+env.Name)
		if code != 0 || !strings.Contains(report, ", warnings: 0, problems: 0, ") {
			t.Errorf("the doctor of %s: exit code %d\n%s", env.Name, code, report)
		}
		line := i.keys(env.Account) + "; unset AWS_CONFIG_FILE; deployer status -e " + env.Name
		if code, text := i.paste(t, line); code != 0 || !runsV1.MatchString(text) {
			t.Errorf("%s: exit code %d\n%s", line, code, text)
		}
	}
	port, err := strconv.Atoi(url[strings.LastIndexByte(url, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	taken := o
	taken.port = port
	err = runUp(ctx, taken, in, io.Discard)
	want := fmt.Sprintf("listening on port %d of 127.0.0.1: another program uses it: end it, or choose another port: "+
		"make up port=%d", port, port+1)
	if err == nil || err.Error() != want {
		t.Errorf("with a port that is taken: %v, want %s", err, want)
	}
	if _, err := io.WriteString(keyboard, "\n"); err != nil {
		t.Fatal(err)
	}
	wait(2)
	interrupt()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	want = last + "\nStopped. The functions' logs are in " + filepath.Join(o.dir, logFile) + ".\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("the last lines are not %q:\n%s", want, out.String())
	}
	log, err := os.ReadFile(filepath.Join(o.dir, logFile))
	if err != nil || !bytes.Contains(log, []byte("prod  {")) {
		t.Errorf("the log: %v\n%s", err, log)
	}
}

// TestDecision checks which lines of a function's log are shown, and how.
func TestDecision(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	for _, tt := range []struct{ name, line, want string }{
		{"a decision", `{"message":"deployment deployed","event_id":"e1","service":"backend","tag":"v2",` +
			`"reason":"moved"}`,
			"10:15:30  prod     deployed    backend v2: moved"},
		{"about no service", `{"message":"event ignored","event_id":"e1","reason":"no tag deploys"}`,
			"10:15:30  prod     ignored     no tag deploys"},
		{"an outcome", `{"message":"outcome published","event_id":"","outcome":"Deployment Failed","summary":"a\nb"}`,
			"10:15:30  prod     failed      a b"},
		{"a long reason", `{"message":"event rejected","event_id":"e1","reason":"` +
			strings.Repeat("word ", 100) + `"}`,
			"10:15:30  prod     rejected    " + strings.Repeat("word ", 59) + "…"},
		{"another line", `{"message":"starting"}`, ""},
		{"no JSON", "START RequestId: 1", ""},
	} {
		if diff := cmp.Diff(tt.want, decision("prod", []byte(tt.line), at)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestTrialsSayExitCodes checks that the instructions say of each command that does not end with 0 why, by its name.
func TestTrialsSayExitCodes(t *testing.T) {
	t.Parallel()
	text := instructions{}.text()
	for _, trial := range trials {
		for _, c := range trial.commands {
			words := strings.Fields(c.line)
			says := fmt.Sprintf("%s ends with %d", words[1], c.exit)
			if words[0] == "deployer" && (c.exit != 0) != strings.Contains(trial.note, says) {
				t.Errorf("%s ends with %d, and the note is %q", c.line, c.exit, trial.note)
			}
		}
		if trial.note != "" && !strings.Contains(text, "  "+trial.note+"\n") {
			t.Errorf("the instructions lack the note %q", trial.note)
		}
	}
}
