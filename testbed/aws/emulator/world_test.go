package emulator_test

import (
	"context"
	"errors"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// The accounts of the tests.
const (
	dev  = "111111111111"
	prod = "333333333333"
)

// start is a time with no fraction, so that events have it exactly.
var start = time.Date(2026, 1, 22, 9, 30, 0, 0, time.UTC)

// A world is an emulator with a clock that the test moves.
type world struct {
	*emulator.Emulator
	clock *emulator.Clock
	url   string
}

// newWorld starts an emulator whose rollouts take a minute for each step.
func newWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	clock := emulator.NewClock(start)
	o.Clock, o.RolloutStep = clock.Now, time.Minute
	e, url := emulatortest.Start(t, o)
	return &world{e, clock, url}
}

// config is that of an SDK client which signs with the access key id.
func (w *world) config(key string) aws.Config {
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     &w.url,
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: "secret"}, nil
		}),
	}
}

func (w *world) ecs(key string) *ecs.Client { return ecs.NewFromConfig(w.config(key)) }
func (w *world) ecr(key string) *ecr.Client { return ecr.NewFromConfig(w.config(key)) }
func (w *world) sts(key string) *sts.Client { return sts.NewFromConfig(w.config(key)) }

// raw sends one call of the JSON protocol in the name of the access key id, and returns
// the status and the body of the answer. A name such as "ecs:UpdateService" is the operation.
func (w *world) raw(t *testing.T, key, name, body string) (int, string) {
	t.Helper()
	service, operation, _ := strings.Cut(name, ":")
	prefix := map[string]string{
		"ecs":    "AmazonEC2ContainerServiceV20141113",
		"ecr":    "AmazonEC2ContainerRegistry_V20150921",
		"events": "AWSEvents",
	}[service]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", prefix+"."+operation)
	request.Header.Set("Authorization", authorization(key, "us-east-1", service))
	return send(t, request)
}

// authorization is a header as the signers of SDKs write it.
func authorization(key, region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20260122/" + region + "/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
}

// send returns the status and the body of the answer.
func send(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("X-Amzn-RequestId") == "" {
		t.Errorf("%s: no request id", request.Header.Get("X-Amz-Target"))
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// do sends a call that must succeed and returns the answer.
func (w *world) do(t *testing.T, key, name, body string) string {
	t.Helper()
	status, answer := w.raw(t, key, name, body)
	if status != http.StatusOK {
		t.Fatalf("%s as %s: %d %s", name, key, status, answer)
	}
	return answer
}

// serve is newWorld for an emulator that there is already.
func serve(t *testing.T, e *emulator.Emulator) *world {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return &world{Emulator: e, url: server.URL}
}

// wantError fails the test unless the error is the service's, with exactly the code and
// the message.
func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want %s", err, code)
	}
	got := [2]string{api.ErrorCode(), api.ErrorMessage()}
	if diff := cmp.Diff([2]string{code, message}, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
