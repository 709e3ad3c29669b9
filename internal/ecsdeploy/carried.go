package ecsdeploy

import (
	"context"

	"deployer/internal/fault"
)

// nearby is how many revisions are read to find out whether a late event was
// carried out before.
const nearby = 3

// CarriedOut reports whether an event was carried out before, by one of the
// newest revisions of the service's family: a late event that was not is
// superseded, and a second delivery of one that was is nothing to tell of. It
// reads at most three revisions that are not known yet.
func (d *Deployer) CarriedOut(ctx context.Context, s *State, event string) (bool, error) {
	event = TagValue(event)
	for _, r := range s.revisions {
		if tagValue(r.tags, keyEventID) == event {
			return true, nil
		}
	}
	read := 0
	for n := int(s.newest.Revision); n > 0 && read < nearby; n-- {
		if _, known := s.revisions[n]; known {
			continue
		}
		one, err := d.describeRevision(ctx, s.arn(n))
		if fault.Name(err) == "TaskDefinitionNotFound" { // deleted for good
			return false, nil
		} else if err != nil {
			return false, err
		}
		if read++; tagValue(one.tags, keyEventID) == event {
			return true, nil
		}
	}
	return false, nil
}
