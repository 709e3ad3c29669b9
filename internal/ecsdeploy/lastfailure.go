package ecsdeploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"deployer/internal/journal"
)

// LastFailure is the last rollout of an image, which failed.
type LastFailure struct {
	TaskDefinition string    `json:"task_definition"` // ARN of its revision
	Finished       time.Time `json:"finished,omitzero"`
	Why            string    `json:"why,omitempty"`           // ECS's reason
	Stopped        string    `json:"stopped_tasks,omitempty"` // why its tasks stopped, as ECS says it
}

// noteFailure adds to a result that the last rollout of the order's image failed, as far as
// the revisions say that were read: the running one, the newest one, and what the rule had to
// look at. None is read for it. Rollouts of the order's own event do not count.
func (s *State) noteFailure(d *Deployment, o Order) {
	for _, number := range slices.Backward(slices.Sorted(maps.Keys(s.revisions))) {
		r := s.revisions[number]
		if r.TaskDefinition.Family == nil || !s.sameImage(r, o) {
			continue
		}
		record := s.target.Record(r)
		switch {
		case record.Other, record.Cause.ID != "" && record.Cause.ID == journal.Value(o.Cause.ID):
			continue
		case record.Outcome == journal.Succeeded:
			return
		case record.Outcome != journal.Failed && !s.failed[record.TaskDefinition]:
			continue // it did not end, or was superseded
		}
		d.LastFailure = &LastFailure{record.TaskDefinition, record.Finished, record.Why, record.Stopped}
		d.Reason += fmt.Sprintf("; the last rollout of this image, of revision %d, failed", number)
		if record.Why != "" {
			d.Reason += ": " + strings.TrimSuffix(record.Why, ".")
		}
		if record.Stopped != "" {
			d.Reason += "; its stopped tasks: " + record.Stopped
		}
		if d.Status == Unchanged && number == s.number() {
			d.Reason += "; to roll it out again: " + s.again(o)
		}
		return
	}
}
