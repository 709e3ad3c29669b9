package signed

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/internal/image"
)

// regions has regions of every partition, and some that no SDK knows yet.
var regions = []string{
	"us-east-1", "us-west-2", "eu-central-1", "eu-south-2", "ap-southeast-7", "sa-east-1", "me-central-1",
	"il-central-1", "mx-central-1", "af-south-1", "eu-new-9",
	"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "eusc-de-east-1",
	"us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
	"us-isof-east-1", "us-isof-south-1", "eu-isoe-west-1",
}

// service is a service that is called by this package and, to compare, by its SDK client.
type service struct {
	// sdkEndpoint returns the endpoint by the SDK's own rules.
	sdkEndpoint       func(ctx context.Context, region string, fips, dualStack bool) (string, error)
	callSDK, callOurs func(context.Context, aws.Config) error
}

// services are the services to compare. Compiling the client of ssm takes a tenth of all tests' time: it is in
// ssm_test.go, behind the build tag slow.
var services = map[string]service{
	"sns": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := sns.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := sns.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			topic := "arn:aws:sns:us-east-1:333333333333:t"
			_, err := sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{Message: &topic, TopicArn: &topic})
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			return New(c).Query(ctx, "sns", "publishing", url.Values{}, nil)
		},
	},
	"events": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := eventbridge.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := eventbridge.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			_, err := eventbridge.NewFromConfig(c).PutEvents(ctx,
				&eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{}}})
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			return New(c).JSON(ctx, "events", "AWSEvents.PutEvents", "putting", struct{}{}, &struct{}{})
		},
	},
	"ecr": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := ecr.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := ecr.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			_, err := ecr.NewFromConfig(c).BatchGetImage(ctx,
				&ecr.BatchGetImageInput{RepositoryName: aws.String("r"), ImageIds: []ecrtypes.ImageIdentifier{{}}})
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			target := "AmazonEC2ContainerRegistry_V20150921.BatchGetImage"
			return New(c).Call(ctx, "ecr", target, struct{}{}, &struct{}{})
		},
	},
	"ecs": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := ecs.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := ecs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			_, err := ecs.NewFromConfig(c).ListClusters(ctx, nil)
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			target := "AmazonEC2ContainerServiceV20141113.ListClusters"
			return New(c).Call(ctx, "ecs", target, struct{}{}, &struct{}{})
		},
	},
	"sts": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := sts.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			return New(c).Query(ctx, "sts", "asking", url.Values{}, nil)
		},
	},
	"sqs": {
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := sqs.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			queue := "https://sqs.us-east-1.amazonaws.com/333333333333/q"
			in := &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &queue}
			_, err := sqs.NewFromConfig(c).SendMessage(ctx, in)
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			return New(c).JSON(ctx, "sqs", "AmazonSQS.SendMessage", "sending", struct{}{}, &struct{}{})
		},
	},
}

// TestRegional compares the endpoints of every kind of region with those of the
// SDK's own rules.
func TestRegional(t *testing.T) {
	t.Parallel()
	for name, service := range services {
		for _, region := range regions {
			for _, fips := range []bool{false, true} {
				for _, dualStack := range []bool{false, true} {
					want, err := service.sdkEndpoint(t.Context(), region, fips, dualStack)
					if got := regional(name, region, fips, dualStack); got != want || err != nil {
						t.Errorf("%s in %s, FIPS %v, dual-stack %v: %s, want %s, %v",
							name, region, fips, dualStack, got, want, err)
					}
				}
			}
		}
	}
}

// TestIAM compares the endpoints of IAM, and the regions that its calls are signed for, with
// those of the SDK's own rules.
func TestIAM(t *testing.T) {
	t.Parallel()
	for _, region := range regions {
		for _, fips := range []bool{false, true} {
			if fips && image.PartitionOf(region).Name != "aws" && image.PartitionOf(region).Name != "aws-us-gov" {
				continue // it has none
			}
			p := iam.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: new(bool)}
			want, err := iam.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), p)
			if got := regional("iam", region, fips, false); err != nil || got != want.URI.String() {
				t.Errorf("%s, FIPS %v: %s, want %s, %v", region, fips, got, want.URI.String(), err)
			}
			options, _ := smithyauth.GetAuthOptions(&want.Properties)
			signed, _ := smithyhttp.GetSigV4SigningRegion(&options[0].SignerProperties)
			if got := signingRegion("iam", region); got != signed {
				t.Errorf("%s is signed for %s, want %s", region, got, signed)
			}
		}
	}
}

// destination is an HTTP client that notes where a request goes and its protocol, and answers 400.
type destination struct{ url, protocol, operation string }

func (d *destination) Do(r *http.Request) (*http.Response, error) {
	d.url = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	d.protocol, _, _ = strings.Cut(r.Header.Get("Content-Type"), ";")
	d.operation = r.Header.Get("X-Amz-Target")
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestEndpointSettings compares where calls go with where the SDK's clients send
// theirs, for settings in the environment and in the profile.
func TestEndpointSettings(t *testing.T) {
	const (
		profile = "[default]\nregion = us-east-1\n"
		each    = profile + "services = local\n[services local]\n" +
			"ssm =\n  endpoint_url = http://ssm.profile.example\nsns =\n  endpoint_url = http://sns.profile.example\n" +
			"eventbridge =\n  endpoint_url = http://events.profile.example\n"
		all     = "AWS_ENDPOINT_URL"
		ssmOnly = "AWS_ENDPOINT_URL_SSM"
		snsOnly = "AWS_ENDPOINT_URL_SNS"
		busOnly = "AWS_ENDPOINT_URL_EVENTBRIDGE"
		ignore  = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
		fips    = "AWS_USE_FIPS_ENDPOINT"
		dual    = "AWS_USE_DUALSTACK_ENDPOINT"
	)
	for _, tt := range []struct {
		name, profile string
		env           map[string]string
	}{
		{"nothing", profile, nil},
		{"one URL for all", profile, map[string]string{all: "http://all.example:1"}},
		{"a URL for each", profile, map[string]string{ssmOnly: "http://ssm.example/base/",
			snsOnly: "http://sns.example:8080"}},
		{"both for ssm", profile, map[string]string{all: "http://all.example", ssmOnly: "http://ssm.example"}},
		{"both for events", profile, map[string]string{all: "http://all.example", busOnly: "http://bus.example"}},
		{"both for sns", profile, map[string]string{all: "http://all.example", snsOnly: "http://sns.example"}},
		{"ignored", profile, map[string]string{all: "http://all.example", ssmOnly: "http://ssm.example",
			snsOnly: "http://sns.example", busOnly: "http://bus.example", ignore: "true"}},
		{"in the profile for all", profile + "endpoint_url = http://profile.example\n", nil},
		{"in the profile for each", each, nil},
		{"in the profile, and for all", each, map[string]string{all: "http://all.example"}},
		{"in the profile, and for ssm", each, map[string]string{ssmOnly: "http://ssm.example"}},
		{"in the profile, and for sns", each, map[string]string{snsOnly: "http://sns.example"}},
		{"FIPS", profile, map[string]string{fips: "true"}},
		{"dual-stack", profile, map[string]string{dual: "true"}},
		{"FIPS and dual-stack in the profile", profile + "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n",
			nil},
		{"the environment before the profile", profile + "use_fips_endpoint = true\n",
			map[string]string{fips: "false"}},
		{"FIPS at a custom endpoint", profile, map[string]string{fips: "true", ssmOnly: "http://ssm.example",
			snsOnly: "http://sns.example", busOnly: "http://bus.example"}},
		{"dual-stack at a custom endpoint", profile, map[string]string{dual: "true", all: "http://all.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(tt.profile), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_CA_BUNDLE", "") // reading certificates takes most of the time
			t.Setenv("AWS_CONFIG_FILE", file)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			load := func(d *destination) aws.Config {
				once := config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} })
				c, err := config.LoadDefaultConfig(t.Context(), once)
				if err != nil {
					t.Fatal(err)
				}
				c.HTTPClient = d
				return c
			}
			for name, service := range services {
				theirs, ours := &destination{}, &destination{}
				bySDK, byUs := service.callSDK(t.Context(), load(theirs)), service.callOurs(t.Context(), load(ours))
				if bySDK == nil || byUs == nil {
					t.Fatal("an answer 400 is no error")
				}
				if *ours != *theirs {
					t.Errorf("%s is called by %+v, by the SDK by %+v", name, *ours, *theirs)
				}
			}
		})
	}
}
