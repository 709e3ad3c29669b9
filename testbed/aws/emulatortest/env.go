package emulatortest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
)

// StartTime is when the clock of an [Env] starts. It has no fraction of a second, so that events have it exactly.
var StartTime = time.Date(2026, 1, 22, 9, 30, 0, 0, time.UTC)

// An Env is an emulator that a test calls, with a clock that the test moves.
type Env struct {
	AWS   *emulator.Emulator
	Clock *emulator.Clock
	URL   string
}

// New starts an emulator whose rollout steps take a minute. See [Start].
func New(tb testing.TB, o emulator.Options) *Env {
	tb.Helper()
	clock := emulator.NewClock(StartTime)
	o.Clock, o.RolloutStep = clock.Now, time.Minute
	e, url := Start(tb, o)
	return &Env{e, clock, url}
}

// Serve is [New] for an emulator of the test's own, on which unknown operations are no errors. The Env has no clock.
func Serve(tb testing.TB, e *emulator.Emulator) *Env {
	tb.Helper()
	server := httptest.NewServer(e)
	tb.Cleanup(server.Close)
	return &Env{AWS: e, URL: server.URL}
}

// Config returns the configuration of an SDK client that signs with the access key id and does not retry.
func (e *Env) Config(key string) aws.Config {
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     &e.URL,
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: "secret"}, nil
		}),
	}
}

// ECS returns an SDK client of ECS that signs with the access key id.
func (e *Env) ECS(key string) *ecs.Client { return ecs.NewFromConfig(e.Config(key)) }

// ECR returns an SDK client of ECR that signs with the access key id.
func (e *Env) ECR(key string) *ecr.Client { return ecr.NewFromConfig(e.Config(key)) }

// STS returns an SDK client of STS that signs with the access key id.
func (e *Env) STS(key string) *sts.Client { return sts.NewFromConfig(e.Config(key)) }

// Raw makes one call of the JSON protocol with the access key id, and returns the status and the body of the answer.
// The operation has the form "ecs:UpdateService".
func (e *Env) Raw(tb testing.TB, key, operation, body string) (status int, answer string) {
	tb.Helper()
	service, name, _ := strings.Cut(operation, ":")
	prefix := map[string]string{
		"ecs":    "AmazonEC2ContainerServiceV20141113",
		"ecr":    "AmazonEC2ContainerRegistry_V20150921",
		"events": "AWSEvents",
	}[service]
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, e.URL, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", prefix+"."+name)
	request.Header.Set("Authorization", Authorization(key, "us-east-1", service))
	return Send(tb, request)
}

// Do is [Env.Raw] for a call that must succeed.
func (e *Env) Do(tb testing.TB, key, operation, body string) (answer string) {
	tb.Helper()
	status, answer := e.Raw(tb, key, operation, body)
	if status != http.StatusOK {
		tb.Fatalf("%s as %s: %d %s", operation, key, status, answer)
	}
	return answer
}

// Authorization returns an Authorization header as SDKs write it.
func Authorization(key, region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20260122/" + region + "/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
}

// Send sends a request and returns the status and the body of the answer, which must have a request id.
func Send(tb testing.TB, request *http.Request) (status int, answer string) {
	tb.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("X-Amzn-RequestId") == "" {
		tb.Errorf("%s: the answer has no request id", request.Header.Get("X-Amz-Target"))
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// WantError fails the test unless err is an error answer with the code and the message.
func WantError(tb testing.TB, err error, code, message string) {
	tb.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		tb.Fatalf("got error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || api.ErrorMessage() != message {
		tb.Errorf("got error %s: %s\nwant %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}

// Policy parses a policy document.
func Policy(tb testing.TB, text string) *iam.Document {
	tb.Helper()
	d, err := iam.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// Allow returns a policy document that allows the action on the resource.
func Allow(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource +
		`"}]}`
}

var uuidForm = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// HideUUIDs replaces every UUID in a text with ID.
func HideUUIDs(text string) string { return uuidForm.ReplaceAllString(text, "ID") }
