package rollout

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// observe reads the rollout of an event. If search is true and ECS does not list
// the rollout, it searches the journals of the family's newest revisions.
func (h *Handler) observe(ctx context.Context, t ecsservice.Target, e event.Rollout, search bool) (Observation, error) {
	service, err := h.services.FindService(ctx, t)
	if err != nil {
		return Observation{}, err
	}
	records := map[string]journal.Record{}
	r := &reader{services: h.services, target: t, known: records}
	back := rollbacksOf(service, e).confirmed(ctx, h.services, t, service, e.DeploymentID)
	journaled := ""
	unlisted := e.DeploymentID != "" && !lists(service, e.DeploymentID)
	if search && unlisted {
		if journaled, err = h.unlisted(ctx, r, service, e.DeploymentID); err != nil {
			return Observation{}, err
		}
	}
	o, missing := observationOf(service, e, back, journaled, records)
	for len(missing) > 0 {
		if err := readAll(ctx, h.services.RecordOrARN, t, missing, records); err != nil {
			return o, err
		}
		o, missing = observationOf(service, e, back, journaled, records)
	}
	if e.Step == event.RolloutCompleted && o.Found && !o.Deleted && ecsservice.Shifts(service) {
		if err := h.observeShift(ctx, t, service, &o); err != nil {
			return o, err
		}
	}
	if err := h.observeRollback(ctx, r, service, e, &o); err != nil || !o.Found || !search && !o.Shows(e) {
		return o, err
	}
	if err := h.observeRequested(ctx, r, service, e, &o); err != nil {
		return o, err
	}
	switch {
	case o.needsNoteRevision(e.Step):
		err = h.observeExternal(ctx, t, &o)
	case o.IsRollback:
		return o, nil
	default:
		if o.SameEvent, err = r.sameEvent(ctx, o.Revision); err == nil && o.SameEvent.Copied {
			o.Revision, o.Previous = withoutJournal(o.Revision), journal.Record{}
			r.known[o.Revision.TaskDefinition] = o.Revision
			err = h.observeExternal(ctx, t, &o)
		}
	}
	if err != nil {
		return o, err
	}
	return o, h.observePast(ctx, r, service, e, &o)
}

// withoutJournal returns the record of an external revision.
func withoutJournal(r journal.Record) journal.Record {
	return journal.Record{TaskDefinition: r.TaskDefinition, Revision: r.Revision, Registered: r.Registered,
		Inactive: r.Inactive, Image: r.Image, Tag: r.Tag, Digest: r.Digest, Foreign: true}
}

// observeRollback adds that the rollout of an event is ECS's rollback, by the journal of
// the family's newest revision or by ECS's service deployments. Both are read only if
// the service's deployments leave it open.
func (h *Handler) observeRollback(ctx context.Context, r *reader, service *types.Service, e event.Rollout,
	o *Observation) error {
	open := o.Foreign() || o.Revision.DeploymentID != o.ID // it is not known for its own rollout
	switch {
	case !o.Found, o.Deleted, o.IsRollback, o.Moves:
		return nil
	case e.Step == event.RolloutCompleted && (open || o.Revision.Outcome == journal.Succeeded):
	case e.Step == event.RolloutFailed && (o.Foreign() || o.Revision.Outcome == journal.Succeeded):
	default:
		return nil
	}
	newest, err := h.services.Record(ctx, r.target, ecsservice.FamilyOf(o.Revision.TaskDefinition))
	if err != nil && !errors.Is(err, fault.ErrTaskDefinitionNotFound) {
		return err
	}
	o.rollbackOf(newest)
	if e.Step == event.RolloutCompleted && o.Primary && !o.IsRollback && !o.Shifts &&
		(o.Foreign() || newest.Revision > o.Revision.Revision) {
		own, known := h.services.StartedOn(ctx, r.target, service, o.ID)
		o.IsRollback = known && !own
		o.RollbackReported = o.IsRollback
	}
	return nil
}

// unlisted returns the ARN of the revision of a rollout that a service's deployments do
// not show; "" if it cannot be found. ECS's service revisions have it, else a journal
// may.
func (h *Handler) unlisted(ctx context.Context, r *reader, service *types.Service, id string) (string, error) {
	if arn := h.services.TaskDefinitionOf(ctx, service, id); arn != "" {
		return arn, nil
	}
	one, found, err := h.searchJournals(ctx, r.target, service, id)
	if found {
		r.known[one.TaskDefinition] = one
	}
	return one.TaskDefinition, err
}

// observeShift adds how the service deployment of a rollout that shifts traffic
// ended.
func (h *Handler) observeShift(
	ctx context.Context, t ecsservice.Target, service *types.Service, o *Observation,
) error {
	o.Shifts = true
	d, found, err := h.services.DeploymentOf(ctx, t, service, o.ID)
	if err != nil || !found {
		return err
	}
	o.Shifted, o.ShiftedReason = shiftedPhase(d, o.ID, o.Primary), d.Reason
	if o.Shifted == journal.RollingOut {
		o.ShiftedReason = string(d.Status)
		if d.Stage != "" {
			o.ShiftedReason += " at " + d.Stage
		}
	}
	o.IsRollback = o.IsRollback || d.Target != o.ID
	return nil
}

// rollbackOf completes the observation if the rollout is the rollback of a
// revision's rollout, by the journal of that revision.
func (o *Observation) rollbackOf(r journal.Record) {
	if r.RolledBackBy != "" && r.RolledBackBy == o.ID {
		o.IsRollback, o.RollbackOf = true, r
		o.RollbackReported = r.Outcome == journal.Failed
	}
}

// searchJournals returns the revision of the service's family whose journal has
// the id of a rollout.
func (h *Handler) searchJournals(
	ctx context.Context, t ecsservice.Target, service *types.Service, id string,
) (r journal.Record, found bool, err error) {
	family := t.Family
	if service != nil && service.TaskDefinition != nil {
		family = ecsservice.FamilyOf(*service.TaskDefinition)
	}
	r, err = h.services.Record(ctx, t, family)
	for n := 0; err == nil; n++ {
		if r.DeploymentID == id {
			return r, true, nil
		}
		if n == maxJournalSearch || r.Revision <= 1 {
			return journal.Record{}, false, nil
		}
		r, err = h.services.Record(ctx, t, ecsservice.Sibling(r.TaskDefinition, r.Revision-1))
	}
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) { // the family was deleted
		err = nil
	}
	return journal.Record{}, false, err
}

// recordReader reads the record of a revision by its ARN.
type recordReader func(ctx context.Context, t ecsservice.Target, arn string) (journal.Record, error)

// readAll reads revisions by their ARNs into records, at the same time.
func readAll(
	ctx context.Context, read recordReader, t ecsservice.Target, arns []string, into map[string]journal.Record,
) error {
	records, errs := make([]journal.Record, len(arns)), make([]error, len(arns))
	var all sync.WaitGroup
	for i, arn := range arns {
		all.Go(func() { records[i], errs[i] = read(ctx, t, arn) })
	}
	all.Wait()
	for i, arn := range arns {
		into[arn] = records[i]
	}
	return errors.Join(errs...)
}

// lists reports whether a service's deployments include the rollout with an id.
func lists(service *types.Service, id string) bool {
	hasID := func(d types.Deployment) bool { return aws.ToString(d.Id) == id }
	return service != nil && slices.ContainsFunc(service.Deployments, hasID)
}
