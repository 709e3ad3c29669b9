package function

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestConnecting checks where a cold start opens connections: to ECS and ECR in the function's region
// before the environment file is read, and again if the environment or its registry is in another one.
// It sets the environment.
func TestConnecting(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	const remote = "schema_version: 7\nproject: myproject\nenv: prod\nregion: us-east-1\n" +
		"account_id: \"222222222222\"\necr_strategy: cross_account\necr_account_id: \"111111111111\"\n" +
		"ecr_account_region: eu-west-1\n"
	for _, tt := range []struct {
		name, region, file string
		want               []string // regions of ECS and ECR
	}{
		{"the function's region", "us-east-1", valid, []string{"us-east-1 us-east-1"}},
		{"the environment in another region", "eu-west-1", valid,
			[]string{"eu-west-1 eu-west-1", "us-east-1 us-east-1"}},
		{"the registry in another region", "us-east-1", remote,
			[]string{"us-east-1 us-east-1", "us-east-1 eu-west-1"}},
		{"the registry alone in the function's region", "eu-west-1", remote,
			[]string{"eu-west-1 eu-west-1", "us-east-1 eu-west-1"}},
		{"the function's region is not known", "", valid, []string{"us-east-1 us-east-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, err := environment.Parse("environment.yaml", []byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			c := connectBy(tt.region, func(ctx context.Context, config aws.Config, registry string) {
				if _, limited := ctx.Deadline(); !limited {
					t.Error("there is no time limit")
				}
				got = append(got, config.Region+" "+registry)
			})
			config, err := c.config(env)
			if err != nil || config.Region != "us-east-1" {
				t.Errorf("the configuration is for region %q: %v", config.Region, err)
			}
			c.wait(env)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
