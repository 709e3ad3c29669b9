//go:build slow

package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMakeUp presses Ctrl-C in a terminal in which `make up` runs: make exits with 0.
func TestMakeUp(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("the command script, which makes a terminal, is not installed")
	}
	terminal := exec.CommandContext(t.Context(), "script", "-qefc", "make up port=0 dist="+t.TempDir(), "/dev/null")
	terminal.Dir = "../.."
	var out screen
	terminal.Stdout, terminal.Stderr = &out, &out
	keyboard, err := terminal.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := terminal.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- terminal.Wait() }()
	for pressed := false; ; {
		if !pressed && strings.Contains(out.String(), "Ctrl-C stops.") {
			pressed = true
			if _, err := io.WriteString(keyboard, "\x03"); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err := <-ended:
			if err != nil || !strings.Contains(out.String(), "Stopped. The functions' logs are in ") {
				t.Errorf("%v\n%s", err, out.String())
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
