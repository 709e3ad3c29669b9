package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
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

// terminal is a pseudo-terminal whose screen can be read.
type terminal struct {
	tty    *os.File // the side that programs read and write
	keys   *os.File // the side that a person types into
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
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(unsafe.Pointer(value)))
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	screen := &terminal{tty: tty, keys: control, closed: make(chan struct{})}
	go func() {
		defer close(screen.closed)
		defer control.Close()
		_, _ = io.Copy(screen, control) // ends with an error once all writers have closed it
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

// TestTerminal checks what commands draw on a terminal, and when in color.
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
		c := exec.CommandContext(t.Context(), os.Args[0], slices.Insert(args, 1, "-f", "prod.yaml")...)
		c.Dir = "../../examples/centralized-dev-ecr"
		c.Env = append(deployerEnv(url, accounts.Prod), "NO_COLOR=", "TERM=xterm")
		return c
	}
	const clear, bar = "\x1b[H\x1b[2J", "[--------------------]"
	tests := []struct {
		name      string
		env, args []string
		onErr     bool   // standard error is the terminal
		until     string // the command is interrupted when the screen has this
		want, not []string
	}{
		{name: "colors", args: []string{"status", "web-api"},
			want: []string{"\x1b[33m" + bar + " rolling out 0/2\x1b[0m  unknown: "}},
		{name: "no colors", env: []string{"NO_COLOR=1"}, args: []string{"status", "web-api"},
			want: []string{"  " + bar + " rolling out 0/2  unknown: "}, not: []string{"\x1b"}},
		{name: "set but empty is not set", env: []string{"NO_COLOR="}, args: []string{"status", "web-api"},
			want: []string{"\x1b[33m"}},
		{name: "dumb", env: []string{"TERM=dumb"}, args: []string{"status", "web-api"},
			want: []string{"  rolling out 0/2  unknown: "}, not: []string{"\x1b", "[-"}},
		{name: "JSON has none", args: []string{"status", "--json", "web-api"},
			want: []string{`"condition": "rolling out"`}, not: []string{"\x1b"}},
		{name: "the wrong service", args: []string{"status", "nothing"}, not: []string{"\x1b"}},
		{name: "watching", args: []string{"status", "--watch", "web-api"}, until: "every 2s until interrupted\n",
			want: []string{clear + "SERVICE  TAG"}},
		{name: "following", args: []string{"deploy", "backend", "v2", "--follow"}, onErr: true, until: "0 failed",
			want: []string{"\r\x1b[K" + bar + " backend: rolling out: 0 of 2 tasks running, 2 pending, 0 failed"}},
		{name: "history", args: []string{"history", "backend"},
			want: []string{"\x1b[32m2 *\x1b[0m "}, not: []string{"[-"}},
		{name: "doctor", args: []string{"doctor", "web-api"},
			want: []string{"\n\x1b[33mwarning\x1b[0m  ", "\n\x1b[32mok\x1b[0m       file: prod.yaml is valid"}},
		{name: "doctor without colors", env: []string{"NO_COLOR=1"}, args: []string{"doctor", "web-api"},
			want: []string{"\nok       file: prod.yaml is valid"}, not: []string{"\x1b"}},
		{name: "doctor on a dumb terminal", env: []string{"TERM=dumb"}, args: []string{"doctor", "web-api"},
			want: []string{"\nok       file: prod.yaml is valid"}, not: []string{"\x1b"}},
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
		if tt.until != "" {
			end := time.Now().Add(time.Minute)
			for !strings.Contains(screen.text(), tt.until) && time.Now().Before(end) {
				time.Sleep(time.Millisecond)
			}
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
