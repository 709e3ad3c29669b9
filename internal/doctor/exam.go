package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/image"
)

// exam is one look at an environment.
type exam struct {
	env    *environment.Environment
	caller arn.ARN
	config aws.Config
	ecs    *ecs.Client
	iam    *awsiam.Client
	events *eventbridge.Client
	http   aws.HTTPClient // for what ECR hands out by a URL

	mu           sync.Mutex
	repositories map[string]*repository // by ARN: workloads may share one
}

func newExam(env *environment.Environment, config aws.Config, caller arn.ARN) *exam {
	config = config.Copy()
	config.Region = env.Region
	client := config.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	return &exam{env: env, caller: caller, config: config, ecs: ecs.NewFromConfig(config), iam: awsiam.NewFromConfig(config),
		events: eventbridge.NewFromConfig(config), http: client, repositories: map[string]*repository{}}
}

// ecrIn returns a client of the registries in a region.
func (x *exam) ecrIn(region string) *ecr.Client {
	return ecr.NewFromConfig(x.config, func(o *ecr.Options) { o.Region = region })
}

// role returns the ARN under which policies know the caller: its role's, where
// it has assumed one.
func (x *exam) role() string {
	return principal(x.caller)
}

// found is a service as DescribeServices shows it; err says why it does not.
type found struct {
	*types.Service
	missing string // ECS's reason
	err     error
}

// describeServices describes the workloads' services, ten a call.
func (x *exam) describeServices(ctx context.Context, workloads []environment.Workload) []found {
	all := make([]found, len(workloads))
	var g errgroup.Group
	g.SetLimit(inFlight)
	for start := 0; start < len(workloads); start += 10 {
		part := workloads[start:min(start+10, len(workloads))]
		g.Go(func() error {
			names := make([]string, len(part))
			for i, w := range part {
				names[i] = w.Pointer.Name()
			}
			out, err := x.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(x.env.Cluster), Services: names})
			for i, w := range part {
				all[start+i] = find(out, w.Pointer.Name(), err)
			}
			return nil
		})
	}
	g.Wait()
	return all
}

func find(out *ecs.DescribeServicesOutput, name string, err error) found {
	if err != nil {
		return found{err: err}
	}
	i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == name })
	if i >= 0 {
		return found{Service: &out.Services[i]}
	}
	for _, f := range out.Failures {
		if a, err := arn.Parse(aws.ToString(f.Arn)); err == nil && len(a.Resource) > len(name) && a.Resource[len(a.Resource)-len(name):] == name {
			return found{missing: aws.ToString(f.Reason)}
		}
	}
	return found{missing: "MISSING"}
}

// blind is the finding of a check that AWS did not let the caller make, or
// that failed for another reason. Resource is what the action would act on.
func (c *chart) blind(x *exam, check, action, resource string, err error) {
	if message, denied := fault.Denied(err); denied {
		c.add(check, Unknown, "not checked, access denied: "+message, "to let it be checked, "+x.allow(action, resource, message))
		return
	}
	c.add(check, Unknown, "not checked: "+fault.Plain(err).Error(), "try again")
}

// allow says where the caller lacks a permission: in its own account, in that of
// the repository, or in both where AWS's words do not tell which of them refused.
func (x *exam) allow(action, resource, message string) string {
	own := fmt.Sprintf("in account %s, add to the policy of %s: %s", x.caller.AccountID, x.role(), iam.Identity(resource, action))
	a, err := arn.Parse(resource)
	if err != nil || a.Service != "ecr" || a.AccountID == x.caller.AccountID || strings.Contains(message, "no identity-based policy") {
		return own
	}
	other := inRepositoryPolicy(a, x.caller.AccountID, action)
	if strings.Contains(message, "no resource-based policy") {
		return other
	}
	return own + "; and " + other
}

// inRepositoryPolicy says what a repository's policy lacks for an account.
func inRepositoryPolicy(repository arn.ARN, account string, actions ...string) string {
	return fmt.Sprintf("in account %s, add to the policy of %s in %s: %s", repository.AccountID, repository.Resource, repository.Region,
		iam.Resource(repository.Partition, account, actions...))
}

// registryOf returns the registry that a workload's images come from and its client.
func (x *exam) registryOf(w environment.Workload) (image.Registry, *ecr.Client) {
	registry := w.Registry
	return registry, x.ecrIn(registry.Region)
}
