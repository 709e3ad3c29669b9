package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// planted are secret parts of every webhook in this test. The log may hold none of
// them.
var planted = []string{"T0PLANTED", "B0PLANTED", "plantedTOKENplantedTOKEN", "planted"}

const path = "/services/T0PLANTED/B0PLANTED/plantedTOKENplantedTOKEN?also=planted"

// record captures the log until the test ends. A test that uses it is not
// parallel.
func record(t *testing.T) *bytes.Buffer {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime})))
	return &log
}

// slackAt returns the Slack channel behind a webhook.
func slackAt(source addressSource) Channel { return &slack{newWebhook(toSlack, source)} }

// answer is a server's answer to a post.
type answer struct {
	status      int
	body, after string // after is its Retry-After
}

// TestSlack posts to servers with every kind of answer. Errors are logged without
// the webhook's address.
func TestSlack(t *testing.T) {
	echo := "no team at https://hooks.example" + path + ` or https:\/\/hooks.example\/services\/T0PLANTED\/B0PLANTED ` +
		strings.Repeat("x", 300)
	past := answer{429, "rate_limited", "Thu, 01 Jan 1970 00:00:01 GMT"}
	for _, tt := range []struct {
		name    string
		answers []answer
		calls   int
		want    string // the error that is logged
	}{
		{"it works", []answer{{200, "ok", ""}}, 1, ""},
		{"500 once", []answer{{500, "rollup_error", ""}, {200, "ok", ""}}, 2, ""},
		{"500 again", []answer{{500, "rollup_error", "0"}, {503, "down", ""}}, 2, "Slack answered 503: down"},
		{"429 for now", []answer{{429, "rate_limited", "0"}, {200, "ok", ""}}, 2, ""},
		{"429 until a date that is past", []answer{past, {200, "ok", ""}}, 2, ""},
		{"429 for long", []answer{{429, "rate_limited", "30"}}, 1, "Slack answered 429: rate_limited"},
		{"400", []answer{{400, "invalid_blocks", ""}}, 1, "Slack answered 400: invalid_blocks"},
		{"200 alone is Slack's answer to a message that it has", []answer{{204, "", ""}}, 1, "Slack answered 204:"},
		{"redirect", []answer{{302, "", ""}}, 1, "Slack answered 302:"},
		{"404 that says the address", []answer{{404, echo, ""}}, 1,
			`Slack answered 404: no team at https://hooks.example*** or https:\\/\\/hooks.example\\/***\\/***\\/*** ` +
				strings.Repeat("x", 121) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := record(t)
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if r.Method != http.MethodPost || r.RequestURI != path || err != nil ||
					!strings.HasPrefix(string(body), `{"text":"❌ prod: `) ||
					r.Header.Get("Content-Type") != "application/json" || !r.Close {
					t.Errorf("%s %s: %s, %v", r.Method, r.RequestURI, body, err)
				}
				a := tt.answers[min(calls, len(tt.answers)-1)]
				calls++
				w.Header().Set("Location", "/elsewhere")
				if a.after != "" {
					w.Header().Set("Retry-After", a.after)
				}
				w.WriteHeader(a.status)
				fmt.Fprint(w, a.body)
			}))
			defer server.Close()
			send(t.Context(), []Channel{slackAt(fixed(server.URL + path))}, Summarize(outcomes(t)["failed"]))
			if calls != tt.calls {
				t.Errorf("%d posts, want %d", calls, tt.calls)
			}
			want := ""
			if tt.want != "" {
				want = `level=WARN msg="notification not sent" channel=slack outcome="Deployment Failed" ` +
					`event_id=7bf73129-1428-4cd3-a780-2b9e0c5d80e3 service=backend error="` + tt.want + "\"\n"
			}
			if diff := cmp.Diff(want, log.String()); diff != "" {
				t.Errorf("logged (-want +got):\n%s", diff)
			}
		})
	}
}

// deadline is a context whose deadline passes when the channel is closed.
type deadline struct {
	context.Context
	passed chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.passed }

func (d deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestSlackNoAnswer is TestSlack for servers that do not answer, and for addresses
// that are not called.
func TestSlackNoAnswer(t *testing.T) {
	down := httptest.NewServer(nil)
	down.Close()
	asked := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the client go
		close(asked)
		<-r.Context().Done()
	}))
	defer slow.Close()
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	cut := httptest.NewServer(http.HandlerFunc(abort))
	defer cut.Close()
	denied := func(context.Context) (string, error) { return "", errors.New("access denied") }
	const notURL = `error="the webhook's address is not a URL such as https://hooks.slack.com/services/…"`
	for _, tt := range []struct {
		name   string
		source addressSource
		want   string // in what is logged
	}{
		{"down", fixed(down.URL + path), "connection refused"},
		{"slow", fixed(slow.URL + path), `error="context deadline exceeded"`},
		{"cut", fixed(cut.URL + path), "error=EOF"},
		{"not https", fixed("http://hooks.example" + path),
			`error="the webhook's address does not begin with https://"`},
		{"not a URL", fixed("planted\x7f" + path), notURL},
		{"a path alone", fixed(path), notURL},
		{"an invalid port", fixed("https://hooks.example:planted" + path), notURL},
		{"unknown", denied, `error="access denied"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := record(t)
			ctx := t.Context()
			if tt.name == "slow" {
				ctx = deadline{ctx, asked}
			}
			send(ctx, []Channel{slackAt(tt.source)}, Summarize(outcomes(t)["failed"]))
			if !strings.Contains(log.String(), tt.want) {
				t.Errorf("logged %s, want in it %s", log, tt.want)
			}
			for _, secret := range planted {
				if strings.Contains(log.String(), secret) {
					t.Errorf("a part of the webhook's address is logged: %s", log)
				}
			}
		})
	}
}

// TestRedact checks that no formatting of an error shows a part of the address,
// wherever the text is cut.
func TestRedact(t *testing.T) {
	t.Parallel()
	for before := range 260 {
		s := newWebhook(toSlack, fixed("https://user:planted@hooks.example"+path))
		webhook, err := s.address(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = http.NewRequest("GET", "https://hooks.example:x"+path, nil) // its error begins with the address
		for _, one := range []error{err, &refusal{"Slack", 500, strings.Repeat("x", before) + webhook.String(), 0}} {
			got := fmt.Sprintf("%v %+v %#v", redact(one, webhook), redact(one, webhook), redact(one, webhook))
			for _, secret := range planted {
				if strings.Contains(got, secret[:6]) {
					t.Fatalf("a part of the address is shown: %s", got)
				}
			}
		}
	}
}

// TestSlackForgets checks that the source of the address is called once, and again
// after Slack rejected the address.
func TestSlackForgets(t *testing.T) {
	t.Parallel()
	status, asked := http.StatusOK, 0
	answer := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	server := httptest.NewServer(http.HandlerFunc(answer))
	defer server.Close()
	s := slackAt(func(context.Context) (string, error) {
		asked++
		return server.URL + path, nil
	})
	for _, step := range []struct{ status, want int }{
		{200, 1}, {400, 1}, {410, 1}, {200, 2}, {404, 2}, {403, 3}, {200, 4},
	} {
		status = step.status
		err := s.Send(t.Context(), Summarize(outcomes(t)["started"]))
		if (err == nil) != (step.status == 200) || asked != step.want {
			t.Errorf("%d: asked %d times, want %d: %v", step.status, asked, step.want, err)
		}
	}
}

// hung is a channel whose service never answers.
type hung struct{}

func (hung) Name() string { return "hung" }
func (hung) Send(ctx context.Context, _ Summary) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestMaxNotifyTime checks that all channels together take three seconds at most.
func TestMaxNotifyTime(t *testing.T) {
	log := record(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		send(t.Context(), []Channel{hung{}, hung{}, hung{}}, Summary{})
		if took := time.Since(start); took != maxNotifyTime {
			t.Errorf("it took %v", took)
		}
	})
	if n := strings.Count(log.String(), "context deadline exceeded"); n != 3 {
		t.Errorf("%d channels are logged: %s", n, log)
	}
}

// TestWaitUnlessTooLong checks that a wait which ends after the deadline is not begun.
func TestWaitUnlessTooLong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		wait, took time.Duration
		want       bool
	}{{2 * time.Second, 2 * time.Second, true}, {3 * time.Second, 0, false}, {time.Hour, 0, false}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), maxNotifyTime)
			defer cancel()
			start := time.Now()
			if got := waitUnlessTooLong(ctx, tt.wait); got != tt.want || time.Since(start) != tt.took {
				t.Errorf("%v: %v after %v, want %v after %v", tt.wait, got, time.Since(start), tt.want, tt.took)
			}
		})
	}
}

// TestWebhook posts to receivers of which any 2xx means that they have the message.
func TestWebhook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		want   string
	}{
		{200, ""}, {201, ""}, {202, ""}, {204, ""}, {299, ""},
		{302, "Chat answered 302: no"}, {304, "Chat answered 304:"}, {400, "Chat answered 400: no"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			fmt.Fprint(w, "no")
		}))
		hook := newWebhook(receiver{name: "Chat", example: "https://chat.example/…"}, fixed(server.URL+path))
		got := ""
		if err := hook.send(t.Context(), []byte("{}")); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%d: %q, want %q", tt.status, got, tt.want)
		}
		server.Close()
	}
	hook := newWebhook(receiver{name: "Chat", example: "https://chat.example/…"}, fixed("planted"))
	const want = "the webhook's address is not a URL such as https://chat.example/…"
	if err := hook.send(t.Context(), nil); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
