// Package signed makes single signed calls to services of AWS of which the
// deployer needs one operation: a client of the SDK for SSM and one for SNS
// would make the function's binary larger by a tenth, and every cold start
// longer.
package signed

import (
	"bytes"
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

	"deployer/internal/fault"
	"deployer/internal/image"
)

// Client calls with the credentials, and to the endpoint, of an SDK's
// configuration. It is safe for concurrent use.
type Client struct{ config aws.Config }

// New returns a client in the region of config.
func New(config aws.Config) Client { return Client{config} }

const (
	mostAnswer   = 1 << 20 // bytes of an answer that are read
	mostAttempts = 12
)

// JSON calls an operation in the AWS JSON 1.1 protocol, such as
// "AmazonSSM.GetParameter" of service "ssm", and reads its answer into out.
// Doing says for the error, which is a fault of package fault, what was done.
// What passes is tried again until the deadline of ctx.
func (c Client) JSON(ctx context.Context, service, target, doing string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Classify(doing, err)
	}
	answer, err := c.call(ctx, service, doing, body, http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}})
	if err != nil {
		return err
	}
	return fault.Classify(doing, json.Unmarshal(answer, out))
}

// Form calls an operation in the AWS query protocol, with its parameters; its
// answer is of no interest. The error is as that of [Client.JSON].
func (c Client) Form(ctx context.Context, service, doing string, parameters url.Values) error {
	_, err := c.call(ctx, service, doing, []byte(parameters.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}})
	return err
}

// call makes a call, and once more while its failure is one that passes.
func (c Client) call(ctx context.Context, service, doing string, body []byte, header http.Header) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		answer, err := c.once(ctx, service, body, header)
		if err == nil {
			return answer, nil
		}
		if f := fault.Classify(doing, err); !fault.IsUnavailable(f) || attempt == mostAttempts {
			return nil, f
		}
		if late := fault.Backoff(ctx, attempt, doing, err); late != nil {
			return nil, late
		}
	}
}

// once makes a call once.
func (c Client) once(ctx context.Context, service string, body []byte, header http.Header) ([]byte, error) {
	endpoint := "https://" + service + "." + c.config.Region + "." + image.PartitionOf(c.config.Region).Suffix
	if c.config.BaseEndpoint != nil {
		endpoint = *c.config.BaseEndpoint
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), service, c.config.Region, time.Now()); err != nil {
		return nil, err
	}
	client := c.config.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(answer.StatusCode, text)
	}
	return text, err
}

// refusal reads an answer that is an error: of either protocol, or of something
// in between that speaks neither.
func refusal(status int, text []byte) error {
	var j struct {
		Type    string `json:"__type"`
		Message string
	}
	var x struct {
		Error struct{ Code, Message string }
	}
	e := &smithy.GenericAPIError{Code: fmt.Sprintf("HTTP%d", status)}
	switch {
	case json.Unmarshal(text, &j) == nil && j.Type != "":
		e.Code, e.Message = j.Type[strings.LastIndexByte(j.Type, '#')+1:], j.Message
	case xml.Unmarshal(text, &x) == nil && x.Error.Code != "":
		e.Code, e.Message = x.Error.Code, x.Error.Message
	case status >= http.StatusInternalServerError:
		e.Code = "ServiceUnavailable"
	}
	return e
}
