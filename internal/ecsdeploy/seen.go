package ecsdeploy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
)

const (
	maxEventSearch    = 40 // revisions that EventSeen reads
	maxRollbackSearch = 20 // revisions that WasRolledBackFrom reads

	// firstReport is how soon after a revision's registration its rollout is
	// reported.
	firstReport = time.Minute
)

// EventSeen reports whether the service was moved to one of the family's newest
// revisions for an event: then a late delivery of it is a duplicate, whose end is
// reported with that rollout; else it is superseded. A revision is only registered
// for the newest event, so the search ends at the first revision of an older one. It
// reads at most 40 further revisions, and what ECS's service deployments show.
func (d *Deployer) EventSeen(ctx context.Context, s *State, event string, at time.Time) (bool, error) {
	return d.searchEvent(ctx, s, event, at, func(r journal.Record) bool {
		return r.Revision != s.unused && (s.reportedOrSoon(r) || s.pointers == nil &&
			d.services.Moved(ctx, s.target, s.service, r.TaskDefinition, r.Registered))
	})
}

// Begun reports whether a revision of the service was registered for an event: an earlier
// delivery of it has begun. It searches as [Deployer.EventSeen] does.
func (d *Deployer) Begun(ctx context.Context, s *State, event string, at time.Time) (bool, error) {
	return d.searchEvent(ctx, s, event, at, func(r journal.Record) bool { return !r.Foreign })
}

// searchEvent reports whether one of the family's newest revisions was registered for an
// event, and counts. It reads at most 40 further revisions.
func (d *Deployer) searchEvent(ctx context.Context, s *State, event string, at time.Time,
	counts func(journal.Record) bool) (bool, error) {
	event = journal.Value(event)
	// While the order was deployed, revisions newer than s.newest may have been read.
	newest := slices.Max(slices.Collect(maps.Keys(s.revisions)))
	for n, read := newest, 0; n > 0; n-- {
		if _, known := s.revisions[n]; !known {
			if read++; read > maxEventSearch {
				return false, nil
			}
		}
		one, found, err := d.revision(ctx, s, n)
		if !found {
			return false, err
		}
		record := s.target.Record(one)
		if record.Cause.ID == event && counts(record) {
			return true, nil
		}
		// A copy of an older event's revision may have been registered later.
		if of := record.Cause.Time; !of.IsZero() && of.Before(at) && !record.Registered.After(at) {
			return false, nil
		}
	}
	return false, nil
}

// revision returns a revision of the service's family, and reads it unless it
// was read before. A deleted one is not found.
func (d *Deployer) revision(ctx context.Context, s *State, n int) (r ecsservice.Revision, found bool, err error) {
	r, found = s.revisions[n]
	if found {
		return r, true, nil
	}
	r, err = d.services.DescribeRevision(ctx, s.arn(n))
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
		return r, false, nil
	}
	return r, err == nil, err
}

// reportedOrSoon reports whether a revision's rollout was reported, or may be about to
// begin. If nothing was reported for a minute, either the service was never moved to the
// revision, because its deployer crashed or was denied, or the image was already running;
// or ECS's event is late.
func (s *State) reportedOrSoon(r journal.Record) bool {
	return r.Reported() || s.now.Sub(r.Registered) < firstReport
}

// WasRolledBackFrom reports whether a revision newer than the one for which the running image
// was chosen rolled out another image: then ECS or a person has rolled the service back from
// it. The running image was not chosen for a change of configuration, which rolls it out again.
// It reads at most the twenty newest revisions.
func (d *Deployer) WasRolledBackFrom(ctx context.Context, s *State, ref image.Reference) (bool, error) {
	for n, read := s.newest.Number(), 0; n > 0 && read < maxRollbackSearch; n, read = n-1, read+1 {
		one, found, err := d.revision(ctx, s, n)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		record := s.target.Record(one)
		switch {
		case n <= s.number() && !event.IsChange(record.Source) &&
			(n == s.number() || record.SameImage(s.target.Record(s.running))):
			return false, nil
		case s.target.Identity(one) == ecsservice.IdentityOf(ref) && (s.failed[one.ARN()] || record.Reported()):
			return true, nil
		}
	}
	return false, nil
}
