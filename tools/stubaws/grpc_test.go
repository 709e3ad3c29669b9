package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// call makes a call and returns the message and the status that follow.
func call(t *testing.T, server *httptest.Server, name string) (message []byte, status string) {
	t.Helper()
	response, err := server.Client().Post(server.URL+"/"+name, "application/grpc", bytes.NewReader(make([]byte, 5)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if message, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		t.Errorf("%s: %s %s", name, response.Proto, response.Status)
	}
	if status = response.Trailer.Get("Grpc-Status"); status == "" {
		status = response.Header.Get("Grpc-Status")
	}
	return message, status
}

// TestCalls checks the answers to Terraform's calls as they are sent.
func TestCalls(t *testing.T) {
	t.Parallel()
	stopped := 0
	server := httptest.NewUnstartedServer(handler([]byte("any"), func() { stopped++ }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, tt := range []struct{ call, message, status string }{
		{"tfplugin5.Provider/GetSchema", "\x00\x00\x00\x00\x03any", "0"},
		{"tfplugin5.Provider/ValidateResourceTypeConfig", "\x00\x00\x00\x00\x00", "0"},
		{"tfplugin5.Provider/PlanResourceChange", "", unimplemented},
		{"plugin.GRPCController/Shutdown", "\x00\x00\x00\x00\x00", "0"},
	} {
		message, status := call(t, server, tt.call)
		if string(message) != tt.message || status != tt.status {
			t.Errorf("%s: message %q and status %s, want %q and %s", tt.call, message, status, tt.message, tt.status)
		}
	}
	if stopped != 1 {
		t.Errorf("stopped %d times", stopped)
	}
}

// TestMessage checks the encoding of a schema (field numbers of tfplugin5).
func TestMessage(t *testing.T) {
	t.Parallel()
	s := schema{block{Attributes: map[string]attribute{"n": {Type: []byte(`"string"`), Required: true}},
		Blocks: map[string]nestedBlock{"b": {Nesting: "set", MaxItems: 1}}}}
	const want = "\x12\x1c" + // block
		"\x12\x0f" + "\x0a\x01n" + "\x12\x08\"string\"" + "\x20\x01" + // attribute: name, type, required
		"\x1a\x09" + "\x0a\x01b" + "\x12\x00" + "\x18\x03" + "\x28\x01" // nested block: name, block, nesting, max_items
	if got := string(s.message()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
