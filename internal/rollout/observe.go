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
	"deployer/internal/event"
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

	// RollbackReported reports that a failure was reported from which ECS rolled
	// back by this rollout. It is read only for an external rollout that completed.
	RollbackReported bool
}

// Foreign reports whether the rollout is an external deployment: of another
// tool's revision, or a second rollout of a revision whose own has ended.
func (o Observation) Foreign() bool {
	ended := o.Revision.Outcome == journal.Succeeded || o.Revision.Outcome == journal.Failed
	return o.Revision.Foreign || ended && o.Revision.DeploymentID != o.ID
}

// RolledBack reports whether ECS rolls or rolled the service back from the
// rollout's revision: it runs another one.
func (o Observation) RolledBack() bool {
	return !o.Deleted && o.Runs.TaskDefinition != o.Revision.TaskDefinition
}

// Shows reports whether the observation shows what an event reports: the
// rollout, and the rollback from it if it failed and the service rolls back.
// DescribeServices is eventually consistent with ECS's events.
func (o Observation) Shows(e event.Rollout) bool {
	switch e.Step {
	case event.TasksImpaired:
		return true
	case event.RolloutFailed:
		return o.Found && (o.Deleted || !o.BreakerRollback || o.RolledBack())
	}
	return o.Found
}

// maxJournalSearch is how many revisions are read in search of a rollout that
// ECS no longer lists.
const maxJournalSearch = 20

// observe reads the rollout of an event. One that ECS does not list is looked
// for in the journals of the family's newest revisions, if search is true.
func (h *Handler) observe(ctx context.Context, t ecsservice.Target, e event.Rollout, search bool) (Observation, error) {
	service, err := h.services.FindService(ctx, t)
	if err != nil {
		return Observation{}, err
	}
	records := map[string]journal.Record{}
	journaled := ""
	if search && e.DeploymentID != "" && !lists(service, e.DeploymentID) {
		r, found, err := h.searchJournals(ctx, t, service, e.DeploymentID)
		if err != nil {
			return Observation{}, err
		}
		if found {
			journaled, records[r.TaskDefinition] = r.TaskDefinition, r
		}
	}
	o, missing := observationOf(service, e.DeploymentID, journaled, records)
	for len(missing) > 0 {
		read := h.services.Record
		if o.Found { // of others, which may be deleted, the ARN is enough
			read = h.services.RecordOrARN
		}
		if err := readAll(ctx, read, t, missing, records); err != nil {
			return o, err
		}
		o, missing = observationOf(service, e.DeploymentID, journaled, records)
	}
	if e.Step == event.RolloutCompleted && o.Found && !o.Deleted && o.Foreign() {
		newest, err := h.services.Record(ctx, t, ecsservice.FamilyOf(o.Revision.TaskDefinition))
		if err != nil {
			return o, err
		}
		o.RollbackReported = newest.Return == o.ID
	}
	return o, nil
}

// searchJournals looks for the id of a rollout in the journals of the newest
// revisions of the service's family.
func (h *Handler) searchJournals(ctx context.Context, t ecsservice.Target, service *types.Service, id string) (r journal.Record, found bool, err error) {
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
	if fault.NameOf(err) == "TaskDefinitionNotFound" { // the family was deleted too
		err = nil
	}
	return journal.Record{}, false, err
}

// recordReader reads the record of a revision by its ARN.
type recordReader func(ctx context.Context, t ecsservice.Target, arn string) (journal.Record, error)

// readAll reads revisions by their ARNs into records, at the same time.
func readAll(ctx context.Context, read recordReader, t ecsservice.Target, arns []string, into map[string]journal.Record) error {
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

// lists reports whether a service's deployments list a rollout.
func lists(service *types.Service, id string) bool {
	return service != nil && slices.ContainsFunc(service.Deployments, func(d types.Deployment) bool { return aws.ToString(d.Id) == id })
}

// observationOf returns what a service and the records of revisions show of the
// rollout with an id; "" is the id of the service's newest. The service is nil
// if there is none. Journaled is the ARN of the revision whose journal has the
// id, if ECS does not list the rollout. Missing are the ARNs of revisions that
// have to be read first.
func observationOf(service *types.Service, id, journaled string, records map[string]journal.Record) (o Observation, missing []string) {
	o = Observation{ID: id, Deleted: service == nil || aws.ToString(service.Status) != "ACTIVE"}
	if service == nil {
		service = &types.Service{}
	}
	o.BreakerEnabled, o.BreakerRollback = breakers(service.DeploymentConfiguration)
	revision := o.addDeployment(service)
	if revision == "" {
		revision = journaled
	}
	if revision == "" {
		return o, nil
	}
	var known bool
	if o.Revision, known = records[revision]; !known {
		return o, []string{revision}
	}
	o.Found = true
	return o, o.addOthers(service, records)
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

// addOthers adds the revision that ran before, the one that the service runs,
// and the rollouts that this one replaced. It returns the ARNs of those that
// have to be read first.
func (o *Observation) addOthers(service *types.Service, records map[string]journal.Record) (missing []string) {
	previous := o.Revision.Previous
	if o.Foreign() { // the journal is about the deployer's own rollout
		previous = ""
	}
	var replaced []types.Deployment
	listed := map[string]bool{}
	for _, d := range service.Deployments {
		arn := aws.ToString(d.TaskDefinition)
		listed[arn] = true
		if aws.ToString(d.Id) == o.ID || ecsservice.IsPrimary(d) {
			continue
		}
		if o.Primary && o.replaces(d, replaced) {
			replaced = append(replaced, d)
		}
		if previous == "" && d.RolloutState != types.DeploymentRolloutStateFailed {
			previous = arn
		}
	}
	get := func(arn string) journal.Record {
		r, known := records[arn]
		if !known && arn != "" && !slices.Contains(missing, arn) {
			missing = append(missing, arn)
		}
		return r
	}
	o.Previous, o.Runs = get(previous), get(aws.ToString(service.TaskDefinition))
	for _, d := range replaced {
		if r := get(aws.ToString(d.TaskDefinition)); r.TaskDefinition != "" && r.Pending() {
			r.DeploymentID = aws.ToString(d.Id) // its start may be reported later
			o.Replaced = append(o.Replaced, r)
		}
	}
	// One whose start was reported, and that ECS no longer lists, has no end.
	if p := o.Previous; o.Primary && p.Pending() && p.DeploymentID != "" && p.DeploymentID != o.ID && !listed[p.TaskDefinition] {
		o.Replaced = append(o.Replaced, p)
	}
	return missing
}

// replaces reports whether the rollout replaces a deployment in progress, of a
// revision that is not yet among those replaced.
func (o *Observation) replaces(d types.Deployment, replaced []types.Deployment) bool {
	sameRevision := func(other types.Deployment) bool {
		return aws.ToString(other.TaskDefinition) == aws.ToString(d.TaskDefinition)
	}
	return d.RolloutState == types.DeploymentRolloutStateInProgress && aws.ToString(d.TaskDefinition) != o.Revision.TaskDefinition &&
		!slices.ContainsFunc(replaced, sameRevision)
}
