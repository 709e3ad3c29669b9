package fault

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	tests := []struct {
		name    string
		serve   http.HandlerFunc // nil: the port is closed
		secure  bool             // with a certificate that the client does not trust
		client  time.Duration    // the timeout of one attempt; 0 for none
		ctx     time.Duration    // the timeout of the call
		fault   string
		effect  bool
		retried bool
	}{
		{name: "refused", fault: "Unreachable", retried: true},
		{name: "closed without an answer", serve: func(w http.ResponseWriter, _ *http.Request) { hijack(w).Close() },
			fault: "Unreachable", effect: true, retried: true},
		{name: "reset", serve: func(w http.ResponseWriter, _ *http.Request) {
			c := hijack(w).(*net.TCPConn)
			c.SetLinger(0)
			c.Close()
		}, fault: "Unreachable", effect: true, retried: true},
		{name: "closed within the answer", serve: func(w http.ResponseWriter, _ *http.Request) {
			c := hijack(w)
			io.WriteString(c,
				"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 100\r\n\r\n{\"clus")
			c.Close()
		}, fault: "Unreachable", effect: true, retried: true},
		{name: "answer hangs", serve: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			<-release
		}, client: 50 * time.Millisecond, fault: "Timeout or Unreachable", effect: true, retried: true},
		{name: "attempt hangs", serve: func(http.ResponseWriter, *http.Request) { <-release },
			client: 20 * time.Millisecond, fault: "Timeout", effect: true, retried: true},
		{name: "deadline passes", serve: func(http.ResponseWriter, *http.Request) { <-release },
			ctx: 20 * time.Millisecond, fault: "Timeout", effect: true},
		{name: "untrusted certificate", serve: func(http.ResponseWriter, *http.Request) {}, secure: true,
			fault: "Unreachable", effect: true, retried: true},
		{name: "page of a proxy", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html>Bad Gateway</html>")
		}, fault: "Unreachable", effect: true, retried: true},
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
			ctx := t.Context()
			if tt.ctx > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.ctx)
				defer cancel()
			}
			client := ecs.New(ecs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
				Credentials: aws.AnonymousCredentials{},
				HTTPClient:  awshttp.NewBuildableClient().WithTimeout(tt.client), Retryer: aws.NopRetryer{}})
			_, err := client.ListClusters(ctx, nil)
			if err == nil {
				t.Fatal("it succeeded")
			}
			f := Classify("listing clusters", err)
			if !IsUnavailable(f) || !strings.Contains(tt.fault, NameOf(f)) {
				t.Errorf("%T %s: %v; want a transient fault %s", f, NameOf(f), f, tt.fault)
			}
			if got := UntilDeadline(t.Context()).IsErrorRetryable(err); got != tt.retried {
				t.Errorf("retried: %v, want %v: %v", got, tt.retried, err)
			}
			if got := MayHaveTakenEffect(err); got != tt.effect {
				t.Errorf("may have taken effect: %v, want %v: %v", got, tt.effect, err)
			}
		})
	}
}
