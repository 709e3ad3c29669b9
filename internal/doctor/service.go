package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// workload examines one service: in ECS, its repository, and whether its image can be pulled.
func (c *chart) workload(ctx context.Context, x *exam, w environment.Workload, f found) {
	target := ecsservice.TargetOf(x.env, w)
	if !c.found(x, target, f) {
		return
	}
	c.controller(target, f.Service)
	td := c.family(ctx, x, target, f.Service)
	if td == nil {
		return
	}
	if w.Repository == "" {
		c.ok("image", "runs %q, from outside ECR: nothing deploys it", w.External)
		return
	}
	running, ok := c.container(target, td)
	if !ok {
		return
	}
	c.origin(x, w, running)
	c.images(ctx, x, w, f.Service, td, running)
}

// found reports whether the service is there.
func (c *chart) found(x *exam, t ecsservice.Target, f found) bool {
	where := fmt.Sprintf("service %q in cluster %q", t.Service, t.Cluster)
	resource := fmt.Sprintf("arn:%s:ecs:%s:%s:service/%s/*", x.caller.Partition, x.env.Region, x.env.AccountID, t.Cluster)
	switch {
	case fault.HasCode(f.err, "ClusterNotFoundException"):
		c.add("cluster", Problem, fmt.Sprintf("cluster %q does not exist in account %s and region %s", t.Cluster, x.env.AccountID, x.env.Region),
			"create it with the infrastructure, or name the right one in deployer.cluster of "+x.env.File)
	case f.err != nil:
		c.blind(x, "service", "ecs:DescribeServices", resource, f.err)
	case f.Service == nil:
		c.add("service", Problem, fmt.Sprintf("%s does not exist: %s", where, f.missing),
			"create it with the infrastructure, or name the right one in deployer.workloads."+t.Workload+".service of "+x.env.File)
	case aws.ToString(f.Status) != "ACTIVE":
		c.add("service", Problem, where+" is "+aws.ToString(f.Status)+", not ACTIVE", "it was deleted: create it again, or take it out of "+x.env.File)
	case f.DesiredCount > f.RunningCount:
		c.add("service", Warning, fmt.Sprintf("%s runs %d of %d tasks", where, f.RunningCount, f.DesiredCount), "see its events: aws ecs describe-services --cluster "+t.Cluster+" --services "+t.Service)
		return true
	default:
		c.ok("service", "%s runs %d of %d tasks", where, f.RunningCount, f.DesiredCount)
		return true
	}
	return false
}

// controller reports who may move the service, and whether a rollout that
// fails is rolled back.
func (c *chart) controller(t ecsservice.Target, s *types.Service) {
	if err := t.Refuse(s); err != nil {
		what, hint := parts(err)
		c.add("controller", Problem, what, hint)
		return
	}
	c.ok("controller", "ECS")
	config := s.DeploymentConfiguration
	if config != nil && config.Strategy != "" && config.Strategy != types.DeploymentStrategyRolling {
		c.ok("circuit breaker", "not needed: the strategy is %s, which keeps the old tasks until the new ones have proved themselves", config.Strategy)
		return
	}
	breaker := &types.DeploymentCircuitBreaker{}
	if config != nil && config.DeploymentCircuitBreaker != nil {
		breaker = config.DeploymentCircuitBreaker
	}
	fix := fmt.Sprintf("set it in the infrastructure, or: aws ecs update-service --cluster %s --service %s --deployment-configuration 'deploymentCircuitBreaker={enable=true,rollback=true}'", t.Cluster, t.Service)
	switch {
	case !breaker.Enable:
		c.add("circuit breaker", Warning, "off: a rollout whose tasks fail goes on trying for ever, and nothing goes back", fix)
	case !breaker.Rollback:
		c.add("circuit breaker", Warning, "on, without rollback: a rollout that fails stays as it is", fix)
	default:
		c.ok("circuit breaker", "on, with rollback")
	}
}

// family reports the task definitions, and returns the one that runs.
func (c *chart) family(ctx context.Context, x *exam, t ecsservice.Target, s *types.Service) *types.TaskDefinition {
	describe := func(name string) (*types.TaskDefinition, error) {
		out, err := x.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(name)})
		if err != nil {
			return nil, err
		}
		return out.TaskDefinition, nil
	}
	running, err := describe(aws.ToString(s.TaskDefinition))
	if err != nil {
		c.blind(x, "family", "ecs:DescribeTaskDefinition", "*", err)
		return nil
	}
	family := aws.ToString(running.Family)
	newest, err := describe(family)
	switch {
	case err != nil:
		c.add("family", Problem, fmt.Sprintf("family %q has no ACTIVE revision to clone: %v", family, fault.Plain(err)), "register a revision with the infrastructure")
	case family != t.Family:
		c.add("family", Warning, fmt.Sprintf("the service runs family %q, not %q as is the convention: the service's is used", family, t.Family),
			"if that is meant, say so: deployer.workloads."+t.Workload+".family in "+x.env.File)
	case newest.Revision != running.Revision:
		c.ok("family", "%s: runs revision %d, newest is %d", family, running.Revision, newest.Revision)
	default:
		c.ok("family", "%s: runs revision %d, the newest", family, running.Revision)
	}
	return running
}

// container reports which container's image deployments change, and returns
// the reference of the image that it runs.
func (c *chart) container(t ecsservice.Target, td *types.TaskDefinition) (image.Reference, bool) {
	chosen, err := t.Containers(td)
	if err != nil {
		what, hint := parts(err)
		c.add("container", Problem, what, hint)
		return image.Reference{}, false
	}
	var names []string
	for _, i := range chosen {
		names = append(names, aws.ToString(td.ContainerDefinitions[i].Name))
	}
	text := aws.ToString(td.ContainerDefinitions[chosen[0]].Image)
	ref, err := image.ParseReference(text)
	if err != nil {
		c.add("container", Problem, fmt.Sprintf("container %s runs %q: %v", names[0], text, err), "register a revision whose image ECS can pull")
		return ref, false
	}
	c.ok("container", "%s runs %s", strings.Join(names, " and "), text)
	return ref, true
}

// origin reports whether what runs comes from where deployments take images.
func (c *chart) origin(x *exam, w environment.Workload, running image.Reference) {
	registry, isECR := running.Registry()
	switch want := w.Registry; {
	case !isECR || running.Repository != w.Repository:
		c.add("origin", Warning, fmt.Sprintf("it runs %s, and deployments take images of %s/%s", running, want.Host(), w.Repository),
			"the next deployment changes that: check ecr_strategy and ecr_config in "+x.env.File)
	case registry != want:
		c.add("origin", Warning, fmt.Sprintf("it runs an image of %s, and deployments take images of %s", registry, want),
			"the next deployment changes that: check ecr_strategy in "+x.env.File)
	default:
		c.ok("origin", "%s of %s, by strategy %s", w.Repository, want, x.env.Strategy.Name)
	}
}

// parts returns what a fault says apart from what to do.
func parts(err error) (what, hint string) {
	if f, ok := err.(interface{ Parts() (string, string) }); ok {
		return f.Parts()
	}
	return err.Error(), ""
}
