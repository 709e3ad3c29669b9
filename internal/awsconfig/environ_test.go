package awsconfig

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
)

// seen is what the SDK's clients make of a configuration.
type seen struct {
	ECS, ECR    string // the endpoints
	Region      string
	Credentials aws.Credentials
	AppID       string
	Err         bool
}

// clientsOf returns what clients make of what load returns.
func clientsOf(ctx context.Context, load func() (aws.Config, error)) seen {
	c, err := load()
	if err != nil {
		return seen{Err: true}
	}
	s := seen{Region: c.Region, AppID: c.AppID}
	if s.Credentials, err = c.Credentials.Retrieve(ctx); err != nil {
		return seen{Err: true}
	}
	address := func(u url.URL, err error) string {
		if err != nil {
			return "error"
		}
		return u.String()
	}
	o, p := ecs.NewFromConfig(c).Options(), ecr.NewFromConfig(c).Options()
	ecsEndpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecs.EndpointParameters{Region: &o.Region,
		Endpoint: o.BaseEndpoint, UseFIPS: aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled)})
	s.ECS = address(ecsEndpoint.URI, err)
	ecrEndpoint, err := p.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{Region: &p.Region,
		Endpoint: p.BaseEndpoint, UseFIPS: aws.Bool(p.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(p.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled)})
	s.ECR = address(ecrEndpoint.URI, err)
	return s
}

// TestEnviron compares what the function makes of environment variables with what the
// SDK's own package does. It sets the environment, so it does not run in parallel.
func TestEnviron(t *testing.T) {
	const (
		all, one = "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"
		fips     = fipsVariable
		dual     = dualStackVariable
		ignore   = ignoreVariable
	)
	for _, tt := range []struct {
		name string
		env  map[string]string
	}{
		{"as in Lambda", map[string]string{"AWS_SESSION_TOKEN": "token"}},
		{"older names", map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_ACCESS_KEY": "a", "AWS_SECRET_ACCESS_KEY": "",
			"AWS_SECRET_KEY": "s"}},
		{"no key", map[string]string{"AWS_ACCESS_KEY_ID": ""}},
		{"no secret", map[string]string{"AWS_SECRET_ACCESS_KEY": ""}},
		{"one URL", map[string]string{all: "http://all.example:1"}},
		{"a URL for a service", map[string]string{one: "http://ecs.example"}},
		{"both", map[string]string{all: "http://all.example", one: "http://ecs.example"}},
		{"ignored", map[string]string{all: "http://all.example", one: "http://ecs.example", ignore: "true"}},
		{"not ignored", map[string]string{all: "http://all.example", ignore: "False"}},
		{"FIPS", map[string]string{fips: "TRUE"}},
		{"no FIPS", map[string]string{fips: "false"}},
		{"dual-stack", map[string]string{dual: "true"}},
		{"no dual-stack", map[string]string{dual: "false"}},
		{"both kinds", map[string]string{fips: "true", dual: "true"}},
		{"not a boolean", map[string]string{fips: "yes"}},
		{"not a boolean either", map[string]string{dual: "1"}},
		{"nor this", map[string]string{ignore: "on"}},
		{"an application's id", map[string]string{"AWS_SDK_UA_APP_ID": "my-app"}},
		{"no such bundle", map[string]string{"AWS_CA_BUNDLE": "/does/not/exist.pem"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setCredentials(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			want := clientsOf(t.Context(), func() (aws.Config, error) { return load(t.Context(), "eu-west-1", "") })
			got := clientsOf(t.Context(), func() (aws.Config, error) { return fromEnvironment("eu-west-1") })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-SDK +ours:\n%s", diff)
			}
		})
	}
}

// TestEnvironCertificates checks AWS_CA_BUNDLE. It sets the environment.
func TestEnvironCertificates(t *testing.T) {
	server := httptest.NewTLSServer(ok)
	u, _ := start(t, server)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	t.Setenv("AWS_CA_BUNDLE", bundle)
	for _, tt := range []struct{ name, content, want string }{
		{"good", string(certificate(server)), ""},
		{"empty", "", "reading the AWS configuration: AWS_CA_BUNDLE: " + bundle + " has no certificate"},
	} {
		if err := os.WriteFile(bundle, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := fromEnvironment("us-east-1")
		if err == nil {
			err = call(t.Context(), c.HTTPClient.(*Client), u)
		}
		if got := errorText(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
