package signed

import (
	"context"
	"errors"
	"fmt"
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

// wire is an HTTP client with fixed answers, which records its requests.
type wire struct {
	answers  []answer // the last one is repeated
	requests []*http.Request
	bodies   []string
	header   http.Header // of the answers
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
	response := io.NopCloser(strings.NewReader(a.body))
	return &http.Response{StatusCode: a.status, Header: w.header.Clone(), Body: response, Request: r}, nil
}

// client returns a client in a region whose HTTP client is w.
func (w *wire) client(region string) Client {
	credentials := func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "session"}, nil
	}
	return New(aws.Config{Region: region, HTTPClient: w, Credentials: aws.CredentialsProviderFunc(credentials)})
}

// ssmTarget and queryType are what the requests of the two protocols have.
const (
	ssmTarget = "AmazonSSM.GetParameter"
	queryType = "application/x-www-form-urlencoded; charset=utf-8"
)

// TestCall checks where calls go, and which of their headers are signed.
func TestCall(t *testing.T) {
	t.Parallel()
	w := &wire{answers: []answer{{200, `{"Parameter": {"Value": "v"}}`, nil}}}
	var out struct{ Parameter struct{ Value string } }
	err := w.client("us-east-1").JSON(t.Context(), "ssm", ssmTarget, "reading", map[string]string{"Name": "/n"}, &out)
	if err != nil || out.Parameter.Value != "v" {
		t.Fatal(out, err)
	}
	parameters := url.Values{"Action": {"Publish"}, "Message": {"a b&c"}}
	if err := w.client("cn-north-1").Query(t.Context(), "sns", "publishing", parameters, nil); err != nil {
		t.Fatal(err)
	}
	type call struct{ URL, Scope, Signed, Token, Target, ContentType, Body string }
	var got []call
	for i, r := range w.requests {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=AKID/")
		scope, rest, _ := strings.Cut(scope[len("20060102/"):], ", ")
		signed, _, _ := strings.Cut(strings.TrimPrefix(rest, "SignedHeaders="), ", ")
		got = append(got, call{
			URL: r.Method + " " + r.URL.String(), Scope: scope, Signed: signed, Body: w.bodies[i],
			Token: r.Header.Get("X-Amz-Security-Token"), Target: r.Header.Get("X-Amz-Target"),
			ContentType: r.Header.Get("Content-Type"),
		})
	}
	const headers = "content-length;content-type;host;x-amz-date;x-amz-security-token"
	want := []call{{
		URL: "POST https://ssm.us-east-1.amazonaws.com/", Scope: "us-east-1/ssm/aws4_request",
		Signed: headers + ";x-amz-target", Token: "session", Target: ssmTarget,
		ContentType: "application/x-amz-json-1.1", Body: `{"Name":"/n"}`,
	}, {
		URL: "POST https://sns.cn-north-1.amazonaws.com.cn/", Scope: "cn-north-1/sns/aws4_request",
		Signed: headers, Token: "session", ContentType: queryType, Body: "Action=Publish&Message=a+b%26c",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestUserAgent checks what CloudTrail shows of a caller.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"": "deployer", "ops team": "deployer app/ops+team"} {
		w := &wire{answers: []answer{{200, `{}`, nil}}}
		c := w.client("us-east-1")
		c.config.AppID = id
		err := c.Query(t.Context(), "sns", "publishing", url.Values{}, nil)
		if got := w.requests[0].Header.Get("User-Agent"); got != want || err != nil {
			t.Errorf("AppID %q: %q, %v; want %q", id, got, err, want)
		}
	}
}

// TestFaults checks the faults of calls, on fake time: transient ones are retried
// until the deadline, or twelve times if there is none.
func TestFaults(t *testing.T) {
	t.Parallel()
	const (
		throttled = `{"__type": "com.amazonaws.ssm#ThrottlingException", "message": "Rate exceeded"}`
		notFound  = `{"__type": "com.amazonaws.ssm#ParameterNotFound", "Message": "no"}`
		denied    = `<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>
			<Message>no</Message></Error></ErrorResponse>`
	)
	for _, tt := range []struct {
		name    string
		answers []answer
		limit   time.Duration // 0 for no deadline
		calls   int           // 0 for more than one
		want    string        // the beginning of the error
		fault   string
	}{
		{"in JSON", []answer{{400, notFound, nil}}, 0, 1, "doing: ParameterNotFound: no " +
			"(create it with the infrastructure, or name the right one in the environment file)", "ParameterNotFound"},
		{"in XML", []answer{{403, denied, nil}}, 0, 1,
			"doing: AuthorizationError: no (AWS does not say what it denied: find the call in CloudTrail, " +
				"and allow it in the policy of the caller, which this prints: aws sts get-caller-identity)",
			"AuthorizationError"},
		{"of a proxy", []answer{{403, `<html>Forbidden</html>`, nil}}, 0, 1, "doing: ", "HTTP403"},
		{"not JSON", []answer{{200, `<html>`, nil}}, 0, maxAttempts,
			"doing: the answer is not one of AWS's: HTTP status 200 (something between may have answered",
			"UnreadableAnswer"},
		{"not JSON once", []answer{{200, `<html>`, nil}, {200, `{}`, nil}}, 0, 2, "", ""},
		{"throttled once", []answer{{400, throttled, nil}, {200, `{}`, nil}}, 0, 2, "", ""},
		{"a server fault once", []answer{{502, "Bad Gateway", nil}, {200, `{}`, nil}}, 0, 2, "", ""},
		{"always throttled", []answer{{400, throttled, nil}}, 0, maxAttempts,
			"doing: ThrottlingException: Rate exceeded", "Throttling"},
		{"throttled until the deadline", []answer{{400, throttled, nil}}, 3 * time.Second, 0,
			"doing: ThrottlingException: Rate exceeded, after ", "Throttling"},
		{"an unknown server fault once", []answer{{500, `{"__type": "Odd"}`, nil}, {200, `{}`, nil}}, 0, 2, "", ""},
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
				err := w.client("us-east-1").JSON(ctx, "ssm", ssmTarget, "doing", struct{}{}, &out)
				if tt.want == "" && err != nil {
					t.Error(err)
				}
				if tt.want != "" && (!strings.HasPrefix(fmt.Sprint(err), tt.want) || fault.NameOf(err) != tt.fault) {
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

// TestNoCredentials checks that nothing is sent without a signature.
func TestNoCredentials(t *testing.T) {
	t.Parallel()
	w := &wire{answers: []answer{{200, `{}`, nil}}}
	c := w.client("us-east-1")
	none := errors.New("no credentials")
	c.config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, none
	})
	err := c.Query(t.Context(), "sns", "publishing", url.Values{}, nil)
	if !errors.Is(err, none) || len(w.requests) != 0 {
		t.Errorf("%v after %d calls", err, len(w.requests))
	}
}

// TestPost calls an operation of the REST protocol, whose errors are named in a header.
func TestPost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer answer
		header string
		want   string
		calls  int
	}{
		"success":  {answer{status: 200, body: `{"ScheduleArn":"a"}`}, "", "", 1},
		"exists":   {answer{status: 409, body: `{"Message":"it exists"}`}, "ConflictException:http://x", "Conflict", 1},
		"denied":   {answer{status: 403, body: `{"Message":"no"}`}, "AccessDeniedException", "AccessDenied", 1},
		"no error": {answer{status: 400, body: `<html>`}, "", "HTTP400", 1},
	} {
		w := &wire{answers: []answer{tt.answer}, header: http.Header{"X-Amzn-Errortype": {tt.header}}}
		in := map[string]int{"A": 1}
		err := w.client("us-east-1").Post(t.Context(), "scheduler", "schedules/s", "scheduling", in, nil)
		got := ""
		if err != nil {
			got = fault.NameOf(err)
		}
		if got != tt.want || len(w.requests) != tt.calls {
			t.Errorf("%s: %v after %d calls, want %q", name, err, len(w.requests), tt.want)
		}
		r := w.requests[0]
		const signedFor = "/us-east-1/scheduler/aws4_request"
		if r.URL.String() != "https://scheduler.us-east-1.amazonaws.com/schedules/s" || w.bodies[0] != `{"A":1}` ||
			r.Header.Get("Content-Type") != "application/json" ||
			!strings.Contains(r.Header.Get("Authorization"), signedFor) {
			t.Errorf("%s: %s %s with %v", name, r.URL, w.bodies[0], r.Header)
		}
	}
}
