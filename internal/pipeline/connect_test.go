package pipeline

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
)

// TestConnect checks that three connections are open when Connect returns, or fewer if the endpoint
// cannot be reached. It sets the environment.
func TestConnect(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	config, err := awsconfig.Load(t.Context(), "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	Connect(t.Context(), config, "eu-west-1")
	for deadline := time.Now().Add(10 * time.Second); opened.Load() < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // the server notices a connection after the client
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	config.BaseEndpoint = aws.String("http://127.0.0.1:1")
	Connect(t.Context(), config, "eu-west-1")
}
