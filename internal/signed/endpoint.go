package signed

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/image"
)

// dualStackSuffixes are the DNS suffixes of dual-stack endpoints by partition.
var dualStackSuffixes = map[string]string{
	"aws":        "api.aws",
	"aws-cn":     "api.amazonwebservices.com.cn",
	"aws-us-gov": "api.aws",
	"aws-iso":    "api.aws.ic.gov",
	"aws-iso-b":  "api.aws.scloud",
	"aws-iso-e":  "api.cloud-aws.adc-e.uk",
	"aws-iso-f":  "api.aws.hci.ic.gov",
	"aws-eusc":   "api.amazonwebservices.eu",
}

// Endpoint returns the URL that calls of a service go to.
func (c Client) Endpoint(ctx context.Context, service string) (*url.URL, error) {
	text, err := c.endpoint(ctx, service)
	if err != nil {
		return nil, err
	}
	return url.Parse(text)
}

// endpoint returns the URL of a service as a client of the SDK with the same
// configuration resolves it: from AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL,
// AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and the profile's settings of
// the same meaning. The rules of most services differ in the name only; see "Endpoint
// rules" in the sources of the SDK's clients.
func (c Client) endpoint(ctx context.Context, service string) (string, error) {
	fips, err := setting(c.config.ConfigSources, func(p fipsProvider) (bool, bool, error) {
		state, found, err := p.GetUseFIPSEndpoint(ctx)
		return state == aws.FIPSEndpointStateEnabled, found, err
	})
	if err != nil {
		return "", err
	}
	dualStack, err := setting(c.config.ConfigSources, func(p dualStackProvider) (bool, bool, error) {
		state, found, err := p.GetUseDualStackEndpoint(ctx)
		return state == aws.DualStackEndpointStateEnabled, found, err
	})
	if err != nil {
		return "", err
	}
	custom, err := c.customEndpoint(ctx, service)
	switch {
	case err != nil:
		return "", err
	case custom != "" && fips:
		return "", errors.New("a custom endpoint cannot be a FIPS endpoint: unset AWS_USE_FIPS_ENDPOINT or its URL")
	case custom != "" && dualStack:
		return "", errors.New("a custom endpoint cannot be dual-stack: unset AWS_USE_DUALSTACK_ENDPOINT or its URL")
	case custom != "":
		return custom, nil
	}
	return regional(service, c.config.Region, fips, dualStack), nil
}

// iamRegions are the regions of IAM by partition: it has one endpoint in each.
var iamRegions = map[string]string{"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1",
	"aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1", "aws-iso-e": "eu-isoe-west-1",
	"aws-iso-f": "us-isof-south-1", "aws-eusc": "eusc-de-east-1"}

// signingRegion returns the region that a call of a service is signed for.
func signingRegion(service, region string) string {
	if service == "iam" {
		return iamRegions[image.PartitionOf(region).Name]
	}
	return region
}

// ofIAM returns the URL of IAM's endpoint. Its dual-stack endpoints are not used.
func ofIAM(region string, fips bool) string {
	partition := image.PartitionOf(region)
	switch {
	case partition.Name == "aws" && fips:
		return "https://iam-fips.amazonaws.com"
	case partition.Name == "aws":
		return "https://iam.amazonaws.com"
	case partition.Name == "aws-us-gov": // it is a FIPS endpoint
		return "https://iam.us-gov.amazonaws.com"
	}
	return "https://iam." + iamRegions[partition.Name] + "." + partition.Suffix
}

// regional returns the URL of AWS's own endpoint in a region.
func regional(service, region string, fips, dualStack bool) string {
	if service == "iam" {
		return ofIAM(region, fips)
	}
	partition, prefix := image.PartitionOf(region), ""
	suffix := partition.Suffix
	// In AWS GovCloud the plain endpoints of most services are FIPS endpoints, and of
	// EventBridge the dual-stack ones too.
	plain := partition.Name == "aws-us-gov" && (!dualStack || service == "events")
	switch service {
	case "ecr":
		plain = false
		if !dualStack {
			prefix = "api."
		}
	case "ecs":
		plain = false
	}
	if dualStack {
		suffix = dualStackSuffixes[partition.Name]
	}
	if fips && !plain {
		service += "-fips"
	}
	return "https://" + prefix + service + "." + region + "." + suffix
}

// customEndpoint returns the URL that the configuration sets for a service, ""
// if it sets none. The SDK's id of a service is its name in upper case, except for
// EventBridge.
func (c Client) customEndpoint(ctx context.Context, service string) (string, error) {
	id := strings.ToUpper(service)
	switch service {
	case "events":
		id = "EVENTBRIDGE"
	case "logs":
		id = "CLOUDWATCH_LOGS"
	}
	all := aws.ToString(c.config.BaseEndpoint)
	_, allSet := os.LookupEnv("AWS_ENDPOINT_URL")
	_, oneSet := os.LookupEnv("AWS_ENDPOINT_URL_" + id)
	if allSet && !oneSet { // then it comes before the profile's URL of the service
		return all, nil
	}
	ignore, err := setting(c.config.ConfigSources, func(p ignoreProvider) (bool, bool, error) {
		return p.GetIgnoreConfiguredEndpoints(ctx)
	})
	if err != nil || ignore {
		return all, err
	}
	one, err := setting(c.config.ConfigSources, func(p endpointProvider) (string, bool, error) {
		return p.GetServiceBaseEndpoint(ctx, id)
	})
	if err != nil || one == "" {
		return all, err
	}
	return one, nil
}

// The sources of an SDK's configuration implement these. The SDK declares them in
// a package that only its own clients can import.
type (
	fipsProvider interface {
		GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
	}
	dualStackProvider interface {
		GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
	}
	ignoreProvider interface {
		GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
	}
	endpointProvider interface {
		GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
	}
)

// setting returns the value of the first source that has one, else the zero value.
func setting[P, V any](sources []any, get func(P) (V, bool, error)) (value V, err error) {
	for _, source := range sources {
		p, ok := source.(P)
		if !ok {
			continue
		}
		if v, found, err := get(p); found || err != nil {
			return v, err
		}
	}
	return value, nil
}
