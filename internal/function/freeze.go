package function

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxIdle is how long after an invocation the next one uses its connections.
const maxIdle = 5 * time.Second

// freeze closes idle connections after Lambda has frozen the process. Meanwhile the other
// side may have ended them, or a gateway may have forgotten them: a call on such a
// connection fails, or waits until its time limit. It is safe for concurrent use.
type freeze struct {
	close func()
	now   func() time.Time

	mu   sync.Mutex
	last time.Time // the end of the cold start or of the last invocation
}

// newFreeze returns the freeze of a function whose cold start ends now.
func newFreeze(client aws.HTTPClient) *freeze {
	f := &freeze{close: func() {}, now: time.Now}
	if c, ok := client.(interface{ CloseIdleConnections() }); ok {
		f.close = c.CloseIdleConnections
	}
	f.end()
	return f
}

// begin is called at the beginning of an invocation. It compares wall clocks: the other
// one may stand still while the process is frozen.
func (f *freeze) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if idle := f.now().Round(0).Sub(f.last); idle > maxIdle || idle < 0 {
		f.close()
	}
}

// end is called at the end of an invocation.
func (f *freeze) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = f.now().Round(0)
}
