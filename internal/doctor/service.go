package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// workload checks one service: in ECS, its repository, and whether its image can be pulled.
func (f *findings) workload(ctx context.Context, c *checker, w environment.Workload, d described, r rolledOut,
	installed bool) {
	target := ecsservice.TargetOf(c.env, w)
	if !f.found(c, target, d) {
		return
	}
	f.serviceARN(c.env, d.service)
	f.controller(c, target, d.service)
	if target.CheckDeployable(d.service) == nil {
		f.rollout(target, r)
		f.stoppedTasks(ctx, c, target, d.service, r)
	}
	td := f.family(ctx, c, target, d.service)
	if installed {
		f.serviceRole(ctx, c, w, target, td)
	}
	if td == nil {
		return
	}
	if w.Repository == "" {
		f.ok("image", "runs %q, which is not in ECR: it is not deployed", w.External)
		return
	}
	running, ok := f.container(target, td)
	if !ok {
		return
	}
	f.origin(c, w, running)
	f.images(ctx, c, w, d.service, td, running)
}

// found reports whether the service exists.
func (f *findings) found(c *checker, t ecsservice.Target, d described) bool {
	where := fmt.Sprintf("service %q in cluster %q", t.Service, t.Cluster)
	resource := fmt.Sprintf("arn:%s:ecs:%s:%s:service/%s/*", c.caller.Partition, c.env.Region, c.env.AccountID,
		t.Cluster)
	switch {
	case fault.HasCode(d.err, "ClusterNotFoundException"):
		f.add("cluster", Problem,
			fmt.Sprintf("cluster %q does not exist in account %s and region %s",
				t.Cluster, c.env.AccountID, c.env.Region),
			"create it with the infrastructure, or name the right one in deployer.cluster of "+c.env.File)
	case d.err != nil:
		f.notChecked(c, "service", "ecs:DescribeServices", resource, d.err)
	case d.service == nil:
		f.add("service", Problem, fmt.Sprintf("%s does not exist: %s", where, d.missing),
			"create it with the infrastructure, or name the right one in deployer.workloads."+t.Workload+".service of "+
				c.env.File)
	case aws.ToString(d.service.Status) != "ACTIVE":
		f.add("service", Problem, where+" is "+aws.ToString(d.service.Status)+", not ACTIVE",
			"it was deleted: create it again, or remove it from "+c.env.File)
	case d.service.DesiredCount > d.service.RunningCount:
		f.add("service", Warning,
			fmt.Sprintf("%s runs %d of %d tasks", where, d.service.RunningCount, d.service.DesiredCount),
			fmt.Sprintf("see its events: aws ecs describe-services --region %s --cluster %s --services %s",
				c.env.Region, t.Cluster, t.Service))
		return true
	default:
		f.ok("service", "%s runs %d of %d tasks", where, d.service.RunningCount, d.service.DesiredCount)
		return true
	}
	return false
}

// controller reports the deployment controller, and whether a failed rollout is
// rolled back.
func (f *findings) controller(c *checker, t ecsservice.Target, s *types.Service) {
	if err := t.CheckDeployable(s); err != nil {
		what, hint := parts(err)
		f.add("controller", Problem, what, hint)
		return
	}
	f.ok("controller", "ECS")
	config := s.DeploymentConfiguration
	if config != nil && config.Strategy != "" && config.Strategy != types.DeploymentStrategyRolling {
		f.ok("circuit breaker",
			"not needed: the strategy is %s, which keeps the old tasks until the new ones are healthy", config.Strategy)
		return
	}
	breaker := &types.DeploymentCircuitBreaker{}
	if config != nil && config.DeploymentCircuitBreaker != nil {
		breaker = config.DeploymentCircuitBreaker
	}
	fix := fmt.Sprintf(
		"set it in the infrastructure, or: aws ecs update-service --region %s --cluster %s --service %s "+
			"--deployment-configuration 'deploymentCircuitBreaker={enable=true,rollback=true}'",
		c.env.Region, t.Cluster, t.Service)
	switch {
	case !breaker.Enable:
		f.add("circuit breaker", Warning,
			"off: a rollout whose tasks fail is retried forever and never rolled back", fix)
	case !breaker.Rollback:
		f.add("circuit breaker", Warning, "on, without rollback: a failed rollout is not rolled back", fix)
	default:
		f.ok("circuit breaker", "on, with rollback")
	}
}

// family reports the task definition family, and returns the running revision.
func (f *findings) family(ctx context.Context, c *checker, t ecsservice.Target,
	s *types.Service) *types.TaskDefinition {
	own := 0                     // tags of the newest revision, or of the one that runs if there is none
	var read ecsservice.Revision // last
	describe := func(name string) (*types.TaskDefinition, error) {
		r, err := c.services.DescribeRevision(ctx, name)
		if err != nil {
			return nil, err
		}
		own, read = len(ecsdeploy.OwnTags(r.Tags)), r
		return r.TaskDefinition, nil
	}
	runs := aws.ToString(s.TaskDefinition)
	family := ecsservice.FamilyOf(runs)
	newest, err := describe(family)
	running := newest
	if err != nil || aws.ToString(newest.TaskDefinitionArn) != runs {
		ofNewest := own
		if err == nil {
			f.cloned(t, read)
		}
		var runningErr error
		if running, runningErr = describe(runs); runningErr != nil {
			f.notChecked(c, "family", "ecs:DescribeTaskDefinition", "*", runningErr)
			return nil
		}
		if err == nil {
			own = ofNewest
		}
	}
	switch {
	case fault.HasCode(err, "ClientException"):
		f.add("family", Warning,
			fmt.Sprintf("family %q has no ACTIVE revision: deployments clone revision %d, which runs",
				family, running.Revision), "register a revision with the infrastructure")
	case err != nil: // whether there is one to clone is not known
		f.notChecked(c, "family", "ecs:DescribeTaskDefinition", "*", err)
		return running
	case family != t.Family:
		f.add("family", Warning, fmt.Sprintf(
			"the service runs family %q, not %q, the conventional one: the service's is used", family, t.Family),
			"if that is intended, set deployer.workloads."+t.Workload+".family in "+c.env.File)
	case newest.Revision != running.Revision:
		f.ok("family", "%s: runs revision %d, newest is %d", family, running.Revision, newest.Revision)
	default:
		f.ok("family", "%s: runs revision %d, the newest", family, running.Revision)
	}
	f.tags(own)
	return running
}

// cloned reports a problem of the newest revision, which deployments clone, that does not run: that its containers do
// not show which of them deployments change.
func (f *findings) cloned(t ecsservice.Target, newest ecsservice.Revision) {
	if t.Base == environment.BaseService || t.Record(newest).Other { // then the running revision is cloned
		return
	}
	if _, err := t.Containers(newest.TaskDefinition); err != nil {
		what, hint := parts(err)
		f.add("container", Problem, fmt.Sprintf("deployments clone revision %d, the newest, and are refused: %s",
			newest.Number(), what), hint)
	}
}

// container reports the container whose image deployments change, and returns the
// reference of its image.
func (f *findings) container(t ecsservice.Target, td *types.TaskDefinition) (image.Reference, bool) {
	chosen, err := t.Containers(td)
	if err != nil {
		what, hint := parts(err)
		f.add("container", Problem, what, hint)
		return image.Reference{}, false
	}
	var names []string
	for _, i := range chosen {
		names = append(names, aws.ToString(td.ContainerDefinitions[i].Name))
	}
	text := aws.ToString(td.ContainerDefinitions[chosen[0]].Image)
	ref, err := image.ParseReference(text)
	if err != nil {
		f.add("container", Problem, fmt.Sprintf("container %s runs %q: %v", names[0], text, err),
			"register a revision whose image ECS can pull")
		return ref, false
	}
	f.ok("container", "%s runs %s", strings.Join(names, " and "), text)
	return ref, true
}

// origin reports whether the running image is from the registry and repository that
// deployments use.
func (f *findings) origin(c *checker, w environment.Workload, running image.Reference) {
	registry, isECR := running.Registry()
	want := w.Registry
	switch {
	case !isECR || running.Repository != w.Repository:
		f.add("origin", Warning,
			fmt.Sprintf("it runs %s, but deployments use images from %s/%s", running, want.Host(), w.Repository),
			"the next deployment changes that: check ecr_strategy and ecr_config in "+c.env.File)
	case registry != want:
		f.add("origin", Warning,
			fmt.Sprintf("it runs an image from %s, but deployments use images from %s", registry, want),
			"the next deployment changes that: check ecr_strategy in "+c.env.File)
	default:
		f.ok("origin", "%s of %s, by strategy %s", w.Repository, want, c.env.Strategy.Name)
	}
}

// parts returns a fault's text and its hint.
func parts(err error) (what, hint string) {
	if f, ok := err.(interface{ Parts() (string, string) }); ok {
		return f.Parts()
	}
	return err.Error(), ""
}
