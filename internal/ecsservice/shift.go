package ecsservice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// maxListedDeployments is the largest page of ListServiceDeployments.
const maxListedDeployments = 100

// Shifts reports whether deployments of a service shift traffic: blue/green, linear
// and canary ones. ECS documents the rolloutState of a deployment for rolling
// updates only; of these, the status of the service deployment says how they end.
func Shifts(s *types.Service) bool {
	c := s.DeploymentConfiguration
	return c != nil && c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling
}

// DeploymentOf reads the service deployment of a rollout, by ECS's id of the
// rollout. The rollout and the service revision that the service deployment
// targets share their number. If there is none but the service's newest service
// deployment was rolled back, it is returned: then the rollout is that rollback, and
// Target is another rollout. If there is neither, found is false: ECS lists 90 days.
func (c *Client) DeploymentOf(
	ctx context.Context, t Target, service *types.Service, id string,
) (d ServiceDeployment, found bool, err error) {
	doing := fmt.Sprintf("reading the service deployment of %q, the rollout of service %q in cluster %q",
		id, t.Service, t.Cluster)
	if current := aws.ToString(service.CurrentServiceDeployment); current != "" {
		d, err = c.describeDeployment(ctx, doing, current)
		if err == nil && d.Target == id {
			return d, true, nil
		}
		if err != nil && !errors.Is(err, errNoServiceDeployment) {
			return d, false, err
		}
	}
	arn, err := c.listedDeployment(ctx, t, doing, id)
	if arn == "" || err != nil {
		return ServiceDeployment{}, false, err
	}
	d, err = c.describeDeployment(ctx, doing, arn)
	return d, err == nil, err
}

// StartedOn reports whether a service deployment started the rollout with an id. If
// not, the rollout is the rollback of the service's newest service deployment: that is
// a part of it. It is best effort, because callers may lack the permissions for
// service deployments: if it is not known, known is false.
func (c *Client) StartedOn(ctx context.Context, t Target, service *types.Service, id string) (own, known bool) {
	d, found, err := c.DeploymentOf(ctx, t, service, id)
	return d.Target == id, found && err == nil
}

// listedDeployment returns the ARN of the service deployment of a rollout, else of
// the newest one if it was rolled back, else "".
func (c *Client) listedDeployment(ctx context.Context, t Target, doing, id string) (arn string, err error) {
	var newest *types.ServiceDeploymentBrief
	in := &ecs.ListServiceDeploymentsInput{Cluster: aws.String(t.Cluster), Service: aws.String(t.Service),
		MaxResults: aws.Int32(maxListedDeployments)}
	for {
		out, err := c.ecs.ListServiceDeployments(ctx, in, retrying(ctx))
		if err != nil {
			return "", fault.Classify(doing, err)
		}
		for i, one := range out.ServiceDeployments {
			if rolloutOf(aws.ToString(one.TargetServiceRevisionArn)) == id {
				return aws.ToString(one.ServiceDeploymentArn), nil
			}
			if newest == nil || aws.ToTime(one.CreatedAt).After(aws.ToTime(newest.CreatedAt)) {
				newest = &out.ServiceDeployments[i]
			}
		}
		in.NextToken = out.NextToken
		if in.NextToken == nil {
			break
		}
	}
	if newest == nil || !RolledBackStatus(newest.Status) {
		return "", nil
	}
	return aws.ToString(newest.ServiceDeploymentArn), nil
}

// RolledBackStatus reports whether a service deployment with the status is or was
// rolled back, or could not be.
func RolledBackStatus(s types.ServiceDeploymentStatus) bool {
	return slices.Contains([]types.ServiceDeploymentStatus{
		types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress,
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed,
	}, s)
}

// rolloutOf returns the id of the rollout that shares its number with a service
// revision.
func rolloutOf(revision string) string {
	return "ecs-svc/" + revision[strings.LastIndexByte(revision, '/')+1:]
}
