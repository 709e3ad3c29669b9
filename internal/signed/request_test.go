package signed

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCallAsSDK checks, on fake time, what [Client.Call] does as the SDK's clients do: it retries
// until the deadline, takes what is not JSON for no answer of AWS, and returns AWS's error.
func TestCallAsSDK(t *testing.T) {
	t.Parallel()
	const (
		throttled = `{"__type": "ThrottlingException", "message": "Rate exceeded"}`
		notFound  = `{"__type": "RepositoryNotFoundException", "message": "no"}`
		target    = "AmazonEC2ContainerRegistry_V20150921.BatchGetImage"
	)
	for _, tt := range []struct {
		name    string
		answers []answer
		limit   time.Duration
		calls   int // at least
		want    string
	}{
		{"success", []answer{{200, `{}`, nil}}, 0, 1, ""},
		{"not found", []answer{{400, notFound, nil}}, 0, 1,
			"operation error ECR: BatchGetImage, api error RepositoryNotFoundException: no"},
		{"a proxy's page once", []answer{{403, "<html>", nil}, {200, `{}`, nil}}, 0, 2, ""},
		{"cut off once", []answer{{200, `{"images":[`, nil}, {200, `{}`, nil}}, 0, 2, ""},
		{"throttled without a deadline", []answer{{400, throttled, nil}}, 0, 12,
			"operation error ECR: BatchGetImage, api error ThrottlingException: Rate exceeded"},
		{"throttled for minutes", []answer{{400, throttled, nil}}, 5 * time.Minute, 30,
			"operation error ECR: BatchGetImage, "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				w := &wire{answers: tt.answers}
				err := w.client("us-east-1").Call(ctx, "ecr", target, struct{}{}, &struct{}{})
				if got := fmt.Sprint(err); err == nil && tt.want != "" || err != nil && (tt.want == "" ||
					!strings.HasPrefix(got, tt.want)) {
					t.Errorf("%s\nwant %s", got, tt.want)
				}
				if n := len(w.requests); n < tt.calls || tt.limit == 0 && n > tt.calls {
					t.Errorf("%d calls, want %d", n, tt.calls)
				}
			})
		})
	}
}

// TestClock checks, on fake time, that calls are signed with AWS's clock once it has refused this machine's, as
// those of the SDK's clients are.
func TestClock(t *testing.T) {
	t.Parallel()
	const refused = `{"__type": "InvalidSignatureException", "message": "Signature expired"}`
	for _, tt := range []struct {
		name    string
		ahead   time.Duration // AWS's clock
		answers []answer
		want    []time.Duration // signed with, ahead of this machine's clock
		fails   bool
	}{
		{"right", time.Second, []answer{{200, `{}`, nil}}, []time.Duration{0, 0}, false},
		{"behind", time.Hour, []answer{{403, refused, nil}, {200, `{}`, nil}},
			[]time.Duration{0, time.Hour, time.Hour}, false},
		{"ahead", -time.Hour, []answer{{403, refused, nil}, {200, `{}`, nil}},
			[]time.Duration{0, -time.Hour, -time.Hour}, false},
		{"a wrong signature", time.Minute, []answer{{403, refused, nil}}, []time.Duration{0, 0}, true},
		{"a wrong signature and a wrong clock", time.Hour, []answer{{403, refused, nil}},
			[]time.Duration{0, time.Hour, time.Hour}, true},
		{"another error", time.Hour, []answer{{400, `{"__type": "RepositoryNotFoundException"}`, nil}},
			[]time.Duration{0, 0}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				date := start.Add(tt.ahead).UTC().Format(http.TimeFormat)
				w := &wire{answers: tt.answers, header: http.Header{"Date": {date}}}
				c := w.client("us-east-1")
				for range 2 {
					err := c.JSON(t.Context(), "ssm", ssmTarget, "reading", struct{}{}, &struct{}{})
					if (err != nil) != tt.fails {
						t.Error(err)
					}
				}
				var got []time.Duration
				for _, r := range w.requests {
					at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, at.Sub(start))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
