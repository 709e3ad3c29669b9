package fault

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// answers is an HTTP client that returns ECS's answers from a list, and repeats the last one.
type answers struct {
	bodies []string // "" for a success
	status int
	got    int
}

func (a *answers) Do(r *http.Request) (*http.Response, error) {
	body := a.bodies[min(a.got, len(a.bodies)-1)]
	a.got++
	if body == "reset" {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	rec := &http.Response{StatusCode: a.status, Header: http.Header{}, Request: r}
	if body == "" {
		rec.StatusCode, body = 200, "{}"
	}
	rec.Body = readCloser{strings.NewReader(body)}
	return rec, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// describe makes one call of ECS against the given answers, under ctx.
func describe(ctx context.Context, a *answers) error {
	client := ecs.New(ecs.Options{Region: "us-east-1", HTTPClient: a, Credentials: aws.AnonymousCredentials{}})
	_, err := client.ListClusters(ctx, nil, func(o *ecs.Options) { o.Retryer = UntilDeadline(ctx) })
	return Classify("listing clusters", err)
}

const (
	throttled  = `{"__type":"ThrottlingException","message":"Rate exceeded"}`
	concurrent = `{"__type":"ClientException","message":"Too many concurrent attempts to create a new revision of ` +
		`the specified family."}`
	client = `{"__type":"ClientException","message":"Unable to describe task definition."}`
)

func TestRetriesTransientErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		bodies []string
		calls  int
		want   string
	}{
		{"throttled twice", 400, []string{throttled, throttled, ""}, 3, ""},
		{"concurrent revisions", 400, []string{concurrent, concurrent, concurrent, concurrent, ""}, 5, ""},
		{"server error", 500, []string{`{"__type":"ServerException","message":"oops"}`, ""}, 2, ""},
		{"lost connection", 200, []string{"reset", ""}, 2, ""},
		{"invalid request", 400, []string{client}, 1,
			"listing clusters: ClientException: Unable to describe task definition. (see AWS's message: the task " +
				"definition, the service or one of their roles is not valid)"},
		{"denied", 400, []string{`{"__type":"AccessDeniedException","message":"User: x is not authorized"}`}, 1,
			"listing clusters: AccessDeniedException: User: x is not authorized (AWS does not say what it denied: " +
				"find the call in CloudTrail, and allow it in the policy of the caller, which this prints: " +
				"aws sts get-caller-identity)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				a := &answers{bodies: tt.bodies, status: tt.status}
				err := describe(ctx, a)
				if a.got != tt.calls {
					t.Errorf("%d calls, want %d", a.got, tt.calls)
				}
				if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		})
	}
}

// TestNeverPastTheDeadline checks that retries end before the deadline, with the
// last answer and not with "context deadline exceeded".
func TestNeverPastTheDeadline(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{50 * time.Millisecond, time.Second, 20 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			a := &answers{bodies: []string{throttled}, status: 400}
			err := describe(ctx, a)
			if !IsUnavailable(err) || !errors.Is(err, Name("Throttling")) ||
				!strings.Contains(err.Error(), "ThrottlingException: Rate exceeded, after ") {
				t.Errorf("limit %s: got %v", limit, err)
			}
			if took := time.Since(start); took > limit {
				t.Errorf("limit %s: took %s", limit, took)
			} else if limit > 10*time.Second && took < limit-maxDelay-roundTrip {
				t.Errorf("limit %s: gave up after %s, with time for another attempt", limit, took)
			}
		})
	}
}

func TestWithoutDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &answers{bodies: []string{throttled}, status: 400}
		if err := describe(t.Context(), a); err == nil || a.got != maxAttempts {
			t.Errorf("%d calls, want %d; %v", a.got, maxAttempts, err)
		}
	})
}

func TestClassify(t *testing.T) {
	t.Parallel()
	if Classify("x", nil) != nil {
		t.Error("nil became a fault")
	}
	already := Rejected("Mine", "", errors.New("x"), "")
	if got := Classify("doing", already); got != already {
		t.Errorf("a fault became %v", got)
	}
	tests := []struct {
		name string
		err  error
		want string // name: text
		is   func(error) bool
	}{
		{"deadline", context.DeadlineExceeded, "Timeout: doing: context deadline exceeded", IsUnavailable},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET},
			"Unreachable: doing: read: connection reset by peer", IsUnavailable},
		{"unknown", errors.New("odd"), "Unexpected: doing: odd (" + unknownHint + ")", IsMisconfigured},
		{"modelled", &smithy.GenericAPIError{Code: "InvalidParameterException", Message: "no"},
			"InvalidParameter: doing: InvalidParameterException: no (" + badCall + ")", IsMisconfigured},
		{"under an older protocol's code", &sqstypes.QueueDoesNotExist{Message: aws.String("gone"),
			ErrorCodeOverride: aws.String("AWS.SimpleQueueService.NonExistentQueue")},
			"QueueDoesNotExist: doing: AWS.SimpleQueueService.NonExistentQueue: gone (check the queue's URL and " +
				"region, and the account of these credentials)", IsMisconfigured},
		{"not modelled", &smithy.GenericAPIError{Code: "NewException", Message: "new"},
			"New: doing: NewException: new (" + unknownHint + ")", IsMisconfigured},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Classify("doing", tt.err)
			if got := NameOf(err) + ": " + err.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !tt.is(err) || !errors.Is(err, tt.err) {
				t.Errorf("%T is of another class, or does not wrap its cause", err)
			}
		})
	}
}

// TestMayHaveTakenEffect checks after which answers of ECS a call has not taken effect.
func TestMayHaveTakenEffect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, code, message string
		want                bool
	}{
		{"throttled", "ThrottlingException", "Rate exceeded", false},
		{"concurrent revisions", "ClientException",
			"Too many concurrent attempts to create a new revision of the specified family.", false},
		{"rejected", "ClientException", "Family contains invalid characters.", false},
		{"server error", "ServerException", "Service Unavailable. Please try again later.", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := &smithy.GenericAPIError{Code: tt.code, Message: tt.message}
			if got := MayHaveTakenEffect(err); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if got := UntilDeadlineIfRejected(t.Context()).IsErrorRetryable(err); got && tt.want {
				t.Error("it is retried")
			}
		})
	}
}
