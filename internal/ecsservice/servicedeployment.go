package ecsservice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// ServiceDeployment is a deployment of a service, as DescribeServiceDeployments
// shows it: with its lifecycle stage and its pauses.
type ServiceDeployment struct {
	ARN    string
	Status types.ServiceDeploymentStatus
	Reason string    // ECS's reason for the status; may be ""
	Target string    // the id of the rollout that it started, "ecs-svc/…"
	Stage  string    // the lifecycle stage, such as "BAKE_TIME"; "" if ECS does not report one
	Until  time.Time // when the pause ends by itself; zero if there is none
	Then   string    // what ECS does then: "CONTINUE" or "ROLLBACK"
	Hooks  []string  // ids of the lifecycle hooks that wait for an action
	// Detected means that the circuit breaker or an alarm ended it: the documented status TRIGGERED of
	// deploymentCircuitBreaker or alarms. Not so if a person or a hook did.
	Detected bool
}

// errNoServiceDeployment is the name of the fault of a service deployment that ECS
// does not show.
const errNoServiceDeployment fault.Name = "ServiceDeploymentNotFound"

// Paused reports whether the deployment waits to be continued or stopped.
func (d ServiceDeployment) Paused() bool { return len(d.Hooks) > 0 }

// CurrentDeployment reads the target's deployment in progress with
// ListServiceDeployments and DescribeServiceDeployments. Doing is the operation
// that faults name. If no deployment is in progress, or it is being rolled back,
// the error is a [fault.Rejection].
func (c *Client) CurrentDeployment(ctx context.Context, t Target, doing string) (ServiceDeployment, error) {
	if _, err := c.DescribeService(ctx, t); err != nil {
		return ServiceDeployment{}, err
	}
	out, err := c.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(t.Cluster), Service: aws.String(t.Service),
		Status: []types.ServiceDeploymentStatus{
			types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress,
			types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress,
		},
	}, retrying(ctx))
	if err != nil {
		return ServiceDeployment{}, fault.Classify(doing, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return ServiceDeployment{}, t.NotPossible("NothingInProgress", doing, "no deployment is in progress")
	}
	newest := slices.MaxFunc(out.ServiceDeployments, func(a, b types.ServiceDeploymentBrief) int {
		return aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt))
	})
	switch newest.Status {
	case types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
		why := "it is being rolled back: " + aws.ToString(newest.StatusReason)
		return ServiceDeployment{}, t.NotPossible(fault.ErrRollbackInProgress, doing, why)
	}
	return c.describeDeployment(ctx, doing, aws.ToString(newest.ServiceDeploymentArn))
}

// describeDeployment reads one service deployment by its ARN.
func (c *Client) describeDeployment(ctx context.Context, doing, arn string) (ServiceDeployment, error) {
	in := &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}}
	out, err := c.ecs.DescribeServiceDeployments(ctx, in, retrying(ctx))
	if err != nil {
		return ServiceDeployment{}, fault.Classify(doing, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return ServiceDeployment{}, fault.Unavailable(errNoServiceDeployment, doing,
			fmt.Errorf("ECS does not show %q, which it listed", arn), "try again")
	}
	one := out.ServiceDeployments[0]
	d := ServiceDeployment{ARN: arn, Status: one.Status, Reason: aws.ToString(one.StatusReason),
		Stage: string(one.LifecycleStage), Detected: detected(one)}
	if one.TargetServiceRevision != nil {
		d.Target = rolloutOf(aws.ToString(one.TargetServiceRevision.Arn))
	}
	for _, h := range one.LifecycleHookDetails {
		if h.TargetType != types.DeploymentLifecycleHookTargetTypePause ||
			h.Status != types.DeploymentLifecycleHookStatusAwaitingAction {
			continue
		}
		d.Hooks = append(d.Hooks, aws.ToString(h.HookId))
		if at := aws.ToTime(h.ExpiresAt).UTC(); d.Until.IsZero() || at.Before(d.Until) {
			d.Until, d.Then = at, cmp.Or(string(h.TimeoutAction), string(types.DeploymentLifecycleHookActionRollback))
		}
	}
	return d, nil
}

// detected reports whether the circuit breaker or an alarm found that a service deployment failed.
func detected(d types.ServiceDeployment) bool {
	const triggered = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	return d.DeploymentCircuitBreaker != nil && d.DeploymentCircuitBreaker.Status == triggered ||
		d.Alarms != nil && d.Alarms.Status == triggered
}

// Stage reads the lifecycle stage of a service's deployment in progress. It
// returns the zero value if deployments of the service have no stages. It is best
// effort: the call needs a permission that callers may lack.
func (c *Client) Stage(ctx context.Context, t Target, service *types.Service) ServiceDeployment {
	config := service.DeploymentConfiguration
	if service.CurrentServiceDeployment == nil || config == nil {
		return ServiceDeployment{}
	}
	if !Shifts(service) && len(config.LifecycleHooks) == 0 {
		return ServiceDeployment{}
	}
	d, _ := c.describeDeployment(ctx, t.describing(), *service.CurrentServiceDeployment)
	return d
}

// NotPossible returns the fault of a command that needs a deployment in a state
// that the target's is not in.
func (t Target) NotPossible(name fault.Name, doing, why string) error {
	return fault.Rejected(name, doing, errors.New(why), "check the service's status: "+t.Command("status"))
}
