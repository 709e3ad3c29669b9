package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// echo returns the address of a server that sends back what it receives, until the test ends.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// dial connects to a proxy, and checks that text comes back.
func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	send(t, c)
	return c
}

func send(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "text" {
		t.Fatalf("got %q, %v", got, err)
	}
}

// TestDie checks what becomes of connections, and that new ones work.
func TestDie(t *testing.T) {
	t.Parallel()
	p, err := Start(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()

	old := dial(t, p)
	p.Reset()
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset: %v, want %v", err, syscall.ECONNRESET)
	}

	old = dial(t, p)
	p.Drop()
	if _, err := old.Write([]byte("lost")); err != nil {
		t.Errorf("after a drop, writing: %v", err)
	}
	received := make(chan struct{})
	go func() { // ends with the test, when old is closed
		_, _ = old.Read(make([]byte, 1))
		close(received)
	}()
	send(t, dial(t, p))
	select {
	case <-received:
		t.Error("after a drop, something was received, or the connection ended")
	default:
	}
	if got := p.Accepted(); got != 3 {
		t.Errorf("%d connections were made, want 3", got)
	}
}
