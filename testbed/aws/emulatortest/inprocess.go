package emulatortest

import (
	"io"
	"net/http"
	"net/http/httptest"
)

// InProcess is an HTTP client for the SDK that calls an emulator without a connection. It is for tests on fake time
// (see [testing/synctest]), which stands still while a goroutine waits for a connection.
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
	if r.Body == nil {
		r.Body = io.NopCloser(http.NoBody)
	}
	answer := httptest.NewRecorder()
	p.AWS.ServeHTTP(answer, r)
	return answer.Result(), nil
}
