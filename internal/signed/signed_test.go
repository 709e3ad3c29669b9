package signed

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
)

// wire is an HTTP client that answers by itself, and keeps what it was asked.
type wire struct {
	answers  []answer // the last one again and again
	requests []*http.Request
	bodies   []string
}

type answer struct {
	status int
	body   string
	err    error
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := w.answers[min(len(w.requests), len(w.answers)-1)]
	w.requests, w.bodies = append(w.requests, r), append(w.bodies, string(body))
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// client returns a client in a region that speaks through w.
func (w *wire) client(region string) Client {
	return New(aws.Config{Region: region, HTTPClient: w, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "session"}, nil
	})})
}

// TestCall holds where calls go, and what is signed of them.
func TestCall(t *testing.T) {
	t.Parallel()
	w := &wire{answers: []answer{{200, `{"Parameter": {"Value": "v"}}`, nil}}}
	var out struct{ Parameter struct{ Value string } }
	if err := w.client("us-east-1").JSON(t.Context(), "ssm", "AmazonSSM.GetParameter", "reading it", map[string]string{"Name": "/n"}, &out); err != nil || out.Parameter.Value != "v" {
		t.Fatal(out, err)
	}
	if err := w.client("cn-north-1").Form(t.Context(), "sns", "publishing", url.Values{"Action": {"Publish"}, "Message": {"a b&c"}}); err != nil {
		t.Fatal(err)
	}
	type call struct{ URL, Scope, Signed, Token, Target, ContentType, Body string }
	var got []call
	for i, r := range w.requests {
		authorization := r.Header.Get("Authorization")
		_, scope, _ := strings.Cut(authorization, "Credential=AKID/")
		scope, rest, _ := strings.Cut(scope[len("20060102/"):], ", ")
		signed, _, _ := strings.Cut(strings.TrimPrefix(rest, "SignedHeaders="), ", ")
		got = append(got, call{r.Method + " " + r.URL.String(), scope, signed, r.Header.Get("X-Amz-Security-Token"), r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"), w.bodies[i]})
	}
	want := []call{
		{"POST https://ssm.us-east-1.amazonaws.com/", "us-east-1/ssm/aws4_request", "content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target", "session", "AmazonSSM.GetParameter", "application/x-amz-json-1.1", `{"Name":"/n"}`},
		{"POST https://sns.cn-north-1.amazonaws.com.cn/", "cn-north-1/sns/aws4_request", "content-length;content-type;host;x-amz-date;x-amz-security-token", "session", "", "application/x-www-form-urlencoded; charset=utf-8", "Action=Publish&Message=a+b%26c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRefused holds what becomes of answers that are none, on fake time: what
// passes is tried again until the deadline, or twelve times where there is none.
func TestRefused(t *testing.T) {
	t.Parallel()
	const throttled = `{"__type": "com.amazonaws.ssm#ThrottlingException", "message": "Rate exceeded"}`
	for _, tt := range []struct {
		name    string
		answers []answer
		limit   time.Duration // 0 for no deadline
		calls   int           // 0 for more than one
		want    string
		fault   string
	}{
		{"refused in JSON", []answer{{400, `{"__type": "com.amazonaws.ssm#ParameterNotFound", "Message": "no"}`, nil}}, 0, 1,
			"doing: ParameterNotFound: no (create it with the infrastructure, or name the right one in the environment file)", "ParameterNotFound"},
		{"refused in XML", []answer{{403, `<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>`, nil}}, 0, 1,
			"doing: AuthorizationError: no (allow it in the IAM policy of the caller named above)", "AuthorizationError"},
		{"refused by something in between", []answer{{403, `<html>Forbidden</html>`, nil}}, 0, 1, "doing: ", "HTTP403"},
		{"an answer that is none", []answer{{200, `<html>`, nil}}, 0, 1, "doing: invalid character", "Unexpected"},
		{"throttled once", []answer{{400, throttled, nil}, {200, `{}`, nil}}, 0, 2, "", ""},
		{"a server fault once", []answer{{502, "Bad Gateway", nil}, {200, `{}`, nil}}, 0, 2, "", ""},
		{"throttled for ever", []answer{{400, throttled, nil}}, 0, maxAttempts, "doing: ThrottlingException: Rate exceeded", "Throttling"},
		{"throttled to the deadline", []answer{{400, throttled, nil}}, 3 * time.Second, 0, "doing: ThrottlingException: Rate exceeded, after ", "Throttling"},
		{"never connected", []answer{{err: context.DeadlineExceeded}}, time.Second, 0, "doing: ", "Timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				start := time.Now()
				if tt.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				w := &wire{answers: tt.answers}
				var out struct{}
				err := w.client("us-east-1").JSON(ctx, "ssm", "AmazonSSM.GetParameter", "doing", struct{}{}, &out)
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want) || fault.NameOf(err) != tt.fault) {
					t.Errorf("%s: %v, want %s", fault.NameOf(err), err, tt.want)
				}
				if n := len(w.requests); tt.calls > 0 && n != tt.calls || tt.calls == 0 && n < 2 {
					t.Errorf("%d calls, want %d", n, tt.calls)
				}
				if took := time.Since(start); tt.limit > 0 && took >= tt.limit {
					t.Errorf("it took %s of %s", took, tt.limit)
				}
			})
		})
	}
}

// TestNoCredentials holds that nothing is sent that could not be signed.
func TestNoCredentials(t *testing.T) {
	t.Parallel()
	w := &wire{answers: []answer{{200, `{}`, nil}}}
	c := w.client("us-east-1")
	none := errors.New("no credentials")
	c.config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, none })
	if err := c.Form(t.Context(), "sns", "publishing", url.Values{}); !errors.Is(err, none) || len(w.requests) != 0 {
		t.Errorf("%v after %d calls", err, len(w.requests))
	}
}
