package cli

import (
	"os"
	"strings"
	"testing"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// TestProgress checks how the progress of a rollout is shown, on a terminal and off it.
func TestProgress(t *testing.T) {
	t.Parallel()
	const rolling = "backend: rolling out: 1 of 2 tasks running, 1 pending, 0 failed"
	const done = "2 of 2 tasks running, 0 pending, 0 failed"
	const paused = "paused at PRE_SCALE_UP, until deployer continue -f prod.yaml backend: "
	const continues = "\ndeployer: backend: to continue: deployer continue -f prod.yaml backend\n"
	const staged = "backend: rolling out at BAKE_TIME: " + done
	const half, full = "\r\x1b[K[##########----------] ", "\r\x1b[K[####################] "
	for _, tt := range []struct {
		name             string
		terminal, colors bool
		want             string
	}{
		{"elsewhere", false, false, "deployer: " + rolling + "\ndeployer: backend: " + paused + done +
			"\ndeployer: " + staged + "\ndeployer: backend: succeeded: " + done + "\n"},
		{"on a terminal", true, true, half + rolling + continues + full + "backend: \x1b[33mpaused\x1b[0m" +
			" at PRE_SCALE_UP: " + done + full + staged + full + "backend: \x1b[32msucceeded\x1b[0m: " + done + "\n"},
		{"without colors", true, false, half + rolling + continues + full + "backend: paused at PRE_SCALE_UP: " + done +
			full + staged + full + "backend: succeeded: " + done + "\n"},
	} {
		var out strings.Builder
		target := ecsservice.Target{File: "prod.yaml", Workload: "backend"}
		p := progress{canvas: canvas{Writer: &out, terminal: tt.terminal, colors: tt.colors}, target: target}
		p.show(rollout.Progress{Phase: journal.RollingOut, Desired: 2, Running: 1, Pending: 1})
		p.show(rollout.Progress{Phase: journal.RollingOut, Desired: 2, Running: 2, Stage: "PRE_SCALE_UP", Paused: true})
		p.show(rollout.Progress{Phase: journal.RollingOut, Desired: 2, Running: 2, Stage: "BAKE_TIME"})
		p.show(rollout.Progress{Phase: journal.Succeeded, Desired: 2, Running: 2})
		if p.end(); out.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, out.String(), tt.want)
		}
	}
}

// TestOnOneLine checks that what is drawn again and again is on one line of the terminal.
func TestOnOneLine(t *testing.T) {
	t.Parallel()
	const bar, text = "[##--] ", "web: \x1b[33mpaused\x1b[0m at BAKE_TIME"
	for _, tt := range []struct {
		name    string
		columns int
		want    string
	}{
		{"not known", 0, bar + text},
		{"wide", 32, bar + text},
		{"too narrow for the bar", 31, text},
		{"too narrow for the text", 20, "web: paused at BAK…"},
	} {
		if got := (canvas{columns: tt.columns}).onOneLine(bar, text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestIsTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/out")
	must(t, err)
	defer file.Close()
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	if isTerminal(file) || isTerminal(null) || isTerminal(&strings.Builder{}) {
		t.Error("a file, the null device or a buffer is taken for a terminal")
	}
}
