package function

import (
	"net/http"
	"testing"
	"time"
)

// closer counts how often idle connections are closed.
type closer struct {
	noClient
	closed int
}

func (c *closer) CloseIdleConnections() { c.closed++ }

// TestFreeze checks before which invocations idle connections are closed.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after []time.Duration // the wall clock's, from the end of one invocation to the next
		took  time.Duration   // by each invocation
		want  int
	}{
		{"the first event at once", []time.Duration{0}, 0, 0},
		{"the first event late", []time.Duration{maxIdle + 1}, 0, 1},
		{"one after the other", []time.Duration{time.Second, maxIdle, time.Millisecond}, time.Second, 0},
		{"a long invocation", []time.Duration{0, 0, 0}, time.Minute, 0},
		{"frozen once", []time.Duration{time.Second, time.Hour, time.Second}, time.Second, 1},
		{"frozen twice", []time.Duration{time.Hour, time.Hour}, time.Second, 2},
		{"the clock was set back", []time.Duration{0, -time.Hour, 0}, time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, now := &closer{}, time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
			f := newFreeze(c)
			f.now = func() time.Time { return now }
			f.end() // of the cold start
			for _, after := range tt.after {
				now = now.Add(after)
				f.begin()
				now = now.Add(tt.took)
				f.end()
			}
			if c.closed != tt.want {
				t.Errorf("closed %d times, want %d", c.closed, tt.want)
			}
		})
	}
}

// TestFreezeOfOtherClient checks that a client without idle connections is left alone.
func TestFreezeOfOtherClient(t *testing.T) {
	t.Parallel()
	f := newFreeze(noClient{})
	f.last = time.Time{}
	f.begin()
	f.end()
}

// noClient is an HTTP client that is not called.
type noClient struct{}

func (noClient) Do(*http.Request) (*http.Response, error) { return nil, http.ErrNotSupported }
