package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Sighting is what ECS shows of one rollout of a service, when it has told that
// something became of it.
type Sighting struct {
	Found    bool      // ECS still lists the rollout, or a journal has its id
	Gone     bool      // the service was deleted meanwhile
	Record   Record    // of the revision that the rollout brings
	Before   Record    // of what ran before; zero if that is not known
	ID       string    // ECS's id of the rollout
	Accepted time.Time // when ECS accepted the rollout; zero if that is not known

	Primary   bool   // no newer rollout has taken its place
	PrimaryID string // of the newest rollout of the service; "" if it has none
	Rolling   bool   // it has not ended
	RollsBack string // ECS's words, if it began the rollout itself, to go back
	Breaks    bool   // a circuit breaker or an alarm ends rollouts that fail
	Returns   bool   // and brings back what ran before
	Runs      Record // of the revision that the service runs, or is being moved to

	// Replaced are the records of the deployer's own rollouts that had not ended
	// when this one took their place.
	Replaced []Record
}

// Foreign reports whether somebody else made the rollout: of a revision of
// their own, or once more of one whose rollout had ended.
func (s Sighting) Foreign() bool {
	ended := s.Record.Outcome == Succeeded || s.Record.Outcome == Failed
	return s.Record.Foreign || ended && s.Record.DeploymentID != s.ID
}

// farthest is how many revisions are read in search of a rollout that ECS no
// longer lists, or that a service was moved back from.
const farthest = 20

// Sight looks at the rollout with an id of the target's service; "" is the one
// that is under way. One that ECS does not list is looked for in the journals
// of the family's newest revisions, if search says so. It makes at least two
// calls, but for a rollout that is not found.
func (d *Deployer) Sight(ctx context.Context, t Target, id string, search bool) (Sighting, error) {
	service, err := d.findService(ctx, t)
	if err != nil {
		return Sighting{}, err
	}
	s := Sighting{ID: id, Gone: service == nil || aws.ToString(service.Status) != "ACTIVE"}
	if service == nil {
		service = &types.Service{}
	}
	s.Breaks, s.Returns = breakers(service.DeploymentConfiguration)
	var revision string
	for _, one := range service.Deployments {
		primary := aws.ToString(one.Status) == "PRIMARY"
		if primary {
			s.PrimaryID = aws.ToString(one.Id)
		}
		if aws.ToString(one.Id) != id && !(id == "" && primary) {
			continue
		}
		s.ID, s.Primary, s.Accepted = aws.ToString(one.Id), primary, aws.ToTime(one.CreatedAt)
		revision = aws.ToString(one.TaskDefinition)
		s.Rolling = one.RolloutState == types.DeploymentRolloutStateInProgress
		if reason := aws.ToString(one.RolloutStateReason); strings.Contains(reason, "rolling back") {
			s.RollsBack = reason
		}
	}
	if revision == "" && !search {
		return s, nil
	}
	if err := d.sightRevision(ctx, t, service, revision, id, &s); err != nil || !s.Found {
		return s, err
	}
	return s, d.sightOthers(ctx, t, service, &s)
}

// breakers says whether ECS ends rollouts that fail, and whether it goes back then.
func breakers(c *types.DeploymentConfiguration) (breaks, returns bool) {
	if c == nil {
		return false, false
	}
	if b := c.DeploymentCircuitBreaker; b != nil && b.Enable {
		breaks, returns = true, b.Rollback
	}
	if a := c.Alarms; a != nil && a.Enable {
		breaks, returns = true, returns || a.Rollback
	}
	return breaks, returns
}

// sightRevision reads the revision that the rollout brings, or finds it in the journals.
func (d *Deployer) sightRevision(ctx context.Context, t Target, service *types.Service, revision, id string, s *Sighting) error {
	if revision != "" {
		r, err := d.recordOf(ctx, t, revision)
		s.Record, s.Found = r, err == nil
		return err
	}
	if id == "" {
		return nil
	}
	family := t.Family
	if runs := aws.ToString(service.TaskDefinition); runs != "" {
		family = familyOf(runs)
	}
	newest, err := d.recordOf(ctx, t, family)
	for n := 0; err == nil; n++ {
		if newest.DeploymentID == id {
			s.Record, s.Found = newest, true
			return nil
		}
		if n == farthest || newest.Revision <= 1 {
			return nil
		}
		newest, err = d.recordOf(ctx, t, fmt.Sprintf("%s:%d", newest.TaskDefinition[:lastColon(newest.TaskDefinition)], newest.Revision-1))
	}
	if fault.NameOf(err) == "TaskDefinitionNotFound" { // a family that is gone too
		return nil
	}
	return err
}

// sightOthers reads what ran before and what runs, and whose rollouts this one ended.
func (d *Deployer) sightOthers(ctx context.Context, t Target, service *types.Service, s *Sighting) error {
	before := s.Record.Previous
	if s.Foreign() { // the journal tells what ran before the deployer's own rollout
		before = ""
	}
	var replaced, ids []string // of the rollouts whose place this one has taken: revisions, and ECS's ids
	listed := map[string]bool{}
	for _, one := range service.Deployments {
		arn := aws.ToString(one.TaskDefinition)
		listed[arn] = true
		if aws.ToString(one.Id) == s.ID || aws.ToString(one.Status) == "PRIMARY" {
			continue
		}
		if s.Primary && one.RolloutState == types.DeploymentRolloutStateInProgress && arn != s.Record.TaskDefinition && !slices.Contains(replaced, arn) {
			replaced, ids = append(replaced, arn), append(ids, aws.ToString(one.Id))
		}
		if before == "" && one.RolloutState != types.DeploymentRolloutStateFailed {
			before = arn
		}
	}
	runs := aws.ToString(service.TaskDefinition)
	arns := append([]string{before, runs}, replaced...)
	records, errs := make([]Record, len(arns)), make([]error, len(arns))
	var all sync.WaitGroup
	for i, arn := range arns {
		switch arn {
		case "":
		case s.Record.TaskDefinition:
			records[i] = s.Record
		default:
			all.Go(func() { records[i], errs[i] = d.recordOrGone(ctx, t, arn) })
		}
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.Before, s.Runs = records[0], records[1]
	for i, r := range records[2:] {
		if r.Pending() {
			r.DeploymentID = ids[i] // that it began may be told later
			s.Replaced = append(s.Replaced, r)
		}
	}
	// One that was seen to start, and is gone without an end.
	if b := s.Before; s.Primary && b.Pending() && b.DeploymentID != "" && b.DeploymentID != s.ID && !listed[b.TaskDefinition] {
		s.Replaced = append(s.Replaced, b)
	}
	return nil
}

// Pending reports whether the deployer made the revision and its rollout is not
// known to have ended.
func (r Record) Pending() bool {
	return !r.Foreign && (r.Outcome == "" || r.Outcome == Rolling || r.Outcome == Impaired)
}

// Returned reports whether the rollout with an id is the one by which ECS went
// back from the newest revision of the family of r.
func (d *Deployer) Returned(ctx context.Context, t Target, r Record, id string) (bool, error) {
	newest, err := d.recordOf(ctx, t, familyOf(r.TaskDefinition))
	return err == nil && newest.Return == id, err
}

// Before returns the revision that ran when one was made, as far as it is still
// there: of one that is gone, only its ARN.
func (d *Deployer) Before(ctx context.Context, t Target, r Record) (Record, error) {
	if r.Previous == "" {
		return Record{}, nil
	}
	return d.recordOrGone(ctx, t, r.Previous)
}

// recordOrGone reads a revision by its ARN; of one that was deleted for good
// there is only the ARN.
func (d *Deployer) recordOrGone(ctx context.Context, t Target, arn string) (Record, error) {
	r, err := d.recordOf(ctx, t, arn)
	if fault.NameOf(err) == "TaskDefinitionNotFound" {
		return Record{TaskDefinition: arn, Revision: revisionOf(arn)}, nil
	}
	return r, err
}

// recordOf reads a revision by its ARN, or a family's newest one by its name.
func (d *Deployer) recordOf(ctx context.Context, t Target, name string) (Record, error) {
	r, err := d.describeRevision(ctx, name)
	if err != nil {
		return Record{}, err
	}
	return t.record(r), nil
}
