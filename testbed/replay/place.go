package main

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
)

func serviceName(i int) string { return fmt.Sprintf("s%02d", i) }

func ecsName(i int) string { return project + "_service_" + serviceName(i) + "_dev" }

func repositoryName(i int) string { return project + "_service_" + serviceName(i) }

// place is an environment with many services.
type place struct {
	services   int
	shared     bool   // every service runs images of the first one's repository
	autoDeploy string // the list of tags that deploy, as the environment file has it
}

// connect returns the account behind the endpoint at url, reached by client;
// nil is the SDK's own. It is patient, for it shares the rate limits.
func connect(url string, client aws.HTTPClient) *accounts.Account {
	return accounts.Connect(url, account, region).With(func(c *aws.Config) { c.HTTPClient, c.RetryMaxAttempts = client, 20 })
}

// repository returns the repository whose images service i runs.
func (p place) repository(i int) string {
	if p.shared {
		return repositoryName(0)
	}
	return repositoryName(i)
}

// build makes the services, each at revision 1 with its image v0, and returns
// the environment file.
func (p place) build(ctx context.Context, a *accounts.Account) (file []byte, err error) {
	if err := a.Cluster(ctx, cluster); err != nil {
		return nil, err
	}
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "project: %s\nenv: dev\nregion: %s\naccount_id: %q\ndeployer: {auto_deploy: [%s]}\nservices:\n", project, region, account, p.autoDeploy)
	for i := range p.services {
		if _, err := a.Push(ctx, p.repository(i), "v0", "v0"); err != nil {
			return nil, err
		}
		if _, err := a.Service(ctx, cluster, ecsName(i), account+".dkr.ecr."+region+".amazonaws.com/"+p.repository(i)+":v0"); err != nil {
			return nil, err
		}
		fmt.Fprintf(&yaml, "  - name: %s\n", serviceName(i))
		if p.shared && i > 0 {
			fmt.Fprintf(&yaml, "    ecr_config: {mode: use_existing, source_service_name: %s, source_service_type: services}\n", serviceName(0))
		}
	}
	return []byte(yaml.String()), nil
}
