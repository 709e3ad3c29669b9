package main

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"
)

// empty are the calls whose answer has no content: nothing is wrong with any configuration beyond its schema.
var empty = []string{"PrepareProviderConfig", "ValidateResourceTypeConfig", "ValidateDataSourceConfig", "Configure",
	"Stop"}

const unimplemented = "12" // gRPC's status code

// handler answers Terraform's calls, each a POST of a message (gRPC over HTTP2 in gRPC's documentation). It calls stop
// once when Terraform needs the plugin no longer.
func handler(schema []byte, stop func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/tfplugin5.Provider/GetSchema", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, schema)
	})
	for _, call := range empty {
		mux.HandleFunc("/tfplugin5.Provider/"+call, func(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) })
	}
	mux.HandleFunc("/plugin.GRPCController/Shutdown", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, nil)
		stop()
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", unimplemented)
		w.Header().Set("Grpc-Message", "the stub has no "+strings.TrimPrefix(r.URL.Path, "/"))
	})
	return mux
}

// answer sends a message, with its length before it, and the status after it.
func answer(w http.ResponseWriter, r *http.Request, message []byte) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the caller is gone
	}
	w.Header().Set("Content-Type", "application/grpc")
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))) // 0: not compressed
	if _, err := w.Write(append(prefix, message...)); err != nil {
		return
	}
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}
