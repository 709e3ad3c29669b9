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
	BreakerEnabled  bool   // a circuit breaker or an alarm ends failing rollouts
	BreakerRollback bool   // and then ECS rolls the service back

	// Rollback means that the rollout is ECS's rollback of a failed one.
	Rollback       bool
	RollbackReason string // ECS's reason for it; "" if ECS no longer shows it
	// RollbackFrom is the revision whose rollout failed, with the id of that
	// rollout; zero if it is not known.
	RollbackFrom journal.Record
	// RollbackReported means that it was reported with that failure.
	RollbackReported bool

	// ReturnID is ECS's id of the rollback of the observed rollout, "" if none is
	// known, and ReturnTo the revision that it restores.
	ReturnID string
	ReturnTo journal.Record

	Hook ecsservice.HookState // of a hook's event

	// Shifts means that the rollout shifts traffic: then Shifted is its phase by its
	// service deployment, and ShiftedReason ECS's reason for it. Shifted is "" if ECS
	// lists no service deployment of it. They are only read when it has completed.
	Shifts        bool
	Shifted       journal.Phase
	ShiftedReason string

	// Replaced are the deployer's own rollouts that this one replaced before they
	// ended.
	Replaced []Replaced
}

// Replaced is a rollout that another one replaced before it ended.
type Replaced struct {
	Revision journal.Record // with the id of the rollout
	// Newer means that it is a newer revision than the one that replaced it. That
	// is a rollback, unless ECS reports it as a deployment of its own.
	Newer bool
	// ReturnID, ReturnTo and Reason are those of ECS's rollback of it, which had not
	// ended either: then it has failed. ReturnID is "" if there was none.
	ReturnID string
	ReturnTo journal.Record
	Reason   string
}

// Foreign reports whether the rollout is an external deployment: the rollout of a
// revision without a journal, or another rollout of one whose own has ended.
func (o Observation) Foreign() bool {
	ended := o.Revision.Outcome == journal.Succeeded || o.Revision.Outcome == journal.Failed
	return o.Revision.Foreign || ended && o.Revision.DeploymentID != o.ID
}

// RolledBack reports whether a failed rollout is or was rolled back, and no newer
// one has replaced it instead.
func (o Observation) RolledBack() bool {
	switch {
	case o.Deleted:
		return false
	case o.ReturnID != "":
		return true
	}
	return o.Runs.TaskDefinition != o.Revision.TaskDefinition && !o.newerRuns()
}

// newerRuns reports whether a newer rollout has replaced the observed one. It is a
// rollback if the revision had been rolled out before.
func (o Observation) newerRuns() bool {
	again := o.Runs.Outcome == journal.Succeeded && o.Runs.DeploymentID != o.PrimaryID
	return !o.Primary && o.Runs.Revision > o.Revision.Revision && !again
}

// Shows reports whether the observation is recent enough for an event: it shows
// the rollout, and for a failed one the rollback if ECS makes one.
func (o Observation) Shows(e event.Rollout) bool {
	switch e.Step {
	case event.TasksImpaired:
		return true
	case event.RolloutCompleted:
		ended := o.Shifted != "" && o.Shifted != journal.RollingOut
		return o.Found && (!o.Shifts || ended || o.Deleted || o.Rollback)
	case event.RolloutFailed:
		return o.Found && (o.Deleted || o.Rollback || !o.BreakerRollback || o.RolledBack() || o.newerRuns())
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
	o, missing := observationOf(service, e, journaled, records)
	for len(missing) > 0 {
		if err := readAll(ctx, h.services.RecordOrARN, t, missing, records); err != nil {
			return o, err
		}
		o, missing = observationOf(service, e, journaled, records)
	}
	if e.Step == event.RolloutCompleted && o.Found && !o.Deleted && ecsservice.Shifts(service) {
		if err := h.observeShift(ctx, t, service, &o); err != nil {
			return o, err
		}
	}
	again := o.Foreign() || e.Step == event.RolloutFailed && o.Revision.Outcome == journal.Succeeded
	ended := e.Step == event.RolloutCompleted || e.Step == event.RolloutFailed
	if ended && again && o.Found && !o.Deleted && !o.Rollback {
		newest, err := h.services.Record(ctx, t, ecsservice.FamilyOf(o.Revision.TaskDefinition))
		if err != nil && !errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			return o, err
		}
		o.rollbackOf(newest)
	}
	return o, nil
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
	o.Rollback = o.Rollback || d.Target != o.ID
	return nil
}

// rollbackOf completes the observation if the rollout is the rollback of a
// revision's rollout, by the journal of that revision.
func (o *Observation) rollbackOf(r journal.Record) {
	if r.Return != "" && r.Return == o.ID {
		o.Rollback, o.RollbackFrom = true, r
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

// observationOf returns the observation of an event's rollout, from a service and
// the records of revisions by their ARNs. The service is nil if it does not exist.
// An event without an id is about the service's newest rollout. Journaled is the
// ARN of the revision whose journal has the id, if ECS does not list the rollout.
// If missing is not empty, these revisions have to be read first.
func observationOf(
	service *types.Service, e event.Rollout, journaled string, records map[string]journal.Record,
) (o Observation, missing []string) {
	o = Observation{ID: e.DeploymentID, Deleted: service == nil || aws.ToString(service.Status) != "ACTIVE"}
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
	o.Revision.Foreign = o.Revision.Foreign || o.Revision.Cause.ID == "" // it was deleted, and its journal with it
	o.Found = true
	if e.Step == event.RolloutStarted && ecsservice.SaysRollback(e.Reason) {
		o.Rollback, o.RollbackReason = true, e.Reason
	}
	family := family{records: records}
	// The first event of any other deployment gives another reason.
	own := e.Step == event.RolloutStarted && e.Reason != "" && !o.Rollback
	o.addRollback(service, &family, own)
	o.addOthers(service, &family)
	return o, family.missing
}

// family is the revisions that were read, and those that have to be.
type family struct {
	records map[string]journal.Record
	missing []string
}

// record returns the record of a revision, zero if it was not read.
func (f *family) record(arn string) journal.Record {
	r, known := f.records[arn]
	if !known && arn != "" && !slices.Contains(f.missing, arn) {
		f.missing = append(f.missing, arn)
	}
	return r
}

// rollout returns the record of a deployment's revision, with the deployment's id.
func (f *family) rollout(d types.Deployment) journal.Record {
	r := f.record(aws.ToString(d.TaskDefinition))
	if r.TaskDefinition != "" {
		r.DeploymentID = aws.ToString(d.Id)
	}
	return r
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
			o.Rollback, o.RollbackReason = true, aws.ToString(d.RolloutStateReason)
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

// addRollback adds ECS's rollback of the rollout, or that it is a rollback itself.
// Own means that ECS reports the rollout as a deployment of its own.
func (o *Observation) addRollback(service *types.Service, f *family, own bool) {
	if r := o.Revision; r.DeploymentID == o.ID || r.DeploymentID == "" {
		o.ReturnID = r.Return
	}
	for _, r := range ecsservice.Rollbacks(service) {
		switch o.ID {
		case aws.ToString(r.From.Id):
			o.ReturnID, o.ReturnTo = aws.ToString(r.By.Id), f.record(aws.ToString(r.By.TaskDefinition))
		case aws.ToString(r.By.Id):
			from := f.record(aws.ToString(r.From.TaskDefinition))
			switch id := aws.ToString(r.From.Id); {
			case from.TaskDefinition == "": // it is read first
			case own && !r.Certain:
			case from.Return == o.ID:
				o.rollbackOf(from)
			case r.Certain || o.Rollback || o.restores(from):
				o.Rollback = true
				o.RollbackFrom = from
				o.RollbackFrom.DeploymentID = id
			}
		}
	}
}

// restores reports whether the rollout of an older revision is taken for ECS's
// rollback of a newer one that has not ended, though ECS does not say so. Of two
// concurrent events, the later one's revision may be the older one: it has not run
// before the other.
func (o *Observation) restores(from journal.Record) bool {
	if o.Revision.Pending() && from.Previous != o.Revision.TaskDefinition {
		return false
	}
	return from.Foreign || from.Pending()
}

// addOthers adds the previous revision, the running one, and the replaced
// rollouts.
func (o *Observation) addOthers(service *types.Service, f *family) {
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
	o.Previous, o.Runs = f.record(previous), f.record(aws.ToString(service.TaskDefinition))
	for _, d := range replaced {
		// The start of some may be reported later.
		if r := f.record(aws.ToString(d.TaskDefinition)); r.Pending() && r.Cause.ID != "" {
			o.replace(service, f, f.rollout(d))
		}
	}
	// Its start was reported, and ECS no longer lists it: no event will report its end.
	p := o.Previous
	if o.Primary && p.Pending() && p.DeploymentID != "" && p.DeploymentID != o.ID && !listed[p.TaskDefinition] {
		o.replace(service, f, p)
	}
}

// replace adds a replaced rollout.
func (o *Observation) replace(service *types.Service, f *family, r journal.Record) {
	one := Replaced{Revision: r, ReturnID: r.Return}
	one.Newer = r.Revision > o.Revision.Revision &&
		ecsservice.FamilyOf(r.TaskDefinition) == ecsservice.FamilyOf(o.Revision.TaskDefinition)
	for _, back := range ecsservice.Rollbacks(service) {
		if aws.ToString(back.From.Id) == r.DeploymentID && aws.ToString(back.By.Id) != o.ID {
			one.ReturnID, one.ReturnTo = aws.ToString(back.By.Id), f.record(aws.ToString(back.By.TaskDefinition))
			if back.Certain {
				one.Reason = aws.ToString(back.By.RolloutStateReason)
			}
		}
	}
	if one.ReturnID != "" && one.ReturnTo.TaskDefinition == "" {
		one.ReturnTo = f.record(r.Previous)
	}
	o.Replaced = append(o.Replaced, one)
}

// replaces reports whether the rollout replaces a deployment that is in progress
// and whose revision is not yet among the replaced ones. A rollback is no rollout
// of its own.
func (o *Observation) replaces(d types.Deployment, replaced []types.Deployment) bool {
	arn := aws.ToString(d.TaskDefinition)
	if d.RolloutState != types.DeploymentRolloutStateInProgress || arn == o.Revision.TaskDefinition ||
		ecsservice.IsRollback(d) {
		return false
	}
	sameRevision := func(r types.Deployment) bool { return aws.ToString(r.TaskDefinition) == arn }
	return !slices.ContainsFunc(replaced, sameRevision)
}
