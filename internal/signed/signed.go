// Package signed makes signed calls to services of which the function needs few
// operations. A call goes to the endpoint that a client of the SDK would call, with
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
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"deployer/internal/fault"
)

// Client calls services with the credentials, in the region and at the endpoints
// of an SDK configuration. It is safe for concurrent use.
type Client struct {
	config aws.Config
	ahead  *atomic.Int64 // how much AWS's clock is ahead of this machine's, in nanoseconds
}

// New returns a client with the SDK configuration config.
func New(config aws.Config) Client { return Client{config, &atomic.Int64{}} }

const (
	maxAnswer   = 32 << 20 // bytes of an answer that are read: manifests of images have up to 4 MiB
	maxAttempts = 12
)

// jsonVersions are the versions of the AWS JSON protocol that services speak, if not
// 1.1.
var jsonVersions = map[string]string{"sqs": "1.0"}

// JSON calls an operation in the AWS JSON protocol, such as
// "AmazonSSM.GetParameter" of service "ssm", and decodes its answer into out. If in is a
// [json.RawMessage], it is sent as it is. The error is a fault of package fault, in which
// doing is the operation in gerund form. Transient faults are retried until the deadline
// of ctx, but not a [Conflict].
func (c Client) JSON(ctx context.Context, service, target, doing string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return fault.Classify(doing, err)
	}
	version := cmp.Or(jsonVersions[service], "1.1")
	header := http.Header{"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target}}
	return c.call(ctx, request{service: service, body: body, header: header}, doing, out)
}

// Call is [Client.JSON] for an operation on which a deployment waits. The error is not
// classified: it is a [smithy.OperationError], as of the SDK's clients. Like theirs under
// [fault.UntilDeadline], transient faults are retried until the deadline of ctx, however
// often.
func (c Client) Call(ctx context.Context, service, target string, in, out any) error {
	body, err := encode(in)
	if err == nil {
		header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}}
		most := fault.UntilDeadline(ctx).MaxAttempts()
		err = c.repeat(ctx, request{service: service, body: body, header: header, strict: true}, most, out)
	}
	if err == nil {
		return nil
	}
	operation := target[strings.LastIndexByte(target, '.')+1:]
	return &smithy.OperationError{ServiceID: strings.ToUpper(service), OperationName: operation, Err: err}
}

// Query calls an operation in the AWS query protocol with its parameters, and decodes the
// answer, which is XML, into out. Doing, the error and the retries are as in [Client.JSON].
func (c Client) Query(ctx context.Context, service, doing string, parameters url.Values, out any) error {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	r := request{service: service, body: []byte(parameters.Encode()), header: header, decode: xml.Unmarshal}
	return c.call(ctx, r, doing, out)
}

// Post calls an operation in the REST JSON protocol that is POST on a path, and decodes its
// answer into out. Path has no leading slash. Doing, the error and the retries are as in
// [Client.JSON].
func (c Client) Post(ctx context.Context, service, path, doing string, in, out any) error {
	return c.rest(ctx, request{service: service, method: http.MethodPost, path: path}, doing, in, out)
}

// Put is [Client.Post] for an operation that is PUT on a path.
func (c Client) Put(ctx context.Context, service, path, doing string, in, out any) error {
	return c.rest(ctx, request{service: service, method: http.MethodPut, path: path}, doing, in, out)
}

// Get is [Client.Post] for an operation that is GET on a path with a query, and decodes
// its answer into out.
func (c Client) Get(ctx context.Context, service, path string, query url.Values, doing string, out any) error {
	r := request{service: service, method: http.MethodGet, path: path, query: query.Encode()}
	return c.rest(ctx, r, doing, nil, out)
}

// rest calls an operation in the REST JSON protocol.
func (c Client) rest(ctx context.Context, r request, doing string, in, out any) (err error) {
	if in != nil {
		if r.body, err = encode(in); err != nil {
			return fault.Classify(doing, err)
		}
	}
	r.header = http.Header{"Content-Type": {"application/json"}}
	return c.call(ctx, r, doing, out)
}

// encode returns a value as JSON. What is JSON already is left as it is.
func encode(in any) ([]byte, error) {
	if raw, ok := in.(json.RawMessage); ok {
		return raw, nil
	}
	return json.Marshal(in)
}

// request is a request without its signature.
type request struct {
	service string
	method  string // "" for POST
	path    string // without a leading slash
	query   string
	header  http.Header
	body    []byte
	strict  bool                             // an answer that is not JSON is not one of AWS's
	decode  func(text []byte, out any) error // nil for JSON
}

// call makes a call, and repeats it while its fault is transient. It decodes the answer
// into out, unless that is nil.
func (c Client) call(ctx context.Context, r request, doing string, out any) error {
	return fault.Classify(doing, c.repeat(ctx, r, maxAttempts, out))
}

// repeat makes at most so many attempts of a call, or any number if most is 0, until one
// succeeds, its fault is not transient, or the deadline of ctx leaves no time for another
// one. It returns the last attempt's error.
func (c Client) repeat(ctx context.Context, r request, most int, out any) error {
	retries := fault.UntilDeadline(ctx)
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, r, out)
		if c.corrected(err) {
			err = c.once(ctx, r, out)
		}
		if err == nil || attempt == most || Conflict(err) || !fault.IsUnavailable(fault.Classify("calling", err)) {
			return err
		}
		delay, late := retries.RetryDelay(attempt, err)
		if late != nil {
			return late
		}
		if fault.Wait(ctx, delay) != nil {
			return err
		}
	}
}

// Conflict reports whether AWS refused a change because of another one at the same time.
// Such a call is not retried: what it writes has to be read again.
func Conflict(err error) bool {
	return fault.HasCode(err, "ConflictException") || fault.HasCode(err, "ConcurrentModificationException")
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
func (c Client) once(ctx context.Context, r request, out any) error {
	endpoint, err := c.endpoint(ctx, r.service)
	if err != nil {
		return err
	}
	endpoint = strings.TrimSuffix(endpoint, "/") + "/" + r.path
	if r.query != "" {
		endpoint += "?" + r.query
	}
	method := cmp.Or(r.method, http.MethodPost)
	request, err := http.NewRequestWithContext(ctx, method, endpoint, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	request.Header = r.header.Clone()
	request.Header.Set("User-Agent", c.userAgent())
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(r.body)
	hexHash, region := hex.EncodeToString(hash[:]), signingRegion(r.service, c.config.Region)
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hexHash, r.service, region, c.now())
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
		return c.failure(r, answer, text)
	case err != nil || out == nil:
		return err
	}
	decode := r.decode
	if decode == nil {
		decode = json.Unmarshal
	}
	if err := decode(text, out); err != nil { // as the SDK reports an answer that it cannot read
		return unreadable(answer, err)
	}
	return nil
}
