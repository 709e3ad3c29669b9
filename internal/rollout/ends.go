package rollout

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Every event that a service was moved for has exactly one end: the first one that is
// reported, whatever the number of its revisions and rollouts, and however late ECS's
// events come. ECS sends no event for a rollout that a newer one replaced. Its end is found
// when an event of a later rollout, or a late event of its own, is handled.

const (
	// maxSameEvent is how many revisions on each side of a revision are searched for
	// others of the same event.
	maxSameEvent = 40
	// clockSkew is how far the time of an event may be after the registration of its
	// revision.
	clockSkew = time.Minute
	// maxReplaced is how many replaced rollouts in a row are searched.
	maxReplaced = 20
	// consistencyDelay is how long after a rollout's event ECS's reads may not show the rollout yet.
	consistencyDelay = time.Minute
)

// SameEvent is what the other revisions of the same event say of it.
type SameEvent struct {
	Started bool          // the start of another one's rollout was reported
	Ended   journal.Phase // an end of the event was reported with another one; "" if none was
	Newest  int           // number of the family's newest revision
	// Copied means that the journal is a copy of an earlier revision of the same event's that had run. A tool with
	// the deployer's credentials made it, or the journal is of a version that names no principal.
	Copied bool
}

// reader reads revisions, each once.
type reader struct {
	services *ecsservice.Client
	target   ecsservice.Target
	known    map[string]journal.Record
}

func (r *reader) record(ctx context.Context, arn string) (journal.Record, error) {
	if one, ok := r.known[arn]; ok {
		return one, nil
	}
	one, err := r.services.RecordOrARN(ctx, r.target, arn)
	if err == nil {
		r.known[arn] = one
	}
	return one, err
}

// sameEvent reads the other revisions of a revision's event: a retry, a delivery at the
// same time and a repair register revisions of their own.
func (r *reader) sameEvent(ctx context.Context, of journal.Record) (found SameEvent, err error) {
	newest, err := r.services.Record(ctx, r.target, ecsservice.FamilyOf(of.TaskDefinition))
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) { // the family has no ACTIVE revision
		newest, err = of, nil
	}
	if err != nil {
		return found, err
	}
	r.known[newest.TaskDefinition], found.Newest = newest, newest.Revision
	ran := map[string]bool{} // revisions that ran when a later one was registered
	look := func(n int) (before bool, err error) {
		one, err := r.record(ctx, ecsservice.Sibling(of.TaskDefinition, n))
		if err != nil {
			return false, err
		}
		if !one.Foreign && one.Cause.ID == of.Cause.ID {
			found.add(one)
			found.Copied = found.Copied || n < of.Revision && sameRegistration(one, of) &&
				(one.DeploymentID != "" || ran[one.TaskDefinition])
		}
		ran[one.Previous] = true
		return !one.Registered.IsZero() && one.Registered.Before(of.Cause.Time.Add(-clockSkew)), nil
	}
	for n := of.Revision - 1; n > 0 && n >= of.Revision-maxSameEvent; n-- {
		if before, err := look(n); before || err != nil {
			if err != nil {
				return found, err
			}
			break // an event's revisions are registered after it
		}
	}
	for n := of.Revision + 1; n <= newest.Revision && n <= of.Revision+maxSameEvent; n++ {
		if _, err := look(n); err != nil {
			return found, err
		}
	}
	return found, nil
}

// sameRegistration reports whether two journals of one event have the same base and delivery,
// as a journal and its copy do. Two real registrations match only if the answer to the first
// was lost and its revision was not readable yet; then the first is never rolled out.
func sameRegistration(one, other journal.Record) bool {
	return one.Rule.Base == other.Rule.Base && one.Rule.Request == other.Rule.Request && one.Revision > other.Rule.Base
}

// add adds a revision of the same event.
func (s *SameEvent) add(r journal.Record) {
	s.Started = s.Started || r.DeploymentID != ""
	if r.Outcome.IsEnd() {
		s.Ended = r.Outcome
	}
}

// once removes from a decision the reports on the observed rollout that were made with
// another revision of its event. Their notes remain.
func (r received) once(d Decision) Decision {
	s := r.seen.SameEvent
	var remaining []Draft
	for _, draft := range d.Drafts {
		own := draft.Revision.TaskDefinition == r.seen.Revision.TaskDefinition && !draft.Foreign
		switch {
		case own && s.Ended != "":
			d.Reason = "the end of its event was reported with another revision: " + string(s.Ended)
		case own && s.Started && draft.Kind == outcome.DeploymentStarted:
			d.Reason = "the start of its event was reported with another revision"
		default:
			remaining = append(remaining, draft)
			continue
		}
		d.Notes = append(d.Notes, Note{draft.Revision, draft.Note})
	}
	d.Drafts = remaining
	if len(remaining) > 0 {
		d.Reason = ""
	}
	return d
}

// observePast adds what ECS's service deployments show of the rollout and of those
// that were replaced before it. If they cannot be read, what the service's deployments
// and the journals show remains.
func (h *Handler) observePast(ctx context.Context, r *reader, service *types.Service, e event.Rollout,
	o *Observation) error {
	if !o.needsPast(service, e) {
		return nil
	}
	all, known := h.services.PastRollouts(ctx, r.target)
	at := slices.IndexFunc(all, func(p ecsservice.PastRollout) bool { return p.ID == o.ID })
	if !known || at < 0 {
		return nil
	}
	o.FailedForCertain = all[at].RolledBack
	first := at // of the rollouts in a row that replaced each other, up to the observed one
	for first > 0 && at-first < maxReplaced && replacedBy(all[first-1], all[first]) {
		first--
	}
	run := all[first:min(len(all), at+maxReplaced)]
	if !h.services.AddTaskDefinitions(ctx, service, run) {
		return nil
	}
	records, err := r.recordsOf(ctx, run)
	if err != nil {
		return err
	}
	o.Replaced = slices.DeleteFunc(o.Replaced, func(one Replaced) bool { return one.RolledBackByID == "" })
	for i := at - first; i >= 0; i-- { // the newest first
		one, original := records[i], r.known[run[i].TaskDefinition]
		one.Foreign = original.Foreign
		replaced := i+1 < len(run) && replacedBy(run[i], run[i+1]) && !failed(service, run[i])
		reported := slices.ContainsFunc(o.Replaced,
			func(x Replaced) bool { return x.Revision.TaskDefinition == one.TaskDefinition })
		if !replaced || reported || !ownOf(original, run[i]) || !original.Pending() || original.Cause.ID == "" {
			continue
		}
		by, final := supersededBy(one, records[i+1:])
		if !final {
			continue
		}
		if i == at-first { // the observed one itself
			if !lists(service, o.ID) {
				o.By = by
			}
			continue
		}
		s, err := r.sameEvent(ctx, original)
		if err != nil {
			return err
		}
		if s.Ended == "" {
			o.Replaced = append(o.Replaced, Replaced{Revision: one, By: by})
		}
	}
	return nil
}

// recordsOf reads the records of the revisions of rollouts, each with the id of the rollout.
// A rollout of a revision whose own was noted under another id is a person's.
func (r *reader) recordsOf(ctx context.Context, run []ecsservice.PastRollout) ([]journal.Record, error) {
	records := make([]journal.Record, len(run))
	for i, p := range run {
		one, err := r.record(ctx, p.TaskDefinition)
		if err != nil {
			return nil, err
		}
		one.Foreign = one.Foreign || one.DeploymentID != "" && one.DeploymentID != p.ID
		one.DeploymentID = p.ID
		records[i] = one
	}
	return records, nil
}

// needsPast reports whether ECS's service deployments are read: the rollout may have
// replaced others that the service's deployments do not show. That is not so if it followed
// a rollout that had ended.
func (o *Observation) needsPast(service *types.Service, e event.Rollout) bool {
	switch {
	case service == nil, o.Deleted, o.IsRollback, e.Step.IsHook(), e.Step == event.TasksImpaired:
		return false
	case !o.Primary, o.Revision.Foreign, o.Previous.Pending(), o.Previous.Revision != o.Revision.Revision-1:
		return true
	case o.SameEvent.Newest > o.Revision.Revision: // an older event's move may have come later
		return true
	}
	return slices.ContainsFunc(service.Deployments, func(d types.Deployment) bool {
		return aws.ToString(d.Id) != o.ID && d.RolloutState == types.DeploymentRolloutStateInProgress
	})
}

// ownOf reports whether a rollout of a revision is the deployer's own, and not a later one,
// such as a person's move back to the revision.
func ownOf(of journal.Record, p ecsservice.PastRollout) bool {
	if of.DeploymentID != "" {
		return of.DeploymentID == p.ID
	}
	return of.Registered.IsZero() || p.Created.Sub(of.Registered) <= ownRollout
}

// replacedBy reports whether a rollout was replaced before it ended by the next one.
func replacedBy(one, next ecsservice.PastRollout) bool {
	switch one.Status {
	case types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusInProgress,
		types.ServiceDeploymentStatusPending:
		return true
	case types.ServiceDeploymentStatusStopped: // by the circuit breaker, if that was before
		return one.Finished.IsZero() || !next.Created.After(one.Finished)
	}
	return false
}

// failed reports whether a rollout failed, so that ECS sends an event for its end.
func failed(s *types.Service, p ecsservice.PastRollout) bool {
	return p.RolledBack || slices.ContainsFunc(s.Deployments, func(d types.Deployment) bool {
		return aws.ToString(d.Id) == p.ID && d.RolloutState == types.DeploymentRolloutStateFailed
	})
}

// keepsOlder reports whether the convergence rule leaves a service at the older event's
// revision, though the other revision's event is newer.
func keepsOlder(older, newer journal.Record) bool {
	return older.Image == newer.Image && older.Rule.Configuration.From == newer.Rule.Configuration.From &&
		newer.Rule.Demand != journal.Forced
}

// supersededBy returns the first of later rollouts that supersedes a rollout for good. These
// do: an external rollout, the rollout of a newer event, and one of an older event at which
// the service stays, because image and configuration are the same (see keepsOlder). Any other
// rollout of an older event does not, because the service is moved again. Nothing does if a
// later rollout is of the same event: that one continues it.
func supersededBy(one journal.Record, later []journal.Record) (by outcome.Newer, final bool) {
	for _, next := range later {
		switch {
		case !next.Foreign && next.Cause.ID == one.Cause.ID:
			return outcome.Newer{}, false
		case final:
		case next.Foreign, next.Cause.Time.After(one.Cause.Time),
			next.Cause.Time.Equal(one.Cause.Time) && next.Revision > one.Revision, keepsOlder(next, one):
			by, final = outcome.Newer{EventID: next.Cause.ID, DeploymentID: next.DeploymentID}, true
		}
	}
	return by, final
}
