package lambdahost

import (
	"fmt"
	"strings"
	"sync"
)

// excerptLen is how many bytes of a body a transcript has at most.
const excerptLen = 1024

// A Request is one request of a bootstrap to the Runtime API.
type Request struct {
	// Process is the number of the bootstrap that sent it, from 1.
	Process int
	// Method and Path are the request's. The path has the version and, if there is one, the request id.
	Method, Path string
	// Body is the request's body, truncated to 1024 bytes.
	Body string
	// Status is the HTTP status of the answer, 0 while there is none, as for a request that waits for an invocation.
	Status int
}

// String returns the request as one line: process, method, path, status and body.
func (r Request) String() string {
	return strings.TrimRight(fmt.Sprintf("%d %s %s %d %s", r.Process, r.Method, r.Path, r.Status, r.Body), " ")
}

// A transcript records requests in the order of their arrival.
type transcript struct {
	mu      sync.Mutex
	entries []*Request
}

func (t *transcript) add(r *Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, r)
}

func (t *transcript) answered(r *Request, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Status = status
}

func (t *transcript) requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Request, 0, len(t.entries))
	for _, r := range t.entries {
		list = append(list, *r)
	}
	return list
}
