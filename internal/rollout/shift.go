package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// maxDeployment is how long ECS lets a service deployment last (ECS developer guide,
// "Amazon ECS blue/green service deployments workflow").
const maxDeployment = 30 * 24 * time.Hour

// shiftedPhase returns the phase of a rollout with an id by its service deployment.
// Primary means that the rollout is the service's newest.
func shiftedPhase(d ecsservice.ServiceDeployment, id string, primary bool) journal.Phase {
	own := d.Target == id
	switch d.Status {
	case types.ServiceDeploymentStatusSuccessful:
		if own {
			return journal.Succeeded
		}
	case types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
		if own {
			return journal.Failed
		}
	case types.ServiceDeploymentStatusRollbackSuccessful:
		if own {
			return journal.Failed
		}
		return journal.Succeeded // it is the rollback
	case types.ServiceDeploymentStatusRollbackFailed:
		return journal.Failed
	case types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusStopped:
		switch {
		case !primary: // ECS stops it when a newer one starts
			return journal.Superseded
		case d.Status == types.ServiceDeploymentStatusStopped:
			return journal.Failed
		}
	}
	return journal.RollingOut
}

// shifted completes the progress of a rollout that shifts traffic with the status
// of its service deployment. If that cannot be read, it is not known whether the
// rollout has ended, and the error says so.
func (c *Client) shifted(ctx context.Context, t ecsservice.Target, s *types.Service, p Progress) (Progress, error) {
	d, found, err := c.services.DeploymentOf(ctx, t, s, p.DeploymentID)
	if err != nil {
		return p, fmt.Errorf("it is not known whether the rollout of %q has ended: %w", p.TaskDefinition, err)
	}
	if !found {
		return c.notListed(ctx, t, s, p)
	}
	p.Phase, p.Stage, p.Paused = shiftedPhase(d, p.DeploymentID, isPrimary(s, p.DeploymentID)), "", false
	switch {
	case p.Phase == journal.RollingOut:
		p.Stage, p.Paused = d.Stage, d.Paused()
	case d.Reason != "":
		p.Reason = d.Reason
	}
	return p, nil
}

// notListed completes the progress of a rollout whose service deployment ECS does
// not list from the journal. Without a journal, only one that is older than any
// deployment can last has ended for certain.
func (c *Client) notListed(ctx context.Context, t ecsservice.Target, s *types.Service, p Progress) (Progress, error) {
	p.Phase = journal.RollingOut
	record, err := c.services.Record(ctx, t, p.TaskDefinition)
	if err != nil {
		return p, err
	}
	for _, d := range s.Deployments {
		old := d.CreatedAt != nil && c.now().Sub(*d.CreatedAt) > maxDeployment
		if aws.ToString(d.Id) == p.DeploymentID && ecsservice.IsPrimary(d) && old {
			p.Phase = journal.Succeeded
		}
	}
	if record.DeploymentID != p.DeploymentID {
		return p, nil
	}
	if record.Outcome.IsEnd() {
		p.Phase, p.Reason = record.Outcome, record.Why
	}
	return p, nil
}

// isPrimary reports whether the rollout with an id is a service's newest.
func isPrimary(s *types.Service, id string) bool {
	for _, d := range s.Deployments {
		if aws.ToString(d.Id) == id {
			return ecsservice.IsPrimary(d)
		}
	}
	return false
}

// shiftedStatus completes the status of a service whose rollouts shift traffic.
func (c *Client) shiftedStatus(ctx context.Context, t ecsservice.Target, service *types.Service, s *Status) {
	id := s.Progress.DeploymentID
	d, found, err := c.services.DeploymentOf(ctx, t, service, id)
	p := s.Progress
	switch {
	case err != nil:
		s.Condition, s.Progress.Reason = NotKnown, err.Error()
		return
	case found:
		p.Phase = shiftedPhase(d, id, true)
	default:
		if p, err = c.notListed(ctx, t, service, p); err != nil || !p.Ended() {
			s.Condition, s.Progress.Reason = NotKnown, "ECS lists no service deployment of the rollout "+id
			return
		}
	}
	rolledBack := s.Condition == RolledBack
	s.Progress = p
	switch {
	case found && d.Target != id && !p.Ended():
		s.Condition = RollingBack
	case p.Phase == journal.Failed:
		s.Condition = Failed
	case !p.Ended():
		s.Deployment = d
	case rolledBack || found && d.Target != id || s.Newest != nil && s.Newest.Outcome == journal.Failed:
		s.Condition = RolledBack
	default:
		s.Condition = Steady
	}
}
