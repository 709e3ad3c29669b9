package awsconfig

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/logging"
)

// fromEnvironment returns the SDK's configuration from the environment variables that the
// SDK reads ("Environment variables list" in the AWS SDKs and Tools reference guide), as
// far as they concern the function. The SDK's own package would link the clients of SSO,
// STS, sign-in and instance metadata, and initialize them at each cold start.
func fromEnvironment(region string) (aws.Config, error) {
	source := environ{}
	transport := awshttp.NewBuildableClient().GetTransport()
	if file := os.Getenv("AWS_CA_BUNDLE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return aws.Config{}, fmt.Errorf("reading the AWS configuration: AWS_CA_BUNDLE: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return aws.Config{}, fmt.Errorf("reading the AWS configuration: AWS_CA_BUNDLE: %s has no certificate", file)
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	for _, name := range []string{fipsVariable, dualStackVariable, ignoreVariable} {
		if _, _, err := boolean(name); err != nil {
			return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
		}
	}
	c := aws.Config{
		Region: region, Credentials: aws.CredentialsProviderFunc(source.credentials),
		HTTPClient: newClient(transport), Logger: logging.Nop{}, AppID: os.Getenv("AWS_SDK_UA_APP_ID"),
		ConfigSources: []any{source},
	}
	if ignored, _, _ := boolean(ignoreVariable); !ignored {
		if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
			c.BaseEndpoint = aws.String(url)
		}
	}
	return c, nil
}

const (
	fipsVariable      = "AWS_USE_FIPS_ENDPOINT"
	dualStackVariable = "AWS_USE_DUALSTACK_ENDPOINT"
	ignoreVariable    = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
)

// boolean returns the value of a variable that is true or false, and whether it is set.
func boolean(name string) (value, set bool, err error) {
	switch text := os.Getenv(name); strings.ToLower(text) {
	case "":
		return false, false, nil
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	default:
		return false, false, fmt.Errorf("%s is %q, not true or false", name, text)
	}
}

// environ is a source of the SDK's configuration: the SDK's clients look for its methods.
type environ struct{}

// credentials returns Lambda's, which are the same as long as the process lives.
func (environ) credentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID:     cmp.Or(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_ACCESS_KEY")),
		SecretAccessKey: cmp.Or(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SECRET_KEY")),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"), Source: "EnvConfigCredentials",
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")
	}
	return c, nil
}

// GetUseFIPSEndpoint returns whether FIPS endpoints are called.
func (environ) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	value, set, err := boolean(fipsVariable)
	switch {
	case value:
		return aws.FIPSEndpointStateEnabled, set, err
	case set:
		return aws.FIPSEndpointStateDisabled, set, err
	}
	return aws.FIPSEndpointStateUnset, set, err
}

// GetUseDualStackEndpoint returns whether dual-stack endpoints are called.
func (environ) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	value, set, err := boolean(dualStackVariable)
	switch {
	case value:
		return aws.DualStackEndpointStateEnabled, set, err
	case set:
		return aws.DualStackEndpointStateDisabled, set, err
	}
	return aws.DualStackEndpointStateUnset, set, err
}

// GetIgnoreConfiguredEndpoints returns whether endpoints in variables are ignored.
func (environ) GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error) {
	return boolean(ignoreVariable)
}

// GetServiceBaseEndpoint returns the endpoint of one service, by the SDK's id.
func (environ) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := os.Getenv("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return url, url != "", nil
}
