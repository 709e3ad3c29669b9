package signed

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// regions has regions of every partition, and some that no SDK knows yet.
var regions = []string{
	"us-east-1", "us-west-2", "eu-central-1", "eu-south-2", "ap-southeast-7", "sa-east-1", "me-central-1", "il-central-1", "mx-central-1", "af-south-1", "eu-new-9",
	"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
	"eu-isoe-west-1", "us-isof-east-1", "us-isof-south-1", "eusc-de-east-1",
}

// TestRegional compares the endpoints of every kind of region with those of the
// SDK's own rules.
func TestRegional(t *testing.T) {
	t.Parallel()
	for _, region := range regions {
		for _, fips := range []bool{false, true} {
			for _, dualStack := range []bool{false, true} {
				ssmEndpoint, err := ssm.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), ssm.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack})
				if err != nil {
					t.Fatal(err)
				}
				snsEndpoint, err := sns.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sns.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack})
				if err != nil {
					t.Fatal(err)
				}
				for service, want := range map[string]string{"ssm": ssmEndpoint.URI.String(), "sns": snsEndpoint.URI.String()} {
					if got := regional(service, region, fips, dualStack); got != want {
						t.Errorf("%s in %s, FIPS %v, dual-stack %v: %s, want %s", service, region, fips, dualStack, got, want)
					}
				}
			}
		}
	}
}

// destination is an HTTP client that notes where a request goes, and answers 400.
type destination struct{ url string }

func (d *destination) Do(r *http.Request) (*http.Response, error) {
	d.url = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestEndpointSettings compares where calls go with where the SDK's clients send
// theirs, for settings in the environment and in the profile.
func TestEndpointSettings(t *testing.T) {
	const profile = "[default]\nregion = us-east-1\n"
	for _, tt := range []struct {
		name, profile string
		env           map[string]string
	}{
		{"nothing", profile, nil},
		{"one URL for all", profile, map[string]string{"AWS_ENDPOINT_URL": "http://all.example:1"}},
		{"a URL for each", profile, map[string]string{"AWS_ENDPOINT_URL_SSM": "http://ssm.example/base/", "AWS_ENDPOINT_URL_SNS": "http://sns.example:8080"}},
		{"both", profile, map[string]string{"AWS_ENDPOINT_URL": "http://all.example", "AWS_ENDPOINT_URL_SSM": "http://ssm.example"}},
		{"ignored", profile, map[string]string{"AWS_ENDPOINT_URL": "http://all.example", "AWS_ENDPOINT_URL_SSM": "http://ssm.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}},
		{"in the profile", profile + "services = local\nendpoint_url = http://profile.example\n[services local]\nssm =\n  endpoint_url = http://ssm.profile.example\n", nil},
		{"in the profile and for all", profile + "services = local\n[services local]\nssm =\n  endpoint_url = http://ssm.profile.example\n", map[string]string{"AWS_ENDPOINT_URL": "http://all.example"}},
		{"in the profile and for one", profile + "services = local\n[services local]\nssm =\n  endpoint_url = http://ssm.profile.example\n", map[string]string{"AWS_ENDPOINT_URL_SSM": "http://ssm.example"}},
		{"FIPS", profile, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}},
		{"dual-stack", profile, map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}},
		{"FIPS and dual-stack in the profile", profile + "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n", nil},
		{"the environment before the profile", profile + "use_fips_endpoint = true\n", map[string]string{"AWS_USE_FIPS_ENDPOINT": "false"}},
		{"FIPS at a custom endpoint", profile, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL_SSM": "http://ssm.example"}},
		{"dual-stack at a custom endpoint", profile, map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_ENDPOINT_URL": "http://all.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(tt.profile), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_CONFIG_FILE", file)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			theirs, ours := &destination{}, &destination{}
			load := func(d *destination) aws.Config {
				c, err := config.LoadDefaultConfig(t.Context(), config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
				if err != nil {
					t.Fatal(err)
				}
				c.HTTPClient = d
				return c
			}
			var out struct{}
			for service, call := range map[string][2]func(context.Context) error{
				"ssm": {func(ctx context.Context) error {
					_, err := ssm.NewFromConfig(load(theirs)).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/n")})
					return err
				}, func(ctx context.Context) error {
					return New(load(ours)).JSON(ctx, "ssm", "AmazonSSM.GetParameter", "reading", struct{}{}, &out)
				}},
				"sns": {func(ctx context.Context) error {
					_, err := sns.NewFromConfig(load(theirs)).Publish(ctx, &sns.PublishInput{Message: aws.String("m"), TopicArn: aws.String("arn:aws:sns:us-east-1:333333333333:t")})
					return err
				}, func(ctx context.Context) error {
					return New(load(ours)).Form(ctx, "sns", "publishing", url.Values{})
				}},
			} {
				theirs.url, ours.url = "", ""
				if call[0](t.Context()) == nil || call[1](t.Context()) == nil {
					t.Fatal("an answer 400 is no error")
				}
				if ours.url != theirs.url {
					t.Errorf("%s is called at %q, by the SDK at %q", service, ours.url, theirs.url)
				}
			}
		})
	}
}
