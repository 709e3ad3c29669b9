package ecsdeploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Apply carries out a plan: it registers the revision and moves the service to
// it. A plan without a change is answered as it is, without a call. Of the
// service nothing but the task definition is sent: other members would be
// refused by some controllers, and restart what they need not.
func (d *Deployer) Apply(ctx context.Context, p *Plan) (Deployment, error) {
	if p.register == nil {
		return p.Deployment, nil
	}
	result := p.Deployment
	registered, err := d.ecs.RegisterTaskDefinition(ctx, p.register, within(ctx))
	if err != nil {
		return Deployment{}, fault.Of(fmt.Sprintf("registering a revision of task definition %q with image %q", aws.ToString(p.register.Family), result.Image), err)
	}
	result.TaskDefinition = aws.ToString(registered.TaskDefinition.TaskDefinitionArn)
	updated, err := d.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster:        aws.String(p.target.Cluster),
		Service:        aws.String(p.target.Service),
		TaskDefinition: aws.String(result.TaskDefinition),
	}, within(ctx))
	if err != nil {
		return Deployment{}, fault.Of(fmt.Sprintf("moving service %q in cluster %q to %q", p.target.Service, p.target.Cluster, result.TaskDefinition), err)
	}
	result.DeploymentID = rollout(updated.Service, result.TaskDefinition)
	result.Status, result.Reason = Deployed, "the service is being moved to the new revision"
	return result, nil
}

// rollout returns the id of the deployment that brings a revision into the
// service, "" if the answer does not show it.
func rollout(s *types.Service, arn string) string {
	if s == nil {
		return ""
	}
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) == arn && aws.ToString(d.Status) == "PRIMARY" {
			return aws.ToString(d.Id)
		}
	}
	return ""
}
