package ecsservice

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// HookState is a lifecycle hook of a service deployment, as ECS shows it.
type HookState struct {
	DeploymentID string // ECS's id of the rollout, "ecs-svc/…"; "" if ECS no longer has the service deployment
	Status       string // such as "AWAITING_ACTION"; "" if ECS does not show the hook
	Then         string // what ECS does at the hook's time-out: "CONTINUE" or "ROLLBACK"; "" if it does not show it
}

// HookState reads a hook of a service deployment, which is given by its ARN, with
// DescribeServiceDeployments.
func (c *Client) HookState(ctx context.Context, t Target, deployment, hook string) (HookState, error) {
	doing := fmt.Sprintf("describing a deployment of service %q in cluster %q", t.Service, t.Cluster)
	in := &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{deployment}}
	out, err := c.ecs.DescribeServiceDeployments(ctx, in, retrying(ctx))
	if err != nil {
		return HookState{}, fault.Classify(doing, err)
	}
	if len(out.ServiceDeployments) == 0 || out.ServiceDeployments[0].TargetServiceRevision == nil {
		return HookState{}, nil
	}
	d := out.ServiceDeployments[0]
	// The ARN of a service revision ends in the number of the rollout's id.
	revision := aws.ToString(d.TargetServiceRevision.Arn)
	s := HookState{DeploymentID: "ecs-svc/" + revision[strings.LastIndexByte(revision, '/')+1:]}
	for _, h := range d.LifecycleHookDetails {
		if aws.ToString(h.HookId) == hook {
			s.Status = string(h.Status)
			s.Then = cmp.Or(string(h.TimeoutAction), string(types.DeploymentLifecycleHookActionRollback))
		}
	}
	return s, nil
}
