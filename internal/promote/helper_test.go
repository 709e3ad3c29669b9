package promote

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// put is what a PutImage call puts.
type put struct {
	Tag    string `json:"imageTag"`
	Digest string `json:"imageDigest"`
}

func decode(text []byte, v any) error { return json.Unmarshal(text, v) }

// client is an HTTP client of a function.
type client func(*http.Request) (*http.Response, error)

func (c client) Do(r *http.Request) (*http.Response, error) { return c(r) }

// changed is a body whose first byte is X.
type changed struct{ io.ReadCloser }

func (c changed) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if n > 0 {
		p[0] = 'X'
	}
	return n, err
}

// cutter cuts a process off at one call: it ends the context, and no later call is made.
type cutter struct {
	mu     sync.Mutex
	next   aws.HTTPClient
	left   int  // calls until then
	after  bool // the call takes effect
	cancel context.CancelFunc
	cut    bool
}

func newCutter(next aws.HTTPClient, n int, after bool, cancel context.CancelFunc) *cutter {
	return &cutter{next: next, left: n, after: after, cancel: cancel}
}

func (c *cutter) crashed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

func (c *cutter) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, context.Canceled
	}
	if c.left--; c.left == 0 {
		c.cut = true
		if c.after {
			if response, err := c.next.Do(r); err == nil {
				response.Body.Close()
			}
		}
		c.cancel()
		return nil, context.Canceled
	}
	return c.next.Do(r)
}
