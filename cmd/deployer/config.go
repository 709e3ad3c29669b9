package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// callTimeout ends a single attempt of a call that hangs, so that there is time for another.
const callTimeout = 10 * time.Second

// loadConfig returns the SDK's own idea of credentials and endpoints, in the given region.
func loadConfig(ctx context.Context, region string) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout)))
	if err != nil {
		return c, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return c, nil
}
