package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// api is the part of Amazon ECS that deployments and those who look at them
// need; *ecs.Client is one.
type api interface {
	ContinueServiceDeployment(context.Context, *ecs.ContinueServiceDeploymentInput, ...func(*ecs.Options)) (*ecs.ContinueServiceDeploymentOutput, error)
	DescribeServiceDeployments(context.Context, *ecs.DescribeServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceDeploymentsOutput, error)
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	ListServiceDeployments(context.Context, *ecs.ListServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.ListServiceDeploymentsOutput, error)
	ListTaskDefinitions(context.Context, *ecs.ListTaskDefinitionsInput, ...func(*ecs.Options)) (*ecs.ListTaskDefinitionsOutput, error)
	RegisterTaskDefinition(context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error)
	StopServiceDeployment(context.Context, *ecs.StopServiceDeploymentInput, ...func(*ecs.Options)) (*ecs.StopServiceDeploymentOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
	TagResource(context.Context, *ecs.TagResourceInput, ...func(*ecs.Options)) (*ecs.TagResourceOutput, error)
}

// Deployer deploys through one ECS client, and so in one account and region.
// It is safe for concurrent use.
type Deployer struct {
	ecs api
	now func() time.Time
}

// New returns a deployer that calls ECS with the credentials and in the region of config.
func New(config aws.Config) *Deployer { return &Deployer{ecs.NewFromConfig(config), time.Now} }

// revision is a task definition revision with its tags.
type revision struct {
	*types.TaskDefinition
	tags []types.Tag
}

func (r revision) arn() string { return aws.ToString(r.TaskDefinitionArn) }

// Read reads the target's service and its family's newest revision, at the
// same time, and the running revision too if it is another. It refuses a
// service that cannot be deployed to, as a [fault.Misconfiguration] that says
// what to do instead.
func (d *Deployer) Read(ctx context.Context, t Target) (*State, error) {
	var service *types.Service
	var running, newest revision
	var serviceErr, runningErr, familyErr error
	var both sync.WaitGroup
	both.Go(func() { service, serviceErr = d.describeService(ctx, t) })
	both.Go(func() { newest, familyErr = d.describeRevision(ctx, t.Family) })
	both.Wait()
	if serviceErr != nil {
		return nil, serviceErr
	}
	runs := aws.ToString(service.TaskDefinition)
	if familyErr == nil && newest.arn() == runs {
		return newState(d.now(), t, service, newest, newest), nil
	}
	// Where the service runs another family than the conventional one, the
	// service is right, and whether the conventional one exists does not matter.
	family := familyOf(runs)
	another := family != t.Family
	if familyErr != nil && !another {
		return nil, familyErr
	}
	both.Go(func() { running, runningErr = d.describeRevision(ctx, runs) })
	if another {
		both.Go(func() { newest, familyErr = d.describeRevision(ctx, family) })
	}
	both.Wait()
	if err := errors.Join(runningErr, familyErr); err != nil {
		return nil, err
	}
	return newState(d.now(), t, service, running, newest), nil
}

// describeService reads the target's service and refuses one that is missing,
// not ACTIVE, or moved by something other than ECS.
func (d *Deployer) describeService(ctx context.Context, t Target) (*types.Service, error) {
	out, err := d.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(t.Cluster), Services: []string{t.Service}}, within(ctx))
	if err != nil {
		return nil, t.unreadable(err)
	}
	one := t.find(out)
	return one.service, one.err
}

// findService reads the target's service whatever its state, nil if there is none.
func (d *Deployer) findService(ctx context.Context, t Target) (*types.Service, error) {
	service, err := d.describeService(ctx, t)
	if service != nil || fault.NameOf(err) == "ServiceNotFound" {
		return service, nil
	}
	return nil, err
}

// unreadable is the fault of a DescribeServices that ECS did not carry out.
func (t Target) unreadable(err error) error {
	if fault.HasCode(err, "ClusterNotFoundException") {
		return &fault.Misconfiguration{Fault: fault.Fault{Name: "ClusterNotFound", Doing: t.doing(),
			Err: fmt.Errorf("cluster %q does not exist in this account and region", t.Cluster), Hint: "create it, or name the right one in deployer.cluster of the environment file"}}
	}
	return fault.Classify(t.doing(), err)
}

// find returns the target's service in an answer, with why it cannot be
// deployed to if it cannot.
func (t Target) find(out *ecs.DescribeServicesOutput) described {
	i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == t.Service })
	if i >= 0 {
		return described{&out.Services[i], t.Refuse(&out.Services[i])}
	}
	name, missing := "ServiceNotFound", errors.New("the service does not exist")
	for _, f := range out.Failures {
		if strings.HasSuffix(aws.ToString(f.Arn), "/"+t.Service) && aws.ToString(f.Reason) != "MISSING" {
			name, missing = "ServiceNotShown", fmt.Errorf("ECS does not show the service: %s %s", aws.ToString(f.Reason), aws.ToString(f.Detail))
		}
	}
	return described{err: &fault.Misconfiguration{Fault: fault.Fault{Name: name, Doing: t.doing(),
		Err: missing, Hint: "create it with the infrastructure, or name the right one in deployer.workloads." + t.Workload + ".service of the environment file"}}}
}

// describeRevision reads a revision by its ARN, or a family's latest ACTIVE one by the family's name.
func (d *Deployer) describeRevision(ctx context.Context, name string) (revision, error) {
	doing := fmt.Sprintf("describing task definition %q", name)
	out, err := d.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(name), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	}, within(ctx))
	if err != nil {
		// ECS words a missing family as a ClientException: "Unable to describe task definition."
		if fault.HasCode(err, "ClientException") {
			return revision{}, &fault.Misconfiguration{Fault: fault.Fault{Name: "TaskDefinitionNotFound", Doing: doing, Err: fault.Plain(err),
				Hint: "register a first revision of the family with the infrastructure, or name the right family in deployer.workloads of the environment file"}}
		}
		return revision{}, fault.Classify(doing, err)
	}
	return revision{out.TaskDefinition, out.Tags}, nil
}

// within makes one call retry until the deadline of ctx.
func within(ctx context.Context) func(*ecs.Options) {
	return func(o *ecs.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}
