package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// terminal is a pseudo-terminal that somebody looks at.
type terminal struct {
	tty    *os.File // the side that programs write to
	mu     sync.Mutex
	screen bytes.Buffer
	closed chan struct{}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	var locked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &locked, syscall.TIOCGPTN: &number} {
		if _, _, wrong := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(unsafe.Pointer(value))); wrong != 0 {
			t.Fatal(wrong)
		}
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	screen := &terminal{tty: tty, closed: make(chan struct{})}
	go func() {
		defer close(screen.closed)
		defer control.Close()
		_, _ = io.Copy(screen, control) // ends with an error when nobody writes any more
	}()
	return screen
}

// Write puts something on the screen.
func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Write(p)
}

// text is what is on the screen.
func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.screen.String(), "\r\n", "\n")
}

// TestTerminal holds what is drawn for a person, and what it takes for colors.
func TestTerminal(t *testing.T) {
	t.Parallel()
	_, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Hour})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	_, err = byName["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
	must(t, err)
	_, err = byName["dev"].Push(t.Context(), "myproject_service_worker", "bad", "bad")
	must(t, err)
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), os.Args[0], append(args[:1:1], append([]string{"-f", "prod.yaml"}, args[1:]...)...)...)
		c.Dir = "../../examples/centralized-dev-ecr"
		c.Env = append(os.Environ(), asDeployer+"=1", "AWS_ENDPOINT_URL="+url, "AWS_ACCESS_KEY_ID="+accounts.Prod, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true", "NO_COLOR=", "TERM=xterm")
		return c
	}
	const clear = "\x1b[H\x1b[2J"
	tests := []struct {
		name      string
		env, args []string
		onErr     bool   // standard error is the terminal
		until     string // interrupted when that is on the screen
		want, not []string
	}{
		{"colors", nil, []string{"status", "web-api"}, false, "", []string{"\x1b[33m[--------------------] rolling out 0/2\x1b[0m  unknown: "}, nil},
		{"no colors", []string{"NO_COLOR=1"}, []string{"status", "web-api"}, false, "", []string{"  [--------------------] rolling out 0/2  unknown: "}, []string{"\x1b"}},
		{"set but empty is not set", []string{"NO_COLOR="}, []string{"status", "web-api"}, false, "", []string{"\x1b[33m"}, nil},
		{"dumb", []string{"TERM=dumb"}, []string{"status", "web-api"}, false, "", []string{"  rolling out 0/2  unknown: "}, []string{"\x1b", "[-"}},
		{"JSON has none", nil, []string{"status", "--json", "web-api"}, false, "", []string{`"condition": "rolling out"`}, []string{"\x1b"}},
		{"the wrong service", nil, []string{"status", "nothing"}, false, "", nil, []string{"\x1b"}},
		{"watching", nil, []string{"status", "--watch", "web-api"}, false, "every 2s until interrupted\n", []string{clear + "SERVICE  TAG"}, nil},
		{"following", nil, []string{"deploy", "backend", "v2", "--follow"}, true, "0 failed", []string{"\r\x1b[K[--------------------] backend: rolling out: 0 of 2 tasks running, 2 pending, 0 failed"}, nil},
		{"history", nil, []string{"history", "backend"}, false, "", []string{"\x1b[32m2 *\x1b[0m "}, []string{"[-"}},
	}
	for _, tt := range tests { // in this order
		screen := newTerminal(t)
		c := command(tt.args...)
		c.Env = append(c.Env, tt.env...)
		c.Stdout = screen.tty
		if tt.onErr {
			c.Stdout, c.Stderr = nil, screen.tty
		}
		must(t, c.Start())
		for end := time.Now().Add(time.Minute); tt.until != "" && !strings.Contains(screen.text(), tt.until) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if tt.until != "" {
			must(t, c.Process.Signal(os.Interrupt))
		}
		_ = c.Wait()
		screen.tty.Close()
		<-screen.closed
		got := screen.text()
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in %q", tt.name, want, got)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q is in %q", tt.name, not, got)
			}
		}
	}
}
