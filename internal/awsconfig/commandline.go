//go:build !function

package awsconfig

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

func load(ctx context.Context, region, profile string) (aws.Config, error) {
	buildable := awshttp.NewBuildableClient()
	options := []func(*config.LoadOptions) error{config.WithRegion(region), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(buildable)}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if with, ok := c.HTTPClient.(*awshttp.BuildableClient); ok { // another one if AWS_CA_BUNDLE is set
		buildable = with
	}
	c.HTTPClient = newClient(buildable.GetTransport())
	return c, nil
}

// NoProfile reports whether err of [LoadProfile] is that the machine does not have the
// profile.
func NoProfile(err error) bool { return errors.As(err, new(config.SharedConfigProfileNotExistError)) }
