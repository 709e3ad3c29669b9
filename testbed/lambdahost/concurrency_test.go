package lambdahost_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"deployer/testbed/lambdahost"
)

// barrier starts a web server that answers when the expected number of requests has arrived.
func barrier(t *testing.T, expected int) string {
	var here sync.WaitGroup
	here.Add(expected)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		here.Done()
		here.Wait()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.Concurrency = 3
	host := start(t, opts)
	url := barrier(t, 3)

	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { equal(t, "payload", string(invoke(t, host, command{Do: "get", URL: url}).Payload), `"200 OK"`) })
	}
	wg.Wait()
	equal(t, "exits", exits(host), []string{"", "", ""})

	for range 9 { // at the same time, in three processes
		wg.Go(func() { equal(t, "cold", invoke(t, host, command{Do: "echo"}).Cold, false) })
	}
	wg.Wait()
	equal(t, "exits", exits(host), []string{"", "", ""})
}

func TestInvokeReturnsWithItsContext(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	leave := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-leave
	}))
	t.Cleanup(server.Close)
	host := start(t, options("handler"))

	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error)
	go func() {
		_, err := host.Invoke(ctx, event(t, command{Do: "get", URL: server.URL}))
		running <- err
	}()
	<-arrived
	cancel()
	equal(t, "running", errors.Is(<-running, context.Canceled), true)
	_, err := host.Invoke(ctx, []byte(`{"Do":"echo"}`)) // it waits for the only process
	equal(t, "waiting", errors.Is(err, context.Canceled), true)
	equal(t, "Wait", errors.Is(host.Wait(ctx), context.Canceled), true)

	close(leave)
	if err := host.Wait(t.Context()); err != nil { // the function is still running
		t.Fatal(err)
	}
	equal(t, "warm", invoke(t, host, command{Do: "echo"}).Process, 1)
}

// BenchmarkInvoke measures a warm invocation of a bootstrap that answers at once, which is the host's own overhead.
func BenchmarkInvoke(b *testing.B) {
	host, err := lambdahost.Start(b.Context(), options("handler"))
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	for b.Loop() {
		if _, err := host.Invoke(b.Context(), []byte(`{"Do":"echo"}`)); err != nil {
			b.Fatal(err)
		}
	}
}
