package ecsdeploy

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/image"
)

// nearby is how many revisions are read to find out whether a late event was
// carried out before.
const nearby = 3

// CarriedOut reports whether an event was carried out before, by one of the
// newest revisions of the service's family: a late event that was not is
// superseded, and a second delivery of one that was is nothing to tell of. Who
// registers has the newest event, so the search goes back to the first revision
// of an older one. It reads at most three that are not known yet.
func (d *Deployer) CarriedOut(ctx context.Context, s *State, event string, at time.Time) (bool, error) {
	event = TagValue(event)
	// Newer ones than the newest that was read first were met on the way.
	newest := slices.Max(slices.Collect(maps.Keys(s.revisions)))
	for n, read := newest, 0; n > 0; n-- {
		if _, known := s.revisions[n]; !known {
			if read++; read > nearby {
				return false, nil
			}
		}
		one, there, err := d.numbered(ctx, s, n)
		if !there {
			return false, err
		}
		if tagValue(one.tags, keyEventID) == event && n != s.unmoved {
			return s.toldOf(one), nil
		}
		if of, err := time.Parse(time.RFC3339Nano, tagValue(one.tags, keyTime)); err == nil && of.Before(at) {
			return false, nil
		}
	}
	return false, nil
}

// numbered returns a revision of the service's family, which is read unless it
// is known. One that was deleted for good is not there.
func (d *Deployer) numbered(ctx context.Context, s *State, n int) (r revision, there bool, err error) {
	r, there = s.revisions[n]
	if there {
		return r, true, nil
	}
	r, err = d.describeRevision(ctx, s.arn(n))
	if fault.NameOf(err) == "TaskDefinitionNotFound" {
		return r, false, nil
	}
	return r, err == nil, err
}

// toldOf reports whether what became of a revision was or will be told. One that
// ECS has told nothing of for a minute was registered by a deployer who died, or
// was refused, before the service was moved to it; or its image ran already.
func (s *State) toldOf(r revision) bool {
	const soon = time.Minute
	return told(r) || s.now.Sub(aws.ToTime(r.RegisteredAt)) < soon
}

// MovedBackFrom reports whether an image was rolled out after what the service
// runs: then ECS moved the service back, for the rollout failed, or somebody did.
// It looks at the revisions that are newer, at most twenty.
func (d *Deployer) MovedBackFrom(ctx context.Context, s *State, ref image.Reference) (bool, error) {
	for n, read := int(s.newest.Revision), 0; n > s.number() && read < farthest; n, read = n-1, read+1 {
		one, there, err := d.numbered(ctx, s, n)
		switch {
		case err != nil:
			return false, err
		case there && s.target.identity(one) == identityOf(ref) && (s.failed[one.arn()] || told(one)):
			return true, nil
		}
	}
	return false, nil
}
