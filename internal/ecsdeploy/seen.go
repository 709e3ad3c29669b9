package ecsdeploy

import (
	"context"
	"maps"
	"slices"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
)

const (
	maxEventSearch    = 3  // revisions that are read in search of the one of a late event
	maxRollbackSearch = 20 // revisions that are read in search of one that was rolled back

	// firstReport is how long after its registration a revision may be without
	// any report of its rollout.
	firstReport = time.Minute
)

// EventSeen reports whether an event was handled before, by one of the family's
// newest revisions. A late event is superseded if no revision was registered
// for it, and a duplicate if one was. A revision is only registered for the
// newest event, so the search ends at the first revision of an older one. It
// reads at most three revisions that are not known yet.
func (d *Deployer) EventSeen(ctx context.Context, s *State, event string, at time.Time) (bool, error) {
	event = journal.Value(event)
	// Revisions newer than s.newest were read while the order was carried out.
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
		if record.Cause.ID == event && n != s.unused {
			return s.reportedOrSoon(record), nil
		}
		if of := record.Cause.Time; !of.IsZero() && of.Before(at) {
			return false, nil
		}
	}
	return false, nil
}

// revision returns a revision of the service's family, and reads it unless it
// is known. One that was deleted is not found.
func (d *Deployer) revision(ctx context.Context, s *State, n int) (r ecsservice.Revision, found bool, err error) {
	r, found = s.revisions[n]
	if found {
		return r, true, nil
	}
	r, err = d.services.DescribeRevision(ctx, s.arn(n))
	if fault.NameOf(err) == "TaskDefinitionNotFound" {
		return r, false, nil
	}
	return r, err == nil, err
}

// reportedOrSoon reports whether a revision's rollout was reported or will be.
// If nothing was reported for a minute, the service was never moved to the
// revision: its deployer died or was rejected, or the image ran already.
func (s *State) reportedOrSoon(r journal.Record) bool {
	return r.Reported() || s.now.Sub(r.Registered) < firstReport
}

// WasRolledBackFrom reports whether an image was rolled out by a revision newer
// than the one that the service runs: then ECS or a person moved the service
// back. It looks at no more than the twenty newest revisions.
func (d *Deployer) WasRolledBackFrom(ctx context.Context, s *State, ref image.Reference) (bool, error) {
	for n, read := s.newest.Number(), 0; n > s.number() && read < maxRollbackSearch; n, read = n-1, read+1 {
		one, found, err := d.revision(ctx, s, n)
		switch {
		case err != nil:
			return false, err
		case !found || s.target.Identity(one) != ecsservice.IdentityOf(ref):
		case s.failed[one.ARN()] || s.target.Record(one).Reported():
			return true, nil
		}
	}
	return false, nil
}
