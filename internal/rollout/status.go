package rollout

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// maxInFlight is how many services are read at the same time.
const maxInFlight = 8

// Condition is the condition of a service.
type Condition string

// The conditions. The last three are those of a service whose last rollout failed.
const (
	Steady      Condition = "steady"
	RollingOut  Condition = "rolling out"
	Paused      Condition = "paused"       // rolling out, and waits to be continued or stopped
	Impaired    Condition = "impaired"     // rolling out, and its tasks do not start
	RollingBack Condition = "rolling back" // to the previous revision
	RolledBack  Condition = "rolled back"  // it runs the previous revision
	Failed      Condition = "failed"       // and is not rolled back
)

// Status is what a service runs, and how far its rollout has come.
type Status struct {
	Condition  Condition
	Running    journal.Record
	Since      time.Time                    // when ECS began to move the service to it
	Progress   Progress                     // of the running revision
	Deployment ecsservice.ServiceDeployment // while it is in progress and has stages; else zero

	// Newest is the newest revision of the family, if it is neither the running
	// one nor different from it in the journal only; else nil. SameImage reports
	// that its image is the running one.
	Newest    *journal.Record
	SameImage bool
}

// Failed reports whether the last rollout failed, as far as ECS and the newest
// journal of the family show it.
func (s Status) Failed() bool {
	return s.Condition == RollingBack || s.Condition == RolledBack || s.Condition == Failed
}

// Statuses reads the status of each target's service; all are in one cluster.
// It passes each to show as soon as it is known, by its index and from several
// goroutines. If a service is missing, cannot be deployed to or cannot be read,
// show gets that error. Only a missing cluster is an error of Statuses itself.
//
// It reads ten services a call and the newest revision of each family, with at
// most eight calls at the same time. One more revision is read if the service
// runs an older one, and the deployment if it is in progress and has stages.
// What memory has of a service that is in the same state is not read again.
func (c *Client) Statuses(ctx context.Context, cluster string, targets []ecsservice.Target, memory *Memory, show func(int, Status, error)) error {
	services, err := c.services.DescribeServices(ctx, cluster, targets)
	if fault.NameOf(err) == "ClusterNotFound" {
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
			show(i, s, err)
			return nil
		})
	}
	return g.Wait()
}

// status reads the revisions and the stage of one service.
func (c *Client) status(ctx context.Context, t ecsservice.Target, service *types.Service, memory *Memory) (Status, error) {
	family, err := c.family(ctx, t, service, memory)
	if err != nil {
		return Status{}, err
	}
	s := statusOf(t, service, family.running, family.newest)
	if !s.Progress.Ended() {
		s.Deployment = c.services.Stage(ctx, t, service)
	}
	if s.Deployment.Paused() {
		s.Condition = Paused
	}
	return s, nil
}

// family reads a service's running revision and its family's newest one.
func (c *Client) family(ctx context.Context, t ecsservice.Target, service *types.Service, memory *Memory) (familyRead, error) {
	runs := aws.ToString(service.TaskDefinition)
	progress := progressOf(service, runs)
	state := runs + " " + progress.DeploymentID + " " + string(progress.Phase)
	if known, ok := memory.recall(t.Service, state, c.now()); ok {
		return known, nil
	}
	read := familyRead{state: state, at: c.now()}
	var err error
	read.newest, err = c.services.DescribeRevision(ctx, ecsservice.FamilyOf(runs))
	gone := fault.NameOf(err) == "TaskDefinitionNotFound" // every revision was deregistered; services keep running theirs
	read.running = read.newest
	if gone || err == nil && read.newest.ARN() != runs {
		read.running, err = c.services.DescribeRevision(ctx, runs)
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

// statusOf returns the status of a service that runs one revision of a family
// with a newest one.
func statusOf(t ecsservice.Target, service *types.Service, running, newest ecsservice.Revision) Status {
	s := Status{Running: t.Record(running), Progress: progressOf(service, running.ARN()), Condition: Steady}
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
	newestFailed := s.Newest != nil && (s.Newest.Outcome == journal.Failed || ecsservice.FailedRevisions(service)[newest.ARN()])
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
