package ecsdeploy

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// writer is the part of the ECS API that changes services and families.
type writer interface {
	RegisterTaskDefinition(
		context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options),
	) (*ecs.RegisterTaskDefinitionOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
}

// Deployer deploys in the account and region of one ECS client. It is safe for
// concurrent use. Deployments of one service are carried out one after the other.
type Deployer struct {
	services *ecsservice.Client
	ecs      writer
	now      func() time.Time
	memory   memory
	locks    serviceLocks
	turns    turns
}

// New returns a deployer that calls ECS through a client.
func New(services *ecsservice.Client) *Deployer {
	return &Deployer{services: services, ecs: services.SDK(), now: time.Now}
}

// State is a service and its family as they were read, and what a deployment
// has done since.
type State struct {
	target     ecsservice.Target
	service    *types.Service // as it was last read
	rolls      converge.Service
	pointers   []pointer.Pointer // of a task, as they were last read; nil for a service
	familyName string
	running    ecsservice.Revision // the one that the service runs, or is being moved to
	newest     ecsservice.Revision // the latest ACTIVE one of the family
	before     ecsservice.Revision // the one that ran when the service was first read
	rollout    string              // id of the rollout that this deployment started
	primary    string              // id of the service's newest rollout
	warning    string              // for the result's reason
	leftOut    []string            // keys that do not fit into the journal of the new revision

	checkedRoles bool // whether IAM was asked what the roles that start a task may do

	// unused is the number of the revision that this deployment registered
	// without moving the service to it, 0 if there is none. No rollout event will
	// be sent for it.
	unused int

	revisions   map[int]ecsservice.Revision // all that were read or registered, by number
	contents    map[int]contents            // what was read of them
	failed      map[string]bool             // ARNs of the revisions that have a FAILED deployment
	origins     map[string]converge.Origin  // of rollouts, by ECS's id, as far as they were read
	rollingBack string                      // ECS's reason for a rollback in progress; "" if there is none
	now         time.Time                   // when the service was first read
	waits       *fault.Waits                // of the calls of this deployment
	waited      time.Duration               // their total when the service was last read
	read        time.Time                   // when that read began
	rereads     int                         // how often it was read again because that was long ago
	// The first read of each is answered from this state.
	freshService, freshNewest bool
}

// Read reads the state of the target's service: see [ecsservice.Group.Snapshot].
func (d *Deployer) Read(ctx context.Context, t ecsservice.Target) (*State, error) {
	return d.ReadIn(ctx, d.services.Group(nil), t)
}

// ReadIn is [Deployer.Read] for a service of a group, which is read with others.
func (d *Deployer) ReadIn(ctx context.Context, group *ecsservice.Group, t ecsservice.Target) (*State, error) {
	ctx, waits := fault.CountWaits(ctx)
	waited, began := waits.Total(), d.now()
	read := func(ctx context.Context, arn string) (ecsservice.Revision, error) { return d.remembered(ctx, t, arn) }
	snapshot, err := group.Snapshot(ctx, t, read)
	if err != nil {
		return nil, err
	}
	s := newState(d.now(), t, snapshot)
	s.waits, s.waited, s.read = waits, waited, began
	return s, nil
}

// newState returns the state of a service that was read at the given time.
func newState(now time.Time, t ecsservice.Target, read ecsservice.Snapshot) *State {
	s := &State{
		target: t, familyName: aws.ToString(read.Running.TaskDefinition.Family),
		running: read.Running, newest: read.Newest, before: read.Running,
		revisions: map[int]ecsservice.Revision{}, contents: map[int]contents{}, failed: map[string]bool{},
		origins: map[string]converge.Origin{}, now: now, waits: new(fault.Waits),
		freshService: true, freshNewest: true,
	}
	for _, r := range append(read.Between, read.Running, read.Newest) {
		s.addRevision(r)
	}
	s.pointers = read.Pointers
	s.updateService(read.Service)
	if s.rollingBack != "" {
		s.warning = "the service was being rolled back: " + strings.TrimSuffix(s.rollingBack, ".")
	}
	return s
}

// addRevision adds a revision that was read or registered.
func (s *State) addRevision(r ecsservice.Revision) {
	s.revisions[r.Number()] = r
	delete(s.contents, r.Number())
}

// updateService updates the state from a newer answer about the service.
func (s *State) updateService(service *types.Service) {
	s.service = service
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
	s.rolls = s.rollouts(service)
	if s.pointers != nil {
		s.rolls = rolloutsOf(s.pointers)
	}
}

// NewestChoice returns the time of the service's newest choice: when its newest rollout
// began, by ECS's clock, or the time of the event of a revision that was read.
func (s *State) NewestChoice() (at time.Time) {
	for _, d := range s.service.Deployments {
		if created := aws.ToTime(d.CreatedAt); created.After(at) {
			at = created
		}
	}
	for _, r := range s.revisions {
		if record := s.target.Record(r); !record.Foreign && record.Cause.Time.After(at) {
			at = record.Cause.Time
		}
	}
	return at.UTC()
}

// number returns the number of the revision that the service runs.
func (s *State) number() int { return s.running.Number() }

// arn returns the ARN of a revision of the family.
func (s *State) arn(number int) string { return ecsservice.Sibling(s.running.ARN(), number) }

// errRollbackInProgress returns the fault of an order that no person gave, such as a push, while ECS rolls back: only a
// person's deployment may end a rollback.
func (s *State) errRollbackInProgress(o Order) error {
	return fault.Unavailable(fault.ErrRollbackInProgress,
		fmt.Sprintf("deploying tag %q to %s", o.Image.Tag, s.target),
		fmt.Errorf("the service is being rolled back: %s", s.rollingBack),
		"it is retried; a DEPLOY event is deployed at once")
}
