package emulatortest

import (
	"io"
	"net/http"
	"net/http/httptest"
)

// InProcess is an HTTP client for the SDK that calls AWS, an emulator, without
// a connection. It is for tests on fake time, which cannot pass while somebody
// waits for a connection.
type InProcess struct{ AWS http.Handler }

// Do answers a request. A connection that AWS drops is an error, as it is where
// there is one.
func (p InProcess) Do(r *http.Request) (response *http.Response, err error) {
	defer func() {
		switch dropped := recover(); {
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
