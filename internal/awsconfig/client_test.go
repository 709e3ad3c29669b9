package awsconfig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"deployer/testbed/proxy"
)

// start returns the URL of a server behind a proxy, until the test ends.
func start(t *testing.T, server *httptest.Server) (*url.URL, *proxy.Proxy) {
	t.Helper()
	t.Cleanup(server.Close)
	p, err := proxy.Start(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.Addr
	return u, p
}

// ok answers every request.
var ok http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }

// call makes one call.
func call(ctx context.Context, c *Client, u *url.URL) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String()+"/", http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close(), response.Body.Close()) // the SDK may close it twice
}

// TestManyCalls checks that a crowd of calls shares a bounded number of connections.
func TestManyCalls(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	full := make(chan struct{})
	u, p := start(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		if n == maxCalls {
			close(full)
		}
		<-full // the first calls wait for each other
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		ok(w, r)
	})))
	c := newClient(&http.Transport{})
	var all sync.WaitGroup
	for range 10 * maxCalls {
		all.Go(func() {
			if err := call(t.Context(), c, u); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != maxCalls || p.Accepted() > maxCalls {
		t.Errorf("%d calls at once over %d connections, want %d over as many", most.Load(), p.Accepted(), maxCalls)
	}
}

// TestWaitingCall checks that a call that waits for others ends with its context.
func TestWaitingCall(t *testing.T) {
	t.Parallel()
	c := newClient(&http.Transport{})
	for range maxCalls {
		c.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if err := call(ctx, c, &url.URL{Scheme: "http", Host: "aws.invalid"}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the cause", err)
	}
}

// TestConnect checks that calls use the connections that were opened before, with and
// without TLS, and that closed ones are not used.
func TestConnect(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]*httptest.Server{
		"plain": httptest.NewServer(ok), "TLS": httptest.NewTLSServer(ok),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, p := start(t, server)
			transport := &http.Transport{}
			if server.TLS != nil {
				roots := x509.NewCertPool()
				roots.AddCert(server.Certificate())
				transport.TLSClientConfig = &tls.Config{RootCAs: roots}
			}
			c := newClient(transport)
			steps := []struct {
				name     string
				do       func()
				accepted int // connections so far
			}{
				{"connect", func() { c.Connect(t.Context(), u, 2) }, 2},
				{"call", func() {}, 2},
				{"call again", func() {}, 2},
				{"dropped and closed", func() { p.Drop(); c.CloseIdleConnections() }, 3},
				{"reset and closed", func() { p.Reset(); c.CloseIdleConnections() }, 4},
			}
			for _, step := range steps {
				step.do()
				if err := call(t.Context(), c, u); err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if got := p.Await(ctx, step.accepted); got != step.accepted {
					t.Errorf("%s: %d connections, want %d", step.name, got, step.accepted)
				}
			}
		})
	}
}

// TestHandshakeFault checks that a failed handshake is a failed dial: nothing was sent.
func TestHandshakeFault(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(ok)
	server.Config.ErrorLog = nil
	server.StartTLS()
	u, _ := start(t, server)
	err := call(t.Context(), newClient(&http.Transport{}), u)
	var dial *net.OpError
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &dial) || dial.Op != "dial" || !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

// TestConnectThroughProxy checks that no connection is opened that no call would use.
func TestConnectThroughProxy(t *testing.T) {
	t.Parallel()
	u, p := start(t, httptest.NewServer(ok))
	c := newClient(&http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.invalid"})})
	c.Connect(t.Context(), u, 2)
	if n := p.Accepted(); n != 0 {
		t.Errorf("%d connections, want 0", n)
	}
}

// TestRedirect checks that only downloads follow a redirect, and only one.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method string
		status int
		via    int
		want   error
	}{
		{http.MethodGet, 307, 1, nil}, {http.MethodGet, 308, 1, nil}, {http.MethodGet, 307, 2, http.ErrUseLastResponse},
		{http.MethodGet, 302, 1, http.ErrUseLastResponse}, {http.MethodPost, 307, 1, http.ErrUseLastResponse},
	} {
		r := &http.Request{Method: tt.method, Response: &http.Response{StatusCode: tt.status}}
		if got := checkRedirect(r, make([]*http.Request, tt.via)); !errors.Is(got, tt.want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestCertificates checks that the certificates of AWS_CA_BUNDLE are trusted. It sets the
// environment, so it does not run in parallel.
func TestCertificates(t *testing.T) {
	server := httptest.NewTLSServer(ok)
	u, _ := start(t, server)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, certificate(server), 0o600); err != nil {
		t.Fatal(err)
	}
	setCredentials(t)
	t.Setenv("AWS_CA_BUNDLE", bundle)
	config, err := Load(t.Context(), "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := call(t.Context(), config.HTTPClient.(*Client), u); err != nil {
		t.Error(err)
	}
}
