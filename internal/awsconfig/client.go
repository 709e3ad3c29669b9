package awsconfig

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// callTimeout ends a single attempt of a call that hangs, so that there is time for another.
	callTimeout = 10 * time.Second
	// transferTimeout is the same for a call with a large body: 20 MiB at 1 Mbit/s.
	transferTimeout = 3 * time.Minute
	// dialTimeout and handshakeTimeout end an attempt to connect.
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 5 * time.Second
	// maxCalls is how many calls are made at the same time, and so how many connections a
	// host gets at most. ECS accepts fewer calls a second than so many can make.
	maxCalls = 32
)

// Client is the HTTP client of every client of the SDK, which share its connections. A
// call above the 32nd waits until another one has ended. It is safe for concurrent use.
type Client struct {
	http   http.Client
	slots  chan struct{}
	dialer dialer
	opened opened
}

// newClient returns a client with the settings of a transport, such as its certificates
// and its proxy.
func newClient(transport *http.Transport) *Client {
	c := &Client{slots: make(chan struct{}, maxCalls)}
	settings := transport.TLSClientConfig
	if settings == nil {
		settings = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	settings.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	// One call at a time on a connection, so that a connection that died harms no other call.
	settings.NextProtos = []string{"http/1.1"}
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig = settings
	c.dialer = dialer{&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}, settings}
	transport.DialContext = c.opened.first("http", c.dialer.dial)
	transport.DialTLSContext = c.opened.first("https", c.dialer.dialTLS)
	transport.TLSHandshakeTimeout = handshakeTimeout
	transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = maxCalls, maxCalls
	c.http = http.Client{Transport: transport, Timeout: callTimeout, CheckRedirect: checkRedirect}
	return c
}

// ForTransfers returns a configuration whose calls may take minutes, because their
// bodies are large. They share the connections and the limit of the others.
func ForTransfers(config aws.Config) aws.Config {
	if c, ok := config.HTTPClient.(*Client); ok {
		slow := &Client{http: c.http, slots: c.slots, dialer: c.dialer}
		slow.http.Timeout = transferTimeout
		config.HTTPClient = slow
	}
	return config
}

// checkRedirect lets only downloads be redirected: a signed request has the host in its
// signature.
func checkRedirect(r *http.Request, via []*http.Request) error {
	status := r.Response.StatusCode
	moved := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	if r.Method == http.MethodGet && moved && len(via) == 1 {
		return nil
	}
	return http.ErrUseLastResponse
}

// Do implements [aws.HTTPClient]. The time limit of a call begins when it is made, not
// while it waits for others.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	select {
	case c.slots <- struct{}{}:
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	response, err := c.http.Do(r)
	if err != nil {
		<-c.slots
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, done: sync.OnceFunc(func() { <-c.slots })}
	return response, nil
}

// body is the body of an answer. The call ends when it is closed.
type body struct {
	io.ReadCloser
	done func()
}

func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// CloseIdleConnections closes the connections that no call uses. While Lambda freezes the
// process, connections can die without a sign.
func (c *Client) CloseIdleConnections() {
	c.opened.close()
	c.http.CloseIdleConnections()
}

// Connect opens n connections to the host of an endpoint, for the next calls. It returns
// when they are open or could not be opened: the calls then open their own. It does
// nothing if calls to the endpoint go through a proxy.
func (c *Client) Connect(ctx context.Context, endpoint *url.URL, n int) {
	transport := c.http.Transport.(*http.Transport)
	if transport.Proxy != nil {
		if proxy, err := transport.Proxy(&http.Request{URL: endpoint}); proxy != nil || err != nil {
			return
		}
	}
	dial, port := c.dialer.dial, "80"
	if endpoint.Scheme == "https" {
		dial, port = c.dialer.dialTLS, "443"
	}
	if p := endpoint.Port(); p != "" {
		port = p
	}
	address := net.JoinHostPort(endpoint.Hostname(), port)
	conns := make([]net.Conn, n)
	var all sync.WaitGroup
	for i := range conns {
		all.Go(func() { conns[i], _ = dial(ctx, "tcp", address) })
	}
	all.Wait()
	for _, conn := range conns {
		if conn != nil {
			c.opened.add(endpoint.Scheme, address, conn)
		}
	}
}
