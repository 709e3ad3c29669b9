package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// maxInFlight is how many services are read at the same time.
const maxInFlight = 8

// Condition is the condition of a service.
type Condition string

// The conditions of a service. The last three mean that its last rollout failed.
const (
	Steady      Condition = "steady"
	RollingOut  Condition = "rolling out"
	Paused      Condition = "paused"       // rolling out, until it is continued or stopped
	Impaired    Condition = "impaired"     // rolling out, but tasks do not start
	RollingBack Condition = "rolling back" // to the previous revision
	RolledBack  Condition = "rolled back"  // runs the previous revision
	Failed      Condition = "failed"       // without a rollback
)

// NotKnown is the condition of a service whose rollout shifts traffic while its
// service deployment cannot be read: it may be rolling out, steady or rolling back.
const NotKnown Condition = "not known"

// Status is what a service runs, and the progress of its rollout.
type Status struct {
	Condition  Condition
	Running    journal.Record
	Since      time.Time                    // when the running revision's rollout began, or a task was moved to it
	Progress   Progress                     // of the running revision
	Deployment ecsservice.ServiceDeployment // while it is in progress and has stages; else zero
	Trouble    Trouble                      // what is wrong with the last rollout
	Task       *TaskStatus                  // of a task; nil for a service

	// Newest is the newest revision of the family, if it differs from the running
	// one in more than the journal; else nil. SameImage means that its image does
	// not differ.
	Newest    *journal.Record
	SameImage bool
}

// Failed reports whether the last rollout failed, as far as ECS and the journal of
// the family's newest revision show it.
func (s Status) Failed() bool {
	return s.Condition == RollingBack || s.Condition == RolledBack || s.Condition == Failed
}

// Statuses reads the status of the service of each target; all targets are in one
// cluster. It calls show for each with the target's index as soon as the status is
// known, from several goroutines. If a service is missing, cannot be deployed to or
// cannot be read, show gets the error instead. Statuses itself only fails if the
// cluster does not exist.
//
// It reads ten services a call and the newest revision of each family, with at
// most eight calls at the same time. It also reads the running revision if that is an older
// one, the lifecycle stage of a deployment in progress, and why tasks of a troubled rollout
// stopped. Revisions that memory has for the same state of the service are not read again.
func (c *Client) Statuses(
	ctx context.Context, cluster string, targets []ecsservice.Target, memory *Memory, show func(int, Status, error),
) error {
	services, err := c.services.DescribeServices(ctx, cluster, targets)
	if errors.Is(err, fault.ErrClusterNotFound) {
		return err
	}
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	for i, one := range services {
		if one.Err != nil {
			show(i, Status{}, one.Err)
			continue
		}
		g.Go(func() error {
			s, err := c.status(ctx, targets[i], one.Service, memory)
			if err == nil && targets[i].Task {
				twins := c.twins(ctx, targets[i], s.Running.TaskDefinition, one.Pointers)
				s.asTask(one.Pointers, twins, c.now())
			}
			show(i, s, err)
			return nil
		})
	}
	return g.Wait()
}

// status reads the revisions, the stage and the trouble of one service.
func (c *Client) status(
	ctx context.Context, t ecsservice.Target, service *types.Service, memory *Memory,
) (Status, error) {
	s, err := c.condition(ctx, t, service, memory)
	if err == nil {
		s.Trouble = c.troubleOf(ctx, t, service, s, memory)
	}
	return s, err
}

// condition reads the revisions and the stage of one service.
func (c *Client) condition(
	ctx context.Context, t ecsservice.Target, service *types.Service, memory *Memory,
) (Status, error) {
	family, err := c.family(ctx, t, service, memory)
	if err != nil {
		return Status{}, err
	}
	back := c.rollbacks(ctx, t, service, family.newest.ARN())
	s := statusOf(t, service, back, family.running, family.newest)
	if ecsservice.Shifts(service) {
		c.shiftedStatus(ctx, t, service, &s)
	} else if !s.Progress.Ended() {
		s.Deployment = c.services.Stage(ctx, t, service)
	}
	if s.Deployment.Paused() {
		s.Condition = Paused
	}
	return s, nil
}

// family reads a service's running revision and its family's newest one.
func (c *Client) family(
	ctx context.Context, t ecsservice.Target, service *types.Service, memory *Memory,
) (familyRead, error) {
	runs := aws.ToString(service.TaskDefinition)
	progress := progressOf(service, rollbacksOf(service, event.Rollout{}), runs)
	state := runs + " " + progress.DeploymentID + " " + string(progress.Phase)
	if known, ok := memory.recall(t.Service, state, c.now()); ok {
		return known, nil
	}
	read := familyRead{state: state, at: c.now()}
	var err error
	read.newest, err = c.services.DescribeRevision(ctx, ecsservice.FamilyOf(runs))
	gone := errors.Is(err, fault.ErrTaskDefinitionNotFound) // the family has no ACTIVE revision
	read.running = read.newest
	if gone || err == nil && read.newest.ARN() != runs {
		read.running, err = c.services.DescribeRevision(ctx, runs)
	}
	if err != nil {
		return familyRead{}, err
	}
	if !gone && t.Record(read.newest).Other {
		read.newest, err = c.newestBelow(ctx, t, read.newest, read.running)
	}
	if err != nil {
		return familyRead{}, err
	}
	if gone {
		read.newest = read.running
	}
	memory.keep(t.Service, read)
	return read, nil
}

// maxOthers is how many revisions of another service of the family are skipped to find
// the newest one that is not.
const maxOthers = 10

// newestBelow returns the newest ACTIVE revision that is not another service's, below other
// and above the running one: its configuration is for all services that share the family.
// It returns the running one if there is none. Other is another service's revision.
func (c *Client) newestBelow(ctx context.Context, t ecsservice.Target, other, running ecsservice.Revision) (
	ecsservice.Revision, error) {
	family, number := ecsservice.FamilyOf(other.ARN()), ecsservice.NumberOf(other.ARN())
	last := max(ecsservice.NumberOf(running.ARN()), number-1-maxOthers)
	for number--; number > last; number-- {
		r, err := c.services.DescribeRevision(ctx, fmt.Sprintf("%s:%d", family, number))
		switch {
		case errors.Is(err, fault.ErrTaskDefinitionNotFound): // it was deleted
		case err != nil:
			return ecsservice.Revision{}, err
		case r.TaskDefinition.Status == types.TaskDefinitionStatusActive && !t.Record(r).Other:
			return r, nil
		}
	}
	return running, nil
}

// statusOf returns the status of a service from its running revision and its
// family's newest one.
func statusOf(t ecsservice.Target, service *types.Service, back rollbacks, running, newest ecsservice.Revision) Status {
	s := Status{Running: t.Record(running), Progress: progressOf(service, back, running.ARN()), Condition: Steady}
	s.Since = s.Running.Registered
	rollingBack := false
	for _, d := range service.Deployments {
		if ecsservice.IsPrimary(d) {
			s.Since = aws.ToTime(d.CreatedAt).UTC()
		}
		rollingBack = rollingBack || ecsservice.RollingBack(d)
	}
	same := t.Identity(running) == t.Identity(newest)
	if running.ARN() != newest.ARN() && !(same && ecsdeploy.AlikeButImage(t, running, newest)) {
		record := t.Record(newest)
		s.Newest, s.SameImage = &record, same
	}
	newestFailed := s.Newest != nil && (s.Newest.Outcome == journal.Failed ||
		s.Newest.Outcome != journal.Superseded && back.failed(service, newest.ARN()))
	switch {
	case rollingBack:
		s.Condition = RollingBack
	case s.Progress.Phase == journal.Failed:
		s.Condition = Failed
	case s.Progress.Phase == journal.RollingOut && s.Running.Outcome == journal.Impaired:
		s.Condition = Impaired
	case s.Progress.Phase == journal.RollingOut:
		s.Condition = RollingOut
	case newestFailed:
		s.Condition = RolledBack
	}
	return s
}
