package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
)

// TestProgress: on a terminal a bar is drawn again and again on one line, elsewhere
// each change is a line.
func TestProgress(t *testing.T) {
	t.Parallel()
	rollouts := []ecsdeploy.Rollout{
		{Phase: ecsdeploy.Rolling, Desired: 4, Pending: 4},
		{Phase: ecsdeploy.Rolling, Desired: 4, Running: 3, Pending: 1, Failed: 2},
		{Phase: ecsdeploy.Succeeded, Desired: 4, Running: 5}, // one more for a moment
		{Phase: ecsdeploy.Succeeded},                         // a service of no tasks
	}
	for terminal, want := range map[bool]string{
		true: "\r\x1b[K[--------------------] backend: rolling out: 0 of 4 tasks run, 4 pending, 0 failed" +
			"\r\x1b[K[###############-----] backend: rolling out: 3 of 4 tasks run, 1 pending, 2 failed" +
			"\r\x1b[K[####################] backend: succeeded: 5 of 4 tasks run, 0 pending, 0 failed" +
			"\r\x1b[K[--------------------] backend: succeeded: 0 of 0 tasks run, 0 pending, 0 failed\n",
		false: "deployer: backend: rolling out: 0 of 4 tasks run, 4 pending, 0 failed\n" +
			"deployer: backend: rolling out: 3 of 4 tasks run, 1 pending, 2 failed\n" +
			"deployer: backend: succeeded: 5 of 4 tasks run, 0 pending, 0 failed\n" +
			"deployer: backend: succeeded: 0 of 0 tasks run, 0 pending, 0 failed\n",
	} {
		var out strings.Builder
		p := newProgress(&out)
		p.terminal = terminal
		for _, r := range rollouts {
			p.show("backend", r)
		}
		p.end()
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("terminal %v:\n%s", terminal, diff)
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
