package rollout

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// Progress is the progress of the rollout of one revision.
type Progress struct {
	Phase          journal.Phase
	TaskDefinition string // ARN of the revision
	DeploymentID   string // ECS's id, "ecs-svc/…"; "" once ECS no longer lists it
	Desired        int    // number of tasks that the revision is to have
	Running        int    // number of its running tasks
	Pending        int    // number of its pending tasks
	Failed         int    // number of its tasks that ECS counts as failed
	Reason         string // ECS's reason for the state; "" if there is none
	Stage          string // the lifecycle stage, such as "BAKE_TIME"; "" if there is none
	Paused         bool   // the rollout waits to be continued or stopped
	Runs           string // ARN of the revision that the service runs, or is being moved to
	Stopped        string // why its tasks stopped, as ECS says it; from the journal, or set by [Client.Follow]
	NextRun        string // of a task that was moved to it: when it runs next, for people
}

// Ended reports whether the rollout has ended, or is impaired and nothing ends it.
func (p Progress) Ended() bool { return p.Phase != journal.RollingOut }

// Progress reads the progress of the target's rollout of a revision, given by its ARN. It
// makes one call, and more in these cases:
//
//   - The rollout shifts traffic: up to three.
//   - It has stages: one.
//   - ECS no longer lists it, or does not say how it ended: one.
//   - Its tasks fail, and the service has no circuit breaker: one.
//
// A task's deployment has ended once all that starts the task holds the revision.
func (c *Client) Progress(ctx context.Context, t ecsservice.Target, revision string) (Progress, error) {
	if t.Task {
		return c.taskProgress(ctx, t, revision)
	}
	service, err := c.services.DescribeService(ctx, t)
	if err != nil {
		return Progress{}, err
	}
	p := progressOf(service, c.rollbacks(ctx, t, service, revision), revision)
	if p.DeploymentID != "" && ecsservice.Shifts(service) {
		return c.shifted(ctx, t, service, p)
	}
	if p.DeploymentID == "" || p.Phase == journal.Failed && p.Reason == "" {
		return c.pastProgress(ctx, t, p)
	}
	if !p.Ended() {
		d := c.services.Stage(ctx, t, service)
		p.Stage, p.Paused = d.Stage, d.Paused()
	}
	if breaks, _ := breakers(service.DeploymentConfiguration); breaks || p.Ended() || p.Failed == 0 {
		return p, nil
	}
	// ECS keeps trying. The journal shows whether that was reported.
	record, err := c.services.Record(ctx, t, revision)
	if err == nil && record.Outcome == journal.Impaired {
		p.Phase, p.Reason, p.Stopped = journal.Impaired, record.Why, record.Stopped
	}
	return p, err
}

// pastProgress completes the progress of a rollout from the journal: of one that ECS
// no longer lists, or of which it does not say how it ended.
func (c *Client) pastProgress(ctx context.Context, t ecsservice.Target, p Progress) (Progress, error) {
	record, err := c.services.Record(ctx, t, p.TaskDefinition)
	if record.Outcome.IsEnd() {
		p.Phase = record.Outcome
	}
	p.DeploymentID, p.Reason = cmp.Or(p.DeploymentID, record.DeploymentID), record.Why
	p.Stopped = record.Stopped
	return p, err
}

// rollbacks returns the rollbacks of a service. ECS's service deployments decide on
// those of a revision's rollout that its deployments leave open.
func (c *Client) rollbacks(ctx context.Context, t ecsservice.Target, s *types.Service, revision string) rollbacks {
	back := rollbacksOf(s, event.Rollout{})
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) == revision {
			back = back.confirmed(ctx, c.services, t, s, aws.ToString(d.Id))
		}
	}
	return back
}

// progressOf returns the progress of a revision's rollout that a service shows.
func progressOf(s *types.Service, back rollbacks, revision string) Progress {
	p := Progress{Phase: journal.RollingOut, TaskDefinition: revision, Runs: aws.ToString(s.TaskDefinition)}
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) != revision {
			continue
		}
		p.DeploymentID, p.Reason = aws.ToString(d.Id), aws.ToString(d.RolloutStateReason)
		p.Desired, p.Running = int(d.DesiredCount), int(d.RunningCount)
		p.Pending, p.Failed = int(d.PendingCount), int(d.FailedTasks)
		steady := d.RolloutState == "" && p.Running == p.Desired && p.Pending == 0
		shifts := ecsservice.Shifts(s) // then only its service deployment says whether it has succeeded
		by, rolledBack := back.of(p.DeploymentID)
		switch {
		case d.RolloutState == types.DeploymentRolloutStateFailed:
			p.Phase = journal.Failed
		case rolledBack:
			p.Phase, p.Reason = journal.Failed, ""
			if ecsservice.IsRollback(by.By) {
				p.Reason = aws.ToString(by.By.RolloutStateReason)
			}
		case !shifts && d.RolloutState == types.DeploymentRolloutStateCompleted: // whatever replaced it later
			p.Phase = journal.Succeeded
		case !ecsservice.IsPrimary(d):
			p.Phase = journal.Superseded
		case !shifts && steady:
			p.Phase = journal.Succeeded
		}
		return p
	}
	// ECS no longer lists the rollout. If it failed, the service runs an older revision.
	p.Phase = journal.Failed
	newer := ecsservice.NumberOf(p.Runs) > ecsservice.NumberOf(revision)
	if newer || ecsservice.FamilyOf(p.Runs) != ecsservice.FamilyOf(revision) {
		p.Phase = journal.Superseded
	}
	return p
}
