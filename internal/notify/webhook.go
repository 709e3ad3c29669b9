package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"deployer/internal/fault"
)

// receiver is what is behind a webhook, such as Slack.
type receiver struct {
	name    string // for errors
	example string // of an address, for errors

	// accepted reports whether the status of an answer means that the receiver has the message;
	// nil if every 2xx does, as HTTP has it: receivers answer 200, 202 or 204.
	accepted func(status int) bool
}

// has reports whether the status of an answer means that the receiver has the message.
func (r receiver) has(status int) bool {
	if r.accepted != nil {
		return r.accepted(status)
	}
	return status >= 200 && status <= 299
}

// webhook posts JSON to an address that is a secret: anyone who knows it may
// post. Its errors hold no part of the address. It is safe for concurrent use.
type webhook struct {
	receiver receiver
	source   addressSource
	client   *http.Client

	mu    sync.Mutex
	known *url.URL // nil until it is needed
}

// newWebhook returns the webhook of a receiver. The source is called for the first
// message, and again after the receiver rejected the address.
func newWebhook(to receiver, source addressSource) *webhook {
	return &webhook{receiver: to, source: source, client: &http.Client{
		// Messages are rare. A connection that is kept dies while Lambda freezes the process.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		// A webhook does not move, and no other server may read its messages.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send posts a body. If the receiver answers that it is busy or broken, send
// posts the body once more, provided that the deadline of ctx leaves the time.
func (w *webhook) send(ctx context.Context, body []byte) error {
	address, err := w.address(ctx)
	if err != nil {
		return err
	}
	err = w.post(ctx, address, body)
	var r *refusal
	if errors.As(err, &r) && r.temporary() && waitUnlessTooLong(ctx, r.retryAfter) {
		err = w.post(ctx, address, body)
	}
	if errors.As(err, &r) && r.invalidAddress() {
		w.forget(address)
	}
	return redact(err, address)
}

// address returns the webhook's address. Its errors do not quote the address.
func (w *webhook) address(ctx context.Context) (*url.URL, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known != nil {
		return w.known, nil
	}
	text, err := w.source(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the webhook's address is not a URL such as " + w.receiver.example)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || ip.IsLoopback())) {
		return nil, errors.New("the webhook's address does not begin with https://")
	}
	w.known = u
	return u, nil
}

// forget drops an address, so that the next message asks the source again.
func (w *webhook) forget(address *url.URL) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == address {
		w.known = nil
	}
}

// post posts a body once. Its error is a [*refusal] if the receiver answered.
func (w *webhook) post(ctx context.Context, address *url.URL, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if w.receiver.has(response.StatusCode) {
		return err
	}
	return &refusal{w.receiver.name, response.StatusCode, string(text), delayOf(response.Header.Get("Retry-After"))}
}

// refusal is an answer that means that the receiver does not have the message.
type refusal struct {
	receiver   string
	status     int
	body       string
	retryAfter time.Duration
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s answered %d: %s", r.receiver, r.status, r.body)
}

// temporary reports whether the same message may succeed later.
func (r *refusal) temporary() bool { return r.status == http.StatusTooManyRequests || r.status >= 500 }

// invalidAddress reports whether the receiver does not accept the address, or no longer.
func (r *refusal) invalidAddress() bool {
	return r.status == http.StatusForbidden || r.status == http.StatusNotFound || r.status == http.StatusGone
}

// delayOf returns the delay that a Retry-After header asks for, at most an hour.
func delayOf(retryAfter string) time.Duration {
	if n, err := strconv.Atoi(retryAfter); err == nil && n >= 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if at, err := http.ParseTime(retryAfter); err == nil {
		return max(0, time.Until(at))
	}
	return 250 * time.Millisecond
}

// waitUnlessTooLong waits and returns true. If the deadline of ctx comes before
// the end of the wait, it returns false at once.
func waitUnlessTooLong(ctx context.Context, wait time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return false
	}
	return fault.Wait(ctx, wait) == nil
}
