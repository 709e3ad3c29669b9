package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// callTimeout ends a single attempt of a call that hangs, so that there is time for another.
const callTimeout = 10 * time.Second

// loadConfig returns the SDK's own idea of credentials and endpoints, in the given region.
func loadConfig(ctx context.Context, region string) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout)), config.WithLogger(logging.LoggerFunc(sdkLog)))
	if err != nil {
		return c, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return c, nil
}

// sdkLog takes what the SDK would write to standard error in a form of its own.
func sdkLog(level logging.Classification, format string, v ...any) {
	slog.Log(context.Background(), map[logging.Classification]slog.Level{logging.Warn: slog.LevelWarn, logging.Debug: slog.LevelDebug}[level], "from the AWS SDK", "text", fmt.Sprintf(format, v...))
}
