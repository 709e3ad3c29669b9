package ecsservice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// maxServiceRevisions is how many service revisions one call describes.
const maxServiceRevisions = 20

// PastRollout is a rollout of a service as ECS's service deployments show it, for 90
// days. Rollbacks are none: they are parts of what they roll back.
type PastRollout struct {
	ID             string // "ecs-svc/…"
	Status         types.ServiceDeploymentStatus
	RolledBack     bool // it was being rolled back, also if a newer one replaced the rollback
	Created        time.Time
	Finished       time.Time // zero while it has not ended
	TaskDefinition string    // ARN of its revision; "" until [Client.AddTaskDefinitions]
}

// PastRollouts is [Client.ListRollouts] for callers that can do without: known is false if the
// rollouts cannot be read.
func (c *Client) PastRollouts(ctx context.Context, t Target) (all []PastRollout, known bool) {
	all, err := c.ListRollouts(ctx, t)
	return all, err == nil
}

// ListRollouts returns the newest rollouts of a service, oldest first. The error is a fault of
// package fault: callers may lack the permission, and ECS may not have the operation.
func (c *Client) ListRollouts(ctx context.Context, t Target) (all []PastRollout, err error) {
	in := &ecs.ListServiceDeploymentsInput{Cluster: aws.String(t.Cluster), Service: aws.String(t.Service),
		MaxResults: aws.Int32(maxListedDeployments)}
	for {
		out, err := c.ecs.ListServiceDeployments(ctx, in, retrying(ctx))
		if err != nil {
			return nil, fault.Classify(fmt.Sprintf("listing the rollouts of service %q in cluster %q", t.Service,
				t.Cluster), err)
		}
		for _, d := range out.ServiceDeployments {
			all = append(all, PastRollout{ID: rolloutOf(aws.ToString(d.TargetServiceRevisionArn)), Status: d.Status,
				RolledBack: RolledBackStatus(d.Status) || strings.Contains(aws.ToString(d.StatusReason), "rolled back"),
				Created:    aws.ToTime(d.CreatedAt), Finished: aws.ToTime(d.FinishedAt)})
		}
		// The newest are listed first, and only they are needed.
		in.NextToken = out.NextToken
		if in.NextToken == nil || len(all) >= maxListedDeployments {
			break
		}
	}
	slices.Reverse(all) // of two of the same time, the newer one is listed first
	slices.SortStableFunc(all, func(a, b PastRollout) int { return a.Created.Compare(b.Created) })
	return all, nil
}

// AddTaskDefinitions reads the revisions of rollouts with DescribeServiceRevisions. It
// reports whether it found all of them.
func (c *Client) AddTaskDefinitions(ctx context.Context, s *types.Service, all []PastRollout) bool {
	for part := range slices.Chunk(all, maxServiceRevisions) {
		in := &ecs.DescribeServiceRevisionsInput{}
		for _, r := range part {
			in.ServiceRevisionArns = append(in.ServiceRevisionArns, serviceRevisionARN(s, r.ID))
		}
		out, err := c.ecs.DescribeServiceRevisions(ctx, in, retrying(ctx))
		if err != nil || len(out.ServiceRevisions) < len(part) {
			return false
		}
		for _, one := range out.ServiceRevisions {
			for i := range part {
				if part[i].ID == rolloutOf(aws.ToString(one.ServiceRevisionArn)) {
					part[i].TaskDefinition = aws.ToString(one.TaskDefinition)
				}
			}
		}
	}
	return true
}

// Moved reports whether a service was moved to a revision, given by its ARN, since its
// registration. If that cannot be read, it returns false.
func (c *Client) Moved(ctx context.Context, t Target, s *types.Service, revision string, since time.Time) bool {
	all, known := c.PastRollouts(ctx, t)
	all = slices.DeleteFunc(all, func(p PastRollout) bool { return p.Created.Before(since) })
	if !known || !c.AddTaskDefinitions(ctx, s, all) {
		return false
	}
	return slices.ContainsFunc(all, func(p PastRollout) bool { return p.TaskDefinition == revision })
}

// TaskDefinitionOf returns the ARN of the revision of a rollout that a service's
// deployments no longer show; "" if ECS does not have it.
func (c *Client) TaskDefinitionOf(ctx context.Context, s *types.Service, id string) string {
	one := []PastRollout{{ID: id}}
	if s == nil || !c.AddTaskDefinitions(ctx, s, one) {
		return ""
	}
	return one[0].TaskDefinition
}

// serviceRevisionARN returns the ARN of the service revision that has the number of a
// rollout's id. Services of before 2019 may have an ARN without the cluster; their
// service revisions have it.
func serviceRevisionARN(s *types.Service, id string) string {
	arn, cluster := aws.ToString(s.ServiceArn), aws.ToString(s.ClusterArn)
	prefix, _, _ := strings.Cut(arn, ":service/")
	return prefix + ":service-revision/" + cluster[strings.LastIndexByte(cluster, '/')+1:] + "/" +
		aws.ToString(s.ServiceName) + "/" + strings.TrimPrefix(id, "ecs-svc/")
}
