package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestServiceARN checks which forms of a service's ARN are a problem.
func TestServiceARN(t *testing.T) {
	t.Parallel()
	env := load(t, "dev")
	const services = "arn:aws:ecs:us-east-1:111111111111:service/"
	for _, tt := range []struct {
		name, arn string
		want      []Finding
	}{
		{"long", services + "myproject_cluster_dev/web", nil},
		{"short, and the stack covers it", services + "myproject_service_dev", nil},
		{"none", "", nil},
		{"short", services + "web", []Finding{{"service ARN", "backend", Problem,
			services + "web is a short ARN, without the cluster: the stack's rule and role match short ARNs only of " +
				"services whose names begin with myproject_service_, so no outcome is reported and UpdateService is " +
				"denied",
			"migrate it, which cannot be undone: as the user or role that created the service, aws ecs " +
				"put-account-setting --region us-east-1 --name serviceLongArnFormat --value enabled, then aws ecs " +
				"tag-resource --region us-east-1 --resource-arn " + services + "myproject_cluster_dev/web --tags " +
				"key=arn,value=long"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &findings{service: "backend"}
			f.serviceARN(env, &types.Service{ServiceArn: aws.String(tt.arn)})
			if diff := cmp.Diff(tt.want, f.list); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestShortARN checks that the doctor finds a service with a short ARN.
func TestShortARN(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	env.Workloads[0].Pointer = environment.ECSService("web")
	config := x.accounts["dev"].With(func(c *aws.Config) {
		c.RetryMaxAttempts, c.HTTPClient = 1, oddTransport{"DescribeServices", `{"services":[{"serviceName":"web",` +
			`"serviceArn":"arn:aws:ecs:us-east-1:111111111111:service/web","status":"ACTIVE"}]}`}
	}).Config
	report, err := Examine(t.Context(), env, config, []string{"backend"})
	must(t, err)
	var got []Level
	for _, f := range report.Findings {
		if f.Check == "service ARN" && f.Service == "backend" {
			got = append(got, f.Level)
		}
	}
	if diff := cmp.Diff([]Level{Problem}, got); diff != "" {
		t.Error(diff)
	}
}
