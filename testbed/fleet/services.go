// Package fleet sets up one environment with many services on emulated AWS, behind it the function's real bootstrap in
// several processes, and generates events for it. The commands replay and storm measure the deployer on it.
package fleet

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/testbed/accounts"
)

const (
	project = "p"
	cluster = "p_cluster_dev"
	account = accounts.Dev
	region  = accounts.Region

	functionARN = "arn:aws:lambda:" + region + ":" + account + ":function:deployer"
)

// ServiceName returns what events and the environment file call service i.
func ServiceName(i int) string { return fmt.Sprintf("s%02d", i) }

// ECSName returns the name of service i in ECS, which is the name of its task definition family too.
func ECSName(i int) string { return project + "_service_" + ServiceName(i) + "_dev" }

// Services describes the services of the environment.
type Services struct {
	Count      int
	Shared     bool   // all services run images of the first one's repository
	AutoDeploy string // the elements of auto_deploy in the environment file
}

// Connect returns the account of the environment, behind the endpoint at url. A nil client is the SDK's own. It retries
// often, because the function and the account share ECS's rate limits.
func Connect(url string, client aws.HTTPClient) *accounts.Account {
	return accounts.Connect(url, account, region).With(func(c *aws.Config) {
		c.HTTPClient, c.RetryMaxAttempts = client, 20
	})
}

// Repository returns the repository whose images service i runs.
func (s Services) Repository(i int) string {
	if s.Shared {
		i = 0
	}
	return project + "_service_" + ServiceName(i)
}

// Create creates the services, each with one revision that runs its image v0, and returns the environment file.
func (s Services) Create(ctx context.Context, a *accounts.Account) (file []byte, err error) {
	if err := a.Cluster(ctx, cluster); err != nil {
		return nil, err
	}
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "project: %s\nenv: dev\nregion: %s\naccount_id: %q\n", project, region, account)
	fmt.Fprintf(&yaml, "deployer: {auto_deploy: [%s]}\nservices:\n", s.AutoDeploy)
	for i := range s.Count {
		if _, err := a.Push(ctx, s.Repository(i), "v0", "v0"); err != nil {
			return nil, err
		}
		image := account + ".dkr.ecr." + region + ".amazonaws.com/" + s.Repository(i) + ":v0"
		if _, err := a.Service(ctx, cluster, ECSName(i), image); err != nil {
			return nil, err
		}
		fmt.Fprintf(&yaml, "  - name: %s\n", ServiceName(i))
		if s.Shared && i > 0 {
			fmt.Fprintf(&yaml, "    ecr_config: {mode: use_existing, source_service_name: %s, source_service_type: "+
				"services}\n",
				ServiceName(0))
		}
	}
	return []byte(yaml.String()), nil
}
