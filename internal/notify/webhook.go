package notify

import (
	"bytes"
	"context"
	"encoding/json"
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
	"deployer/internal/outcome"
)

// Slack is a Slack channel, behind an incoming webhook. The webhook's address
// is a secret: who knows it may write to the channel.
type Slack struct {
	source func(context.Context) (string, error)
	client *http.Client

	mu      sync.Mutex
	webhook *url.URL // nil until it is needed
}

// NewSlack returns the channel behind the webhook that source says. It is asked
// when there is first something to tell, and again once the webhook is gone.
func NewSlack(source func(context.Context) (string, error)) *Slack {
	return &Slack{source: source, client: &http.Client{
		// A webhook does not move, and its message is for nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Fixed returns the source of a webhook that is known.
func Fixed(webhook string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return webhook, nil }
}

// String implements [Notifier].
func (s *Slack) String() string { return "slack" }

// Notify implements [Notifier]. A message that Slack did not take for a reason
// that passes is sent once more.
func (s *Slack) Notify(ctx context.Context, o outcome.Outcome) error {
	webhook, err := s.address(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(slackMessage(o))
	if err != nil {
		return err
	}
	err = s.post(ctx, webhook, body)
	var r *refusal
	if errors.As(err, &r) && r.passes() && pause(ctx, r.wait) {
		err = s.post(ctx, webhook, body)
	}
	if errors.As(err, &r) && r.gone() {
		s.forget(webhook)
	}
	return redact(err, webhook)
}

// address returns the webhook's address. Its errors do not say what was wrong
// in it: that would be to tell a part of it.
func (s *Slack) address(ctx context.Context) (*url.URL, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.webhook != nil {
		return s.webhook, nil
	}
	text, err := s.source(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the webhook's address is not a URL such as https://hooks.slack.com/services/…")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || ip.IsLoopback())) {
		return nil, errors.New("the webhook's address does not begin with https://")
	}
	s.webhook = u
	return u, nil
}

// forget makes the source be asked again.
func (s *Slack) forget(webhook *url.URL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.webhook == webhook {
		s.webhook = nil
	}
}

// post sends a message once. Its error is a [*refusal] if Slack answered.
func (s *Slack) post(ctx context.Context, webhook *url.URL, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, webhook.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if answer.StatusCode == http.StatusOK {
		return err
	}
	return &refusal{answer.StatusCode, string(text), waitOf(answer.Header.Get("Retry-After"))}
}

// refusal is an answer that is not 200.
type refusal struct {
	status int
	body   string
	wait   time.Duration
}

func (r *refusal) Error() string { return fmt.Sprintf("Slack answered %d: %s", r.status, r.body) }
func (r *refusal) passes() bool  { return r.status == http.StatusTooManyRequests || r.status >= 500 }

// gone reports whether the webhook is not, or no longer, one.
func (r *refusal) gone() bool {
	return r.status == http.StatusForbidden || r.status == http.StatusNotFound || r.status == http.StatusGone
}

// waitOf returns how long a Retry-After asks to wait.
func waitOf(after string) time.Duration {
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(0, time.Until(at))
	}
	return 250 * time.Millisecond
}

// pause waits, and reports whether there is time left then; if there would be
// none it does not wait.
func pause(ctx context.Context, wait time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return false
	}
	return fault.Wait(ctx, wait) == nil
}
