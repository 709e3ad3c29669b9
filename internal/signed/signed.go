// Package signed makes signed calls to services of which the deployer needs one or
// two operations. A call goes to the endpoint that a client of the SDK would call, with
// the same credentials. The SDK's client for Systems Manager alone would make each
// cold start longer by two milliseconds (docs/architecture.md).
package signed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/internal/fault"
)

// Client calls services with the credentials, in the region and at the endpoints
// of an SDK configuration. It is safe for concurrent use.
type Client struct{ config aws.Config }

// New returns a client with the SDK configuration config.
func New(config aws.Config) Client { return Client{config} }

const (
	maxAnswer   = 1 << 20 // bytes of an answer that are read
	maxAttempts = 12
)

// jsonVersions are the versions of the AWS JSON protocol that services speak, if not
// 1.1.
var jsonVersions = map[string]string{"sqs": "1.0"}

// JSON calls an operation in the AWS JSON protocol, such as
// "AmazonSSM.GetParameter" of service "ssm", and decodes its answer into out. The
// error is a fault of package fault, in which doing is the operation in gerund
// form. Transient faults are retried until the deadline of ctx.
func (c Client) JSON(ctx context.Context, service, target, doing string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Classify(doing, err)
	}
	version := cmp.Or(jsonVersions[service], "1.1")
	header := http.Header{"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target}}
	return c.call(ctx, service, doing, body, header, out)
}

// Form calls an operation in the AWS query protocol with its parameters, and
// ignores its answer. Doing, the error and the retries are as in [Client.JSON].
func (c Client) Form(ctx context.Context, service, doing string, parameters url.Values) error {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	return c.call(ctx, service, doing, []byte(parameters.Encode()), header, nil)
}

// Post calls an operation in the REST JSON protocol that is POST on a path, and ignores
// its answer. Path has no leading slash. Doing, the error and the retries are as in
// [Client.JSON], but a ConflictException is not retried.
func (c Client) Post(ctx context.Context, service, path, doing string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Classify(doing, err)
	}
	return c.call(ctx, service+"/"+path, doing, body, http.Header{"Content-Type": {"application/json"}}, nil)
}

// call makes a call, and repeats it while its fault is transient. It decodes a JSON
// answer into out, unless that is nil. Target is the service, with a path after a slash
// if it has one.
func (c Client) call(ctx context.Context, target, doing string, body []byte, header http.Header, out any) error {
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, target, body, header, out)
		if err == nil {
			return nil
		}
		classified := fault.Classify(doing, err)
		if !fault.IsUnavailable(classified) || attempt == maxAttempts || fault.HasCode(err, "ConflictException") {
			return classified
		}
		if late := fault.Backoff(ctx, attempt, doing, err); late != nil {
			return late
		}
	}
}

// userAgent returns what CloudTrail shows of a call, with the application's id that
// the SDK's configuration sets (AWS_SDK_UA_APP_ID), as the SDK's clients send it.
func (c Client) userAgent() string {
	if c.config.AppID == "" {
		return "deployer"
	}
	return "deployer app/" + url.QueryEscape(c.config.AppID)
}

// once makes a call without retries.
func (c Client) once(ctx context.Context, target string, body []byte, header http.Header, out any) error {
	service, path, _ := strings.Cut(target, "/")
	endpoint, err := c.endpoint(ctx, service)
	if err != nil {
		return err
	}
	endpoint = strings.TrimSuffix(endpoint, "/") + "/" + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	request.Header.Set("User-Agent", c.userAgent())
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(body)
	hexHash, region := hex.EncodeToString(hash[:]), c.config.Region
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hexHash, service, region, time.Now())
	if err != nil {
		return err
	}
	client := c.config.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case answer.StatusCode != http.StatusOK:
		return apiError(answer.StatusCode, answer.Header.Get("X-Amzn-ErrorType"), text)
	case err != nil || out == nil:
		return err
	}
	if err := json.Unmarshal(text, out); err != nil { // as the SDK reports an answer that it cannot read
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: err}
	}
	return nil
}

// apiError returns the error in an answer of any of the protocols, or of a proxy that
// answers in none. Named is the header in which the REST protocol names the error, with
// an address after a colon ("Operation error serialization" of Smithy's AWS restJson1).
func apiError(status int, named string, text []byte) error {
	var j struct {
		Type    string `json:"__type"`
		Message string
	}
	var x struct {
		Error struct{ Code, Message string }
	}
	e := &smithy.GenericAPIError{Code: fmt.Sprintf("HTTP%d", status)}
	switch {
	case named != "" && json.Unmarshal(text, &j) == nil:
		e.Code, _, _ = strings.Cut(named, ":")
		e.Message = j.Message
	case json.Unmarshal(text, &j) == nil && j.Type != "":
		e.Code, e.Message = j.Type[strings.LastIndexByte(j.Type, '#')+1:], j.Message
	case xml.Unmarshal(text, &x) == nil && x.Error.Code != "":
		e.Code, e.Message = x.Error.Code, x.Error.Message
	case status >= http.StatusInternalServerError:
		e.Code = "ServiceUnavailable"
	}
	return e
}
