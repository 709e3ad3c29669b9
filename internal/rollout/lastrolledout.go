package rollout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
)

// LastRolledOut returns the ARN of the revision whose rollout a service is in, or was in last. That
// is the revision that it runs or is being moved to; while ECS rolls back, and after it
// has, the revision that failed. It reads revisions like [Client.Statuses] unless the
// service itself shows the answer. If they cannot be read, the revision that runs counts.
func (c *Client) LastRolledOut(ctx context.Context, t ecsservice.Target, service *types.Service) string {
	runs := aws.ToString(service.TaskDefinition)
	if t.Task {
		return runs
	}
	for _, r := range ecsservice.Rollbacks(service) {
		if ecsservice.RollingBack(r.By) {
			return aws.ToString(r.From.TaskDefinition)
		}
	}
	goesOn := !progressOf(service, rollbacksOf(service, event.Rollout{}), runs).Ended()
	if goesOn && !ecsservice.Shifts(service) {
		return runs
	}
	s, err := c.condition(ctx, t, service, &Memory{})
	back := s.Condition == RollingBack || s.Condition == RolledBack
	if err != nil || !back || s.Newest == nil || movedSince(s, service) {
		return runs
	}
	return s.Newest.TaskDefinition
}

// movedSince reports whether the service was moved after ECS had rolled it back: the
// newest rollout is not the rollback that the journal names.
func movedSince(s Status, service *types.Service) bool {
	for _, d := range service.Deployments {
		if ecsservice.IsPrimary(d) {
			return s.Newest.RolledBackBy != "" && s.Newest.RolledBackBy != aws.ToString(d.Id)
		}
	}
	return false
}
