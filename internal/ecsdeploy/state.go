package ecsdeploy

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// raceTime is how long after the winner's registration a late event still
// completes the service's update to it. After that, whatever the service runs
// was chosen later than the winner.
const raceTime = 15 * time.Minute

// writer is the part of the ECS API that changes services and families.
type writer interface {
	RegisterTaskDefinition(
		context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options),
	) (*ecs.RegisterTaskDefinitionOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
}

// Deployer deploys in the account and region of one ECS client. It is safe for
// concurrent use.
type Deployer struct {
	services *ecsservice.Client
	ecs      writer
	now      func() time.Time
}

// New returns a deployer that calls ECS through a client.
func New(services *ecsservice.Client) *Deployer {
	return &Deployer{services: services, ecs: services.SDK(), now: time.Now}
}

// State is a service and its family as they were read, and what a deployment
// has done since.
type State struct {
	target     ecsservice.Target
	service    *types.Service // as it was first read
	familyName string
	running    ecsservice.Revision // the one that the service runs, or is being moved to
	newest     ecsservice.Revision // the latest ACTIVE one of the family
	before     string              // ARN of the revision that ran when the service was first read
	rollout    string              // id of the rollout that this deployment started
	primary    string              // id of the service's newest rollout
	warning    string              // for the result's reason
	leftOut    []string            // keys that do not fit into the journal of the new revision

	// unused is the number of the revision that this deployment registered
	// without moving the service to it, 0 if there is none. No rollout event will
	// be sent for it.
	unused int

	revisions   map[int]ecsservice.Revision // all that were read or registered, by number
	failed      map[string]bool             // ARNs of the revisions that have a FAILED deployment
	rollingBack string                      // ECS's reason for a rollback in progress; "" if there is none
	now         time.Time                   // when the service was first read
	// The first read of each is answered from this state.
	freshService, freshNewest bool
}

// Read reads the state of the target's service: see [ecsservice.Client.Snapshot].
func (d *Deployer) Read(ctx context.Context, t ecsservice.Target) (*State, error) {
	snapshot, err := d.services.Snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	return newState(d.now(), t, snapshot), nil
}

// newState returns the state of a service that was read at the given time.
func newState(now time.Time, t ecsservice.Target, read ecsservice.Snapshot) *State {
	s := &State{
		target: t, service: read.Service, familyName: aws.ToString(read.Running.TaskDefinition.Family),
		running: read.Running, newest: read.Newest, before: read.Running.ARN(),
		revisions: map[int]ecsservice.Revision{}, failed: map[string]bool{}, now: now,
		freshService: true, freshNewest: true,
	}
	s.addRevision(read.Running)
	s.addRevision(read.Newest)
	s.updateDeployments(read.Service)
	if s.rollingBack != "" {
		s.warning = "the service was being rolled back: " + s.rollingBack
	}
	return s
}

// addRevision adds a revision that was read or registered.
func (s *State) addRevision(r ecsservice.Revision) { s.revisions[r.Number()] = r }

// updateDeployments updates the state from a newer answer about the service.
func (s *State) updateDeployments(service *types.Service) {
	s.rollingBack, s.primary = "", ""
	for _, d := range service.Deployments {
		if ecsservice.IsPrimary(d) {
			s.primary = aws.ToString(d.Id)
		}
		if ecsservice.RollingBack(d) {
			s.rollingBack = aws.ToString(d.RolloutStateReason)
		}
	}
	maps.Copy(s.failed, ecsservice.FailedRevisions(service))
}

// number returns the number of the revision that the service runs.
func (s *State) number() int { return s.running.Number() }

// arn returns the ARN of a revision of the family.
func (s *State) arn(number int) string { return ecsservice.Sibling(s.running.ARN(), number) }

// family is the state as the rule's [converge.Family].
func (s *State) family(number int) (converge.Revision, bool) {
	r, known := s.revisions[number]
	if !known {
		return converge.Revision{}, number <= 0
	}
	record := s.target.Record(r)
	c := converge.Revision{
		Number: number, Image: s.target.Identity(r),
		Dead: s.failed[r.ARN()] || r.Inactive() || record.Outcome == journal.Failed,
		Old:  s.now.Sub(r.Registered()) > raceTime,
	}
	if record.Foreign {
		// Event times are cut to seconds: an event of the same second counts as later.
		c.Time = r.Registered().Truncate(time.Second).UnixNano() - 1
		return c, true
	}
	c.Event, c.Time = record.Cause.ID, record.Cause.Time.UnixNano()
	c.Base, c.Best = ecsservice.NumberOf(record.Base), converge.Key(record.Best)
	return c, true
}

// request returns the order as a request of the rule.
func (s *State) request(o Order) converge.Request {
	return converge.Request{
		Event: journal.Value(o.Cause.ID), Time: o.Cause.Time.UnixNano(),
		Image: ecsservice.IdentityOf(o.Image), Force: o.Force,
	}
}

// errRollbackInProgress is the fault of a push during a rollback. Deploying it
// would end the rollback without a decision of a person.
func (s *State) errRollbackInProgress(o Order) error {
	return fault.Unavailable(fault.ErrRollbackInProgress,
		fmt.Sprintf("deploying tag %q to service %q", o.Image.Tag, s.target.Service),
		fmt.Errorf("the service is being rolled back: %s", s.rollingBack),
		"the push is retried; a DEPLOY event is deployed at once")
}
