// Package awsconfig loads the AWS configuration that the function and the command
// line share.
package awsconfig

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"deployer/internal/fault"
)

// Load returns the SDK's configuration (credentials, endpoints, retries) for a
// region. It retrieves credentials once, so that missing ones are reported here
// and not by the first call: the error is a [fault.Misconfiguration] named
// "NoCredentials". All clients of the SDK that are made of it share one [Client], with
// the SDK's settings of certificates and proxies. The SDK's own log is discarded: its lines are not JSON, and
// its errors hold what matters of them.
func Load(ctx context.Context, region string) (aws.Config, error) {
	return load(ctx, region)
}

// LoadProfile is [Load] with a profile of the shared configuration files, which takes precedence
// over credentials in environment variables. The profile "" stands for none in particular.
func LoadProfile(ctx context.Context, region, profile string) (aws.Config, error) {
	if profile == "" {
		return load(ctx, region)
	}
	return load(ctx, region, config.WithSharedConfigProfile(profile))
}

func load(ctx context.Context, region string, more ...func(*config.LoadOptions) error) (aws.Config, error) {
	buildable := awshttp.NewBuildableClient()
	c, err := config.LoadDefaultConfig(ctx, append(more, config.WithRegion(region), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(buildable))...)
	if err != nil {
		return c, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if with, ok := c.HTTPClient.(*awshttp.BuildableClient); ok { // another one if AWS_CA_BUNDLE is set
		buildable = with
	}
	c.HTTPClient = newClient(buildable.GetTransport())
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return c, fault.Misconfigured(fault.ErrNoCredentials, "looking for AWS credentials", err,
			"aws sso login # with AWS CLI v2; or set AWS_PROFILE to a profile with credentials")
	}
	return c, nil
}
