// Package awsconfig loads the AWS configuration that the function and the command
// line share.
package awsconfig

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
)

// Load returns the SDK's configuration (credentials, endpoints, certificates, proxies)
// for a region. It retrieves credentials once, so that missing ones are reported here and
// not by the first call: the error is a [fault.Misconfiguration] named "NoCredentials".
// All clients of the SDK that are made of it share one [Client]. The SDK's own log is
// discarded: its lines are not JSON, and its errors hold what matters of them.
//
// The command line reads the environment and the files of the AWS CLI. The function's
// build reads the environment only, where Lambda puts everything.
func Load(ctx context.Context, region string) (aws.Config, error) {
	return LoadProfile(ctx, region, "")
}

// LoadProfile is [Load] with a profile of the shared configuration files, which takes
// precedence over credentials in environment variables. The profile "" stands for none in
// particular. The function's build does not read profiles.
func LoadProfile(ctx context.Context, region, profile string) (aws.Config, error) {
	c, err := load(ctx, region, profile)
	if err != nil {
		return c, err
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		if strings.Contains(err.Error(), "no EC2 IMDS role found") { // the last place where the SDK looks
			err = fmt.Errorf("there are no AWS credentials in variables, in a profile or of this machine: %w", err)
		}
		return c, fault.Misconfigured(fault.ErrNoCredentials, "looking for AWS credentials", err,
			"aws sso login # with AWS CLI v2; or set AWS_PROFILE to a profile with credentials")
	}
	return c, nil
}
