package emulatortest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
)

// InProcess is an HTTP client for the SDK that calls AWS, an emulator, without
// a connection. It is for tests on fake time, which cannot pass while somebody
// waits for a connection.
type InProcess struct{ AWS http.Handler }

// Do answers a request; one that the emulator drops meets a lost connection.
func (p InProcess) Do(r *http.Request) (answer *http.Response, err error) {
	if r.Body == nil {
		r.Body = io.NopCloser(http.NoBody)
	}
	defer func() {
		switch gone := recover(); {
		case gone == http.ErrAbortHandler:
			answer, err = nil, io.ErrUnexpectedEOF
			if cause := r.Context().Err(); cause != nil {
				err = errors.Join(err, cause)
			}
		case gone != nil:
			panic(gone)
		}
	}()
	recorder := httptest.NewRecorder()
	p.AWS.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}
