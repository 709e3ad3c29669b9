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
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"deployer/internal/awsconfig"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/signed"
)

// checker holds what the checks of an environment share.
type checker struct {
	env    *environment.Environment
	caller arn.ARN
	// function is the conventional name of the deployer's function, which the stack gives it.
	function string
	config   aws.Config
	services *ecsservice.Client
	ecs      *ecs.Client // of services
	iam      *awsiam.Client
	lambda   *lambda.Client
	sqs      *sqs.Client
	sns      *sns.Client
	signed   signed.Client
	events   *eventbridge.Client
	http     aws.HTTPClient // for layers, which ECR returns as a URL

	mu           sync.Mutex
	repositories map[string]*repository // by ARN: workloads may share one
}

func newChecker(env *environment.Environment, config aws.Config, caller arn.ARN) *checker {
	config = config.Copy()
	config.Region = env.Region
	client := config.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	if config.Retryer == nil { // as often as a deployment's calls are, where those have no deadline
		config.Retryer = func() aws.Retryer { return fault.UntilDeadline(context.Background()) }
	}
	services := ecsservice.NewOnce(awsconfig.Paced(config))
	return &checker{env: env, caller: caller, function: env.FunctionName(), config: config,
		services: services, ecs: services.SDK(),
		lambda: lambda.NewFromConfig(config), sqs: sqs.NewFromConfig(config),
		iam: awsiam.NewFromConfig(config),
		sns: sns.NewFromConfig(config), signed: signed.New(config),
		events: eventbridge.NewFromConfig(config), http: client, repositories: map[string]*repository{}}
}

// ecrIn returns an ECR client for a region.
func (c *checker) ecrIn(region string) *ecr.Client {
	return ecr.NewFromConfig(c.config, func(o *ecr.Options) { o.Region = region })
}

// described is what DescribeServices returns for a service.
type described struct {
	service *types.Service // nil if it does not exist, or in case of an error
	missing string         // ECS's reason why it does not exist
	err     error
}

// describeServices describes the services of workloads, ten per call.
func (c *checker) describeServices(ctx context.Context, workloads []environment.Workload) []described {
	all := make([]described, len(workloads))
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	for start := 0; start < len(workloads); start += 10 {
		part := workloads[start:min(start+10, len(workloads))]
		g.Go(func() error {
			names := make([]string, len(part))
			for i, w := range part {
				names[i] = w.Pointer.Name()
			}
			out, err := c.ecs.DescribeServices(ctx,
				&ecs.DescribeServicesInput{Cluster: aws.String(c.env.Cluster), Services: names})
			for i, w := range part {
				all[start+i] = find(out, w.Pointer.Name(), err)
			}
			return nil
		})
	}
	g.Wait()
	return all
}

func find(out *ecs.DescribeServicesOutput, name string, err error) described {
	if err != nil {
		return described{err: err}
	}
	i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == name })
	if i >= 0 {
		return described{service: &out.Services[i]}
	}
	for _, f := range out.Failures {
		if a, err := arn.Parse(aws.ToString(f.Arn)); err == nil && strings.HasSuffix(a.Resource, "/"+name) {
			return described{missing: aws.ToString(f.Reason)}
		}
	}
	return described{missing: "MISSING"}
}

// notChecked adds the finding of a check whose call failed: the caller may not make
// it, or it failed for another reason. Resource is the ARN that the action is on.
func (f *findings) notChecked(c *checker, check, action, resource string, err error) {
	if message, denied := fault.Denied(err); denied {
		f.add(check, Unknown, "not checked, access denied: "+message,
			"to have it checked, "+c.allow(action, resource, message))
		return
	}
	f.add(check, Unknown, "not checked: "+fault.Plain(err).Error(), "try again")
}

// allow returns the fix for a denied call. What AWS's message leaves out is
// filled in from the call.
func (c *checker) allow(action, resource, message string) string {
	d, _ := fault.ParseDenial(message)
	if d.Account == "" {
		d.Principal, d.Account = c.caller.String(), c.caller.AccountID
	}
	if d.Action == "" {
		d.Action = action
	}
	if d.Resource == "" {
		d.Resource = resource
	}
	return d.Advice()
}

// inRepositoryPolicy returns the statement to add to a repository's policy for an account.
func inRepositoryPolicy(repository arn.ARN, account string, actions ...string) string {
	return fmt.Sprintf("in account %s, add to the policy of %s in %s: %s", repository.AccountID,
		strings.Replace(repository.Resource, "/", " ", 1), repository.Region,
		iam.Resource(repository.Partition, account, actions...))
}
