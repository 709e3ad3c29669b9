package rollout

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// Observation is what ECS and the journals show of one rollout of a service.
type Observation struct {
	Found    bool           // ECS still lists the rollout, or a journal has its id
	Deleted  bool           // the service was deleted
	ID       string         // ECS's id of the rollout
	Accepted time.Time      // when ECS accepted the rollout; zero if that is not known
	Revision journal.Record // the revision that is rolled out
	Previous journal.Record // the revision that ran before; zero if that is not known
	Runs     journal.Record // the revision that the service runs, or is being moved to

	Primary         bool   // the rollout is the service's newest
	PrimaryID       string // ECS's id of the service's newest rollout; "" if it has none
	InProgress      bool   // the rollout has not ended
	RollbackReason  string // ECS's words, if ECS began this rollout to roll back from another; else ""
	BreakerEnabled  bool   // a circuit breaker or an alarm ends rollouts that fail
	BreakerRollback bool   // and rolls the service back then

	// Replaced are the deployer's own rollouts that had not ended when this one
	// replaced them.
	Replaced []journal.Record
}

// Foreign reports whether the rollout is an external deployment: of another
// tool's revision, or a second rollout of a revision whose own has ended.
func (o Observation) Foreign() bool {
	ended := o.Revision.Outcome == journal.Succeeded || o.Revision.Outcome == journal.Failed
	return o.Revision.Foreign || ended && o.Revision.DeploymentID != o.ID
}

// maxJournalSearch is how many revisions are read in search of a rollout that
// ECS no longer lists.
const maxJournalSearch = 20

// Observe reads the rollout with an id of the target's service; "" is the one
// in progress. One that ECS does not list is looked for in the journals of the
// family's newest revisions, if search is true. It makes at least two calls,
// except for a rollout that is not found.
func (c *Client) Observe(ctx context.Context, t ecsservice.Target, id string, search bool) (Observation, error) {
	service, err := c.services.FindService(ctx, t)
	if err != nil {
		return Observation{}, err
	}
	o := Observation{ID: id, Deleted: service == nil || aws.ToString(service.Status) != "ACTIVE"}
	if service == nil {
		service = &types.Service{}
	}
	o.BreakerEnabled, o.BreakerRollback = breakers(service.DeploymentConfiguration)
	revision := o.addDeployment(service)
	switch {
	case revision != "":
		if o.Revision, err = c.services.Record(ctx, t, revision); err != nil {
			return o, err
		}
		o.Found = true
	case search && id != "":
		if o.Revision, o.Found, err = c.searchJournals(ctx, t, service, id); err != nil {
			return o, err
		}
	}
	if !o.Found {
		return o, nil
	}
	return o, c.addOthers(ctx, t, service, &o)
}

// addDeployment adds what the service's deployments show of the rollout, and
// returns the ARN of its revision; "" if they do not list it.
func (o *Observation) addDeployment(service *types.Service) (revision string) {
	wanted := o.ID
	for _, d := range service.Deployments {
		id, primary := aws.ToString(d.Id), ecsservice.IsPrimary(d)
		if primary {
			o.PrimaryID = id
		}
		if id != wanted && !(wanted == "" && primary) {
			continue
		}
		o.ID, o.Primary, o.Accepted = id, primary, aws.ToTime(d.CreatedAt)
		o.InProgress = d.RolloutState == types.DeploymentRolloutStateInProgress
		if ecsservice.BeganRollback(d) {
			o.RollbackReason = aws.ToString(d.RolloutStateReason)
		}
		revision = aws.ToString(d.TaskDefinition)
	}
	return revision
}

// breakers reports whether ECS ends rollouts that fail, and whether it rolls
// back then: by the circuit breaker or by alarms.
func breakers(c *types.DeploymentConfiguration) (enabled, rollback bool) {
	if c == nil {
		return false, false
	}
	if b := c.DeploymentCircuitBreaker; b != nil && b.Enable {
		enabled, rollback = true, b.Rollback
	}
	if a := c.Alarms; a != nil && a.Enable {
		enabled, rollback = true, rollback || a.Rollback
	}
	return enabled, rollback
}

// searchJournals looks for the id of a rollout in the journals of the newest
// revisions of the service's family.
func (c *Client) searchJournals(ctx context.Context, t ecsservice.Target, service *types.Service, id string) (r journal.Record, found bool, err error) {
	family := t.Family
	if runs := aws.ToString(service.TaskDefinition); runs != "" {
		family = ecsservice.FamilyOf(runs)
	}
	r, err = c.services.Record(ctx, t, family)
	for n := 0; err == nil; n++ {
		if r.DeploymentID == id {
			return r, true, nil
		}
		if n == maxJournalSearch || r.Revision <= 1 {
			return journal.Record{}, false, nil
		}
		r, err = c.services.Record(ctx, t, ecsservice.Sibling(r.TaskDefinition, r.Revision-1))
	}
	if fault.NameOf(err) == "TaskDefinitionNotFound" { // the family was deleted too
		err = nil
	}
	return journal.Record{}, false, err
}

// addOthers adds the revision that ran before, the one that the service runs,
// and the rollouts that this one replaced.
func (c *Client) addOthers(ctx context.Context, t ecsservice.Target, service *types.Service, o *Observation) error {
	before := o.Revision.Previous
	if o.Foreign() { // the journal is about the deployer's own rollout
		before = ""
	}
	var replaced, ids []string // the rollouts that this one replaced: ARNs of revisions, and ECS's ids
	listed := map[string]bool{}
	for _, d := range service.Deployments {
		arn, id := aws.ToString(d.TaskDefinition), aws.ToString(d.Id)
		listed[arn] = true
		if id == o.ID || ecsservice.IsPrimary(d) {
			continue
		}
		inProgress := d.RolloutState == types.DeploymentRolloutStateInProgress
		if o.Primary && inProgress && arn != o.Revision.TaskDefinition && !slices.Contains(replaced, arn) {
			replaced, ids = append(replaced, arn), append(ids, id)
		}
		if before == "" && d.RolloutState != types.DeploymentRolloutStateFailed {
			before = arn
		}
	}
	records, err := c.recordsOf(ctx, t, o.Revision, append([]string{before, aws.ToString(service.TaskDefinition)}, replaced...))
	if err != nil {
		return err
	}
	o.Previous, o.Runs = records[0], records[1]
	for i, r := range records[2:] {
		if r.Pending() {
			r.DeploymentID = ids[i] // its start may be reported later
			o.Replaced = append(o.Replaced, r)
		}
	}
	// One whose start was reported, and that ECS no longer lists, has no end.
	if p := o.Previous; o.Primary && p.Pending() && p.DeploymentID != "" && p.DeploymentID != o.ID && !listed[p.TaskDefinition] {
		o.Replaced = append(o.Replaced, p)
	}
	return nil
}

// recordsOf reads revisions by their ARNs at the same time; "" is the zero
// record. The one that is known is not read again.
func (c *Client) recordsOf(ctx context.Context, t ecsservice.Target, known journal.Record, arns []string) ([]journal.Record, error) {
	records, errs := make([]journal.Record, len(arns)), make([]error, len(arns))
	var all sync.WaitGroup
	for i, arn := range arns {
		switch arn {
		case "":
		case known.TaskDefinition:
			records[i] = known
		default:
			all.Go(func() { records[i], errs[i] = c.services.RecordOrARN(ctx, t, arn) })
		}
	}
	all.Wait()
	return records, errors.Join(errs...)
}

// RolledBackBy reports whether the rollout with an id is the one by which ECS
// rolled back from the newest revision of the family of r.
func (c *Client) RolledBackBy(ctx context.Context, t ecsservice.Target, r journal.Record, id string) (bool, error) {
	newest, err := c.services.Record(ctx, t, ecsservice.FamilyOf(r.TaskDefinition))
	return err == nil && newest.Return == id, err
}

// Before reads the revision that ran when one was registered. Of a revision
// that was deleted there is only the ARN.
func (c *Client) Before(ctx context.Context, t ecsservice.Target, r journal.Record) (journal.Record, error) {
	if r.Previous == "" {
		return journal.Record{}, nil
	}
	return c.services.RecordOrARN(ctx, t, r.Previous)
}
