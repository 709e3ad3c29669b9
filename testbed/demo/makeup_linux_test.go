//go:build slow

package main

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
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

// TestMakeUpSignals sends signals to make and to its process group, as other programs and other terminals do: the
// environment stops with make.
func TestMakeUpSignals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		signal   syscall.Signal
		group    bool
		terminal bool
	}{
		{"SIGINT to the group", syscall.SIGINT, true, false},
		{"SIGINT to the group, on a terminal", syscall.SIGINT, true, true},
		{"SIGTERM to the group", syscall.SIGTERM, true, false},
		{"SIGTERM to make", syscall.SIGTERM, false, false},
		{"SIGINT to make", syscall.SIGINT, false, false},
		{"SIGINT to make, on a terminal", syscall.SIGINT, false, true},
		{"SIGHUP to make", syscall.SIGHUP, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const mark = "id of make: "
			up := "echo '" + mark + "'$$; exec make up port=0 dist=" + t.TempDir()
			// What started the tests may ignore signals, as nohup does: so would all that they start.
			run := exec.CommandContext(t.Context(), "env", "--default-signal", "setsid", "bash", "-c", up)
			if tt.terminal {
				if _, err := exec.LookPath("script"); err != nil {
					t.Skip("the command script, which makes a terminal, is not installed")
				}
				run = exec.CommandContext(t.Context(), "env", "--default-signal", "script", "-qefc", up, "/dev/null")
			}
			run.Dir = "../.."
			var out screen
			run.Stdout, run.Stderr = &out, &out
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- run.Wait() }()
			for sent := false; ; {
				if !sent && strings.Contains(out.String(), "Ctrl-C stops.") {
					sent = true
					_, rest, _ := strings.Cut(out.String(), mark)
					var id int
					if _, err := fmt.Sscan(rest, &id); err != nil {
						t.Fatal(err)
					}
					if tt.group {
						id = -id
					}
					if err := syscall.Kill(id, tt.signal); err != nil {
						t.Fatal(err)
					}
				}
				select {
				case <-ended: // its output ends with the last process that has it
					if !strings.Contains(out.String(), "Stopped. The functions' logs are in ") {
						t.Error(out.String())
					}
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
}
