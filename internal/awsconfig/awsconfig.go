// Package awsconfig loads the AWS configuration that the function and the command
// line share.
package awsconfig

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"deployer/internal/fault"
)

// callTimeout ends a single attempt of a call that hangs, so that there is time for another.
const callTimeout = 10 * time.Second

// Load returns the SDK's configuration (credentials, endpoints, retries) for a
// region. It retrieves credentials once, so that missing ones are reported here
// and not by the first call: the error is a [fault.Misconfiguration] named
// "NoCredentials". The SDK's own log is discarded: its lines are not JSON, and
// its errors hold what matters of them.
func Load(ctx context.Context, region string) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout)))
	if err != nil {
		return c, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return c, fault.Misconfigured(fault.ErrNoCredentials, "looking for AWS credentials", err,
			"aws sso login # with AWS CLI v2; or set AWS_PROFILE to a profile with credentials")
	}
	return c, nil
}
