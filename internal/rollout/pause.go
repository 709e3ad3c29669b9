package rollout

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
)

// Continue continues the target's paused deployment with
// ContinueServiceDeployment, and returns the deployment as it was. If none is in
// progress, or it is not paused, the error is a [fault.Rejection].
func (c *Client) Continue(ctx context.Context, t ecsservice.Target) (ecsservice.ServiceDeployment, error) {
	doing := fmt.Sprintf("continuing the deployment of service %q in cluster %q", t.Service, t.Cluster)
	d, err := c.services.CurrentDeployment(ctx, t, doing)
	if err != nil {
		return d, err
	}
	if !d.Paused() {
		where := ""
		if d.Stage != "" {
			where = ": it is at " + d.Stage
		}
		return d, t.NotPossible("NotPaused", doing, "it is not paused"+where)
	}
	for _, hook := range d.Hooks {
		out, err := c.ecs.ContinueServiceDeployment(ctx, &ecs.ContinueServiceDeploymentInput{
			ServiceDeploymentArn: aws.String(d.ARN), HookId: aws.String(hook),
			Action: types.DeploymentLifecycleHookActionContinue,
		})
		if err != nil {
			return d, fault.Classify(doing, err)
		}
		if aws.ToString(out.ServiceDeploymentArn) == "" {
			return d, fault.Incomplete(doing, "ARN of the deployment")
		}
	}
	return d, nil
}

// Stop stops the target's deployment with StopServiceDeployment, and returns the
// deployment as it was. The service rolls back to the previous revision. If no
// deployment is in progress, the error is a [fault.Rejection]. ECS rejects the
// rollback of a service's first deployment.
func (c *Client) Stop(ctx context.Context, t ecsservice.Target) (ecsservice.ServiceDeployment, error) {
	doing := fmt.Sprintf("stopping the deployment of service %q in cluster %q", t.Service, t.Cluster)
	d, err := c.services.CurrentDeployment(ctx, t, doing)
	if err != nil {
		return d, err
	}
	// StopServiceDeployment answers a conflict for a deployment that cannot be
	// stopped: the SDK's default retries are enough.
	in := &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: aws.String(d.ARN), StopType: types.StopServiceDeploymentStopTypeRollback,
	}
	out, err := c.ecs.StopServiceDeployment(ctx, in)
	if err == nil && aws.ToString(out.ServiceDeploymentArn) == "" {
		return d, fault.Incomplete(doing, "ARN of the deployment")
	}
	return d, fault.Classify(doing, err)
}
