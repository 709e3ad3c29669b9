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

// Do answers a request.
func (p InProcess) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = io.NopCloser(http.NoBody)
	}
	answer := httptest.NewRecorder()
	p.AWS.ServeHTTP(answer, r)
	return answer.Result(), nil
}
