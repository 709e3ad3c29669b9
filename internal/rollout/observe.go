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

// Observation is what ECS and the journals show about one rollout of a service.
type Observation struct {
	Found    bool           // ECS lists the rollout, or a journal has its id
	Deleted  bool           // the service was deleted
	ID       string         // ECS's id of the rollout
	Accepted time.Time      // when ECS accepted the rollout; zero if ECS no longer lists it
	Revision journal.Record // the revision that is rolled out
	Previous journal.Record // the revision that ran before; zero if that is not known
	Runs     journal.Record // the revision that the service runs, or is being moved to

	Primary         bool   // the rollout is the service's newest
	PrimaryID       string // ECS's id of the service's newest rollout; "" if it has none
	InProgress      bool   // the rollout has not ended
	RollbackReason  string // ECS's reason, if the rollout is ECS's rollback of a failed one; else ""
	BreakerEnabled  bool   // a circuit breaker or an alarm ends failing rollouts
	BreakerRollback bool   // and then ECS rolls the service back

	// Replaced are the deployer's own rollouts that this one replaced before they
	// ended.
	Replaced []journal.Record

	// RollbackReported means that the rollout is ECS's rollback of a failed one,
	// and was reported with that failure. It is only known for a completed one.
	RollbackReported bool
}

// Foreign reports whether the rollout is an external deployment: the rollout of a
// revision without a journal, or another rollout of one whose own has ended.
func (o Observation) Foreign() bool {
	ended := o.Revision.Outcome == journal.Succeeded || o.Revision.Outcome == journal.Failed
	return o.Revision.Foreign || ended && o.Revision.DeploymentID != o.ID
}

// RolledBack reports whether a failed rollout is or was rolled back: the service
// runs another revision.
func (o Observation) RolledBack() bool {
	return !o.Deleted && o.Runs.TaskDefinition != o.Revision.TaskDefinition
}

// Shows reports whether the observation is recent enough for an event: it shows
// the rollout, and for a failed one the rollback if ECS makes one.
func (o Observation) Shows(e event.Rollout) bool {
	switch e.Step {
	case event.TasksImpaired:
		return true
	case event.RolloutFailed:
		return o.Found && (o.Deleted || !o.BreakerRollback || o.RolledBack())
	}
	return o.Found
}

// maxJournalSearch is how many revisions before the newest are searched for a
// rollout that ECS no longer lists.
const maxJournalSearch = 20

// observe reads the rollout of an event. If search is true and ECS does not list
// the rollout, it searches the journals of the family's newest revisions.
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
		if o.Found { // the others may have been deleted
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

// observationOf returns the observation of the rollout with an id, from a service
// and the records of revisions by their ARNs. The service is nil if it does not
// exist. The id "" stands for the service's newest rollout. Journaled is the ARN of
// the revision whose journal has the id, if ECS does not list the rollout. If
// missing is not empty, these revisions have to be read first.
func observationOf(
	service *types.Service, id, journaled string, records map[string]journal.Record,
) (o Observation, missing []string) {
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

// addDeployment adds what the service's deployments show about the rollout. It
// returns the ARN of the rollout's revision, "" if they do not include it.
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
		if ecsservice.IsRollback(d) {
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

// addOthers adds the previous revision, the running one, and the replaced
// rollouts. It returns the ARNs of revisions that have to be read first.
func (o *Observation) addOthers(service *types.Service, records map[string]journal.Record) (missing []string) {
	previous := o.Revision.Previous
	if o.Foreign() { // the journal describes the deployer's own rollout
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
	// Its start was reported, and ECS no longer lists it: no event will report its end.
	p := o.Previous
	if o.Primary && p.Pending() && p.DeploymentID != "" && p.DeploymentID != o.ID && !listed[p.TaskDefinition] {
		o.Replaced = append(o.Replaced, p)
	}
	return missing
}

// replaces reports whether the rollout replaces a deployment that is in progress
// and whose revision is not yet among the replaced ones.
func (o *Observation) replaces(d types.Deployment, replaced []types.Deployment) bool {
	arn := aws.ToString(d.TaskDefinition)
	if d.RolloutState != types.DeploymentRolloutStateInProgress || arn == o.Revision.TaskDefinition {
		return false
	}
	sameRevision := func(r types.Deployment) bool { return aws.ToString(r.TaskDefinition) == arn }
	return !slices.ContainsFunc(replaced, sameRevision)
}
