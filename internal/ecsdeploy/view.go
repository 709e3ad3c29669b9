package ecsdeploy

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// recent is how long after the registration of a revision its delivery may be about to
// move the service to it. Another delivery of the same event waits for that.
const recent = 10 * time.Second

// dead is how long after the registration of a revision its delivery has ended, or died:
// the max timeout that Lambda allows a function.
const dead = 15 * time.Minute

// rollouts returns a service's deployments as the rule takes them, newest first. The
// first is the one that runs.
func (s *State) rollouts(service *types.Service) converge.Service {
	all := slices.Clone(service.Deployments)
	slices.SortStableFunc(all, func(a, b types.Deployment) int {
		if p, q := ecsservice.IsPrimary(a), ecsservice.IsPrimary(b); p != q {
			return map[bool]int{true: -1, false: 1}[p]
		}
		return aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt))
	})
	back := map[string]bool{}
	for _, r := range ecsservice.Rollbacks(service) {
		if r.Certain || r.From.RolloutState == types.DeploymentRolloutStateFailed {
			back[aws.ToString(r.By.Id)] = true
		}
	}
	rolls := converge.Service{}
	for _, d := range all {
		roll := converge.Rollout{
			ID: aws.ToString(d.Id), Created: aws.ToTime(d.CreatedAt).Truncate(time.Second).UnixNano(),
			Rollback: back[aws.ToString(d.Id)], Origin: s.origins[aws.ToString(d.Id)],
		}
		if td := aws.ToString(d.TaskDefinition); ecsservice.FamilyOf(td) == s.familyName {
			roll.Revision = ecsservice.NumberOf(td)
		}
		rolls = append(rolls, roll)
	}
	// A service without deployments, and one whose newest deployment ECS does not show yet.
	runs := ecsservice.NumberOf(aws.ToString(service.TaskDefinition))
	if len(rolls) == 0 || rolls[0].Revision != runs {
		created := aws.ToTime(service.CreatedAt).Truncate(time.Second).UnixNano()
		if r, known := s.revisions[runs]; known && !r.Registered().IsZero() {
			created = r.Registered().Truncate(time.Second).UnixNano()
		}
		rolls = slices.Insert(rolls, 0, converge.Rollout{Revision: runs, Created: created})
	}
	return rolls
}

// contents is what the rule asks about a revision many times, and what is read from its tags and containers.
type contents struct {
	record journal.Record
	image  string
}

// contentsOf returns the record and the image's identity of one of s.revisions. It keeps them: the rule asks for each
// revision about ten times a deployment.
func (s *State) contentsOf(number int, r ecsservice.Revision) contents {
	c, known := s.contents[number]
	if !known {
		c = contents{s.target.Record(r), s.target.Identity(r)}
		s.contents[number] = c
	}
	return c
}

// family is the state as the rule's [converge.Family].
func (s *State) family(number int) (converge.Revision, bool) {
	r, known := s.revisions[number]
	if !known {
		return converge.Revision{}, number <= 0
	}
	read := s.contentsOf(number, r)
	record := read.record
	c := converge.Revision{
		Number: number, Registered: r.Registered().UnixNano(), Image: read.image, Failed: s.failed[r.ARN()],
		Other: record.Other,
	}
	unknown := r.Registered().IsZero() // moto_server leaves it out
	c.Unusable = r.Inactive()
	if unknown {
		c.Gone = r.TaskDefinition.Status == types.TaskDefinitionStatusDeleteInProgress
		c.Registered, c.Other = 0, c.Gone
		c.Unseen = c.Gone && s.pointers != nil &&
			(number > s.newest.Number() || s.now.Sub(s.newest.Registered()) < recent)
	}
	if record.Foreign || s.copied(record) {
		return c, true
	}
	age := s.now.Sub(r.Registered())
	// ECS's rollback is noted before the failure, whose event comes minutes later.
	c.Own, c.Failed = true, c.Failed || record.Outcome == journal.Failed || record.RolledBackBy != ""
	c.Event, c.Time = record.Cause.ID, record.Cause.Time.UnixNano()
	if unknown {
		c.Registered = c.Time // no event is dated after its registration
	}
	c.Demand, c.Delivery, c.Copy = demands[record.Rule.Demand], record.Rule.Request, record.CopyOf > 0
	c.Base, c.Summary = record.Rule.Base, converge.Key(record.Rule.Best)
	if c.Base == 0 { // absent, or no number that can be
		c.Base = number - 1
	}
	c.Configuration, c.Seen = record.Rule.Configuration.From, record.Rule.Configuration.Seen
	c.Rollout, c.RolledBackBy = record.DeploymentID, record.RolledBackBy
	if noted := !record.Finished.IsZero(); noted && (s.pointers == nil || s.now.Sub(record.Finished) > noteDelay) {
		c.Ended = record.Finished.UnixNano()
	}
	c.Command = record.Cause.Source == event.CommandSource
	c.New, c.Old = age < recent && age > -recent, age > dead && !unknown
	if ecsservice.FamilyOf(record.Previous) == s.familyName {
		c.Previous = ecsservice.NumberOf(record.Previous)
	}
	return c, true
}

// copied reports whether a revision's journal was copied from an earlier revision with
// the credentials that registered that: both have the same base, and the earlier one is
// above it, and ran. Two registrations have the same base only if the first was not
// answered, and could not be read yet; then that revision never runs.
func (s *State) copied(r journal.Record) bool {
	for n := r.Revision - 1; n > r.Rule.Base; n-- {
		one, known := s.revisions[n]
		if !known {
			return false
		}
		other := s.contentsOf(n, one).record
		if !other.Foreign && other.Cause.ID == r.Cause.ID && other.Rule.Base == r.Rule.Base &&
			other.Rule.Request == r.Rule.Request {
			return s.ran(other)
		}
	}
	return false
}

// ran reports whether the service is known to have run a revision.
func (s *State) ran(r journal.Record) bool {
	rolls := func(one converge.Rollout) bool { return one.Revision == r.Revision }
	if r.Reported() || slices.ContainsFunc(s.rolls, rolls) {
		return true
	}
	for n, later := range s.revisions {
		if s.contentsOf(n, later).record.Previous == r.TaskDefinition {
			return true
		}
	}
	return false
}

// demands are the rule's demands by those of journals.
var demands = map[journal.Demand]converge.Demand{
	"": converge.AnyConfiguration, journal.NewerConfiguration: converge.NewerConfiguration,
	journal.SameConfiguration: converge.SameConfiguration, journal.Forced: converge.OwnRevision,
}

// demand returns what an order asks for besides its image.
func (s *State) demand(o Order) journal.Demand {
	switch {
	case o.Force:
		return journal.Forced
	case o.Configuration && s.target.Base != environment.BaseService:
		return journal.NewerConfiguration
	}
	return ""
}

// request returns the order as a request of the rule.
func (s *State) request(o Order) converge.Request {
	return converge.Request{
		Event: journal.Value(o.Cause.ID), Time: o.Cause.Time.UnixNano(), Image: ecsservice.IdentityOf(o.Image),
		Demand: demands[s.demand(o)], Delivery: journal.Value(o.Request),
		FromRunning: s.target.Base == environment.BaseService,
	}
}

// copyOf returns the number of the revision that a registration copies, 0 if none.
func copyOf(n converge.Registration) int { return n.Copy.Key.Number }
