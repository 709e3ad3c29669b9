package accounts

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// InProcess is an HTTP client for the SDK that calls emulated AWS without a connection.
type InProcess struct{ AWS http.Handler }

// Do answers a request. If the emulator drops the connection, it returns io.ErrUnexpectedEOF or the context's error.
func (p InProcess) Do(r *http.Request) (response *http.Response, err error) {
	defer func() {
		dropped := recover()
		switch {
		case dropped == nil:
		case dropped != http.ErrAbortHandler:
			panic(dropped)
		case r.Context().Err() != nil:
			err = r.Context().Err()
		default:
			err = io.ErrUnexpectedEOF
		}
	}()
	if r.Host == "" {
		r.Host = r.URL.Host // as a server sees it
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	p.AWS.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// served are the handlers of [Serve], by URL.
var served sync.Map

// Serve makes accounts that are connected to url from here on call aws in this process, without a connection, which
// takes less than half of the time. It is for emulated AWS that this process also serves there. End ends it.
func Serve(url string, aws http.Handler) (end func()) {
	url = strings.TrimSuffix(url, "/")
	served.Store(url, aws)
	return func() { served.Delete(url) }
}
