package lambdahost_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"deployer/testbed/lambdahost"
)

// accept accepts the connection of a process.
func accept(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// waitForExit waits until the process that holds the connection exits.
func waitForExit(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the process is still running")
	}
}

func needLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("process groups and death signals are supported on Linux only")
	}
}

// TestChildrenEnd: a child of the bootstrap that ignores SIGTERM is killed with it.
func TestChildrenEnd(t *testing.T) {
	t.Parallel()
	needLinux(t)
	tests := []struct {
		name string
		end  func(*testing.T, *lambdahost.Host)
	}{
		{"at Close", func(t *testing.T, host *lambdahost.Host) { equal(t, "Close", host.Close(), nil) }},
		{"at a crash", func(t *testing.T, host *lambdahost.Host) { invoke(t, host, command{Do: "exit", Code: 1}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ln := listen(t)
			opts := options("with child")
			opts.Env["LISTENER"] = ln.Addr().String()
			host := start(t, opts)
			invoke(t, host, command{Do: "echo"})
			conn := accept(t, ln)

			tt.end(t, host)
			waitForExit(t, conn)
		})
	}
}

// TestKilledHostLeavesNoOrphan: the bootstraps of a host that is killed are killed too.
func TestKilledHostLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	needLinux(t)
	ln := listen(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), modeVar+"=killed host", "LISTENER="+ln.Addr().String())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn := accept(t, ln)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("got %q, %v", line, err)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	waitForExit(t, conn)
}

// killedHost runs a host whose bootstrap holds a connection to the listener.
func killedHost() {
	opts := options("child")
	opts.Env["LISTENER"] = os.Getenv("LISTENER")
	host, err := lambdahost.Start(context.Background(), opts)
	must(err)
	_, err = host.Invoke(context.Background(), []byte("1"))
	must(err)
}
