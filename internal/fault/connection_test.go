package fault

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// TestConnectionFaults checks, for every way in which a connection fails, that the
// fault is transient, that the call is retried, and whether it may have taken effect.
func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	hijack := func(w http.ResponseWriter) net.Conn {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
		}
		return c
	}
	tests := []struct {
		name   string
		serve  http.HandlerFunc // nil: the port is closed
		secure bool             // with a certificate that the client does not trust
		effect bool
	}{
		{name: "refused"},
		{name: "closed without an answer", serve: func(w http.ResponseWriter, _ *http.Request) {
			hijack(w).Close()
		}, effect: true},
		{name: "reset", serve: func(w http.ResponseWriter, _ *http.Request) {
			c := hijack(w).(*net.TCPConn)
			c.SetLinger(0)
			c.Close()
		}, effect: true},
		{name: "closed within the answer", serve: func(w http.ResponseWriter, _ *http.Request) {
			c := hijack(w)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"+
				"Content-Length: 100\r\n\r\n{\"clus")
			c.Close()
		}, effect: true},
		{name: "untrusted certificate", serve: func(http.ResponseWriter, *http.Request) {}, secure: true, effect: true},
		{name: "page of a proxy", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html>Bad Gateway</html>")
		}, effect: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(tt.serve)
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // discards reports of TLS errors
			switch {
			case tt.secure:
				server.TLS = &tls.Config{}
				server.StartTLS()
			default:
				server.Start()
			}
			if tt.serve == nil {
				server.Close()
			} else {
				t.Cleanup(server.CloseClientConnections)
			}
			_, err := clientOf(server.URL, awshttp.NewBuildableClient()).ListClusters(t.Context(), nil)
			checkTransient(t, err, "Unreachable", true, tt.effect)
		})
	}
}

// clientOf returns a client of ECS that makes one attempt of a call.
func clientOf(url string, client aws.HTTPClient) *ecs.Client {
	return ecs.New(ecs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{},
		HTTPClient: client, Retryer: aws.NopRetryer{},
	})
}

// checkTransient reports an error unless err is a transient fault of one of the names.
func checkTransient(t *testing.T, err error, names string, retried, effect bool) {
	t.Helper()
	if err == nil {
		t.Fatal("it succeeded")
	}
	f := Classify("listing clusters", err)
	if !IsUnavailable(f) || !strings.Contains(names, NameOf(f)) {
		t.Errorf("%T %s: %v; want a transient fault %s", f, NameOf(f), f, names)
	}
	if got := UntilDeadline(t.Context()).IsErrorRetryable(err); got != retried {
		t.Errorf("retried: %v, want %v: %v", got, retried, err)
	}
	if got := MayHaveTakenEffect(err); got != effect {
		t.Errorf("may have taken effect: %v, want %v: %v", got, effect, err)
	}
}

// TestTimeouts is TestConnectionFaults for servers that hang. It runs on fake time,
// with connections in memory.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server sees the client leave only after the body
		<-r.Context().Done()
	}
	answerHangs := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	for _, tt := range []struct {
		name    string
		serve   http.HandlerFunc
		attempt time.Duration // the timeout of one attempt; 0 for none
		call    time.Duration // the timeout of the call
		fault   string
		retried bool
	}{
		{"answer hangs", answerHangs, time.Second, time.Minute, "Timeout or Unreachable", true},
		{"attempt hangs", hang, time.Second, time.Minute, "Timeout", true},
		{"deadline passes", hang, 0, time.Second, "Timeout", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				listener := &pipeListener{connections: make(chan net.Conn)}
				server := &http.Server{Handler: tt.serve}
				go server.Serve(listener)
				defer server.Close()
				client := awshttp.NewBuildableClient().WithTimeout(tt.attempt).WithTransportOptions(
					func(tr *http.Transport) { tr.DialContext = listener.dial })
				ctx, cancel := context.WithTimeout(t.Context(), tt.call)
				defer cancel()
				_, err := clientOf("http://aws.invalid", client).ListClusters(ctx, nil)
				checkTransient(t, err, tt.fault, tt.retried, true)
			})
		})
	}
}

// pipeListener accepts connections in memory.
type pipeListener struct {
	connections chan net.Conn
	once        sync.Once
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.connections <- server
	return pipeConn{client}, nil
}

// pipeConn is a connection in memory that fails as a TCP connection does once it is closed.
type pipeConn struct{ net.Conn }

func (c pipeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

func (l *pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l.connections; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.connections) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
