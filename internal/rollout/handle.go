package rollout

import (
	"context"
	"log/slog"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// DescribeServices is eventually consistent with ECS's events, so a rollout is
// read until it shows what its event reports.
const (
	maxReads     = 12
	readInterval = 250 * time.Millisecond
)

// Report is one outcome of a rollout, and the note for the journal of its revision.
type Report struct {
	Outcome  outcome.Outcome
	Revision journal.Record // whose journal gets the note; zero if none does
	Note     journal.Note
	Step     event.Step // of ECS's event
}

// Handler turns rollout events into reports. It is safe for concurrent use.
type Handler struct {
	services *ecsservice.Client
	now      func() time.Time
	memory   reportedMemory
}

// NewHandler returns a handler that calls ECS through a client.
func NewHandler(services *ecsservice.Client) *Handler {
	return &Handler{services: services, now: time.Now}
}

// Handle handles a rollout event that happened at the given time, zero if that is
// not known. It observes the rollout, and returns the reports that [Decide] decides
// on, or the reason why there are none. The caller publishes their outcomes, and
// then calls [Handler.Journal] for each: after a crash in between, an outcome is
// published twice rather than never. Handle itself only writes notes without a
// report.
func (h *Handler) Handle(
	ctx context.Context, env *environment.Environment, e event.Rollout, at time.Time,
) (reports []Report, reason string, err error) {
	if at.IsZero() {
		at = h.now()
	}
	t := ecsservice.TargetOf(env, e.Workload)
	var hook ecsservice.HookState
	if e.Step.IsHook() {
		if hook, err = h.services.HookState(ctx, t, e.Hook.ServiceDeployment, e.Hook.ID); err != nil {
			return nil, "", err
		}
		e.DeploymentID = hook.DeploymentID
		if e.DeploymentID == "" {
			return nil, "ECS no longer has the service deployment " + e.Hook.ServiceDeployment, nil
		}
	}
	o, err := h.await(ctx, t, e, at)
	if err != nil {
		return nil, "", err
	}
	o.Hook = hook
	if e.Step == event.TasksImpaired && o.Found {
		slog.WarnContext(ctx, "tasks do not start", "service", t.Workload, "task_definition", o.Revision.TaskDefinition,
			"tag", o.Revision.Tag, "deployment_id", o.ID)
	}
	d := Decide(e, at, o)
	for _, n := range d.Notes {
		if err := h.services.AddNote(ctx, n.Revision, n.Note); err != nil {
			return nil, "", err
		}
	}
	for _, draft := range d.Drafts {
		previous := o.Previous
		if draft.Revision.TaskDefinition != o.Revision.TaskDefinition {
			if previous, err = h.previous(ctx, t, draft.Revision); err != nil {
				return nil, "", err
			}
		}
		report, err := draft.report(env, e.Workload, at, previous, h.stopped(ctx, t, draft))
		if err != nil {
			return nil, "", err
		}
		report.Step = e.Step
		reports = append(reports, report)
	}
	return reports, d.Reason, nil
}

// stopped returns why tasks of a failed or impaired rollout stopped; nil for other rollouts.
func (h *Handler) stopped(ctx context.Context, t ecsservice.Target, d Draft) []string {
	troubled := d.Kind == outcome.DeploymentFailed || d.Kind == outcome.DeploymentImpaired && d.Hook == outcome.Hook{}
	if !troubled || d.Deleted {
		return nil
	}
	return h.services.StoppedReasons(ctx, t, d.DeploymentID)
}

// await observes the rollout of an event until it shows what the event reports. The last
// observation also searches for a rollout that ECS does not list. For a late event, it is
// the only one.
func (h *Handler) await(ctx context.Context, t ecsservice.Target, e event.Rollout, at time.Time) (Observation, error) {
	if h.now().Sub(at) > consistencyDelay {
		return h.observe(ctx, t, e, true)
	}
	for reads := 1; ; reads++ {
		o, err := h.observe(ctx, t, e, false)
		if err != nil || o.Shows(e) {
			return o, err
		}
		if !o.Deleted { // else it will not change
			if err := fault.Wait(ctx, readInterval); err != nil {
				return o, fault.Classify("waiting for ECS to show a rollout", err)
			}
		}
		if o.Deleted || reads == maxReads {
			return h.observe(ctx, t, e, true)
		}
	}
}

// previous reads the revision that ran when a revision was registered.
func (h *Handler) previous(ctx context.Context, t ecsservice.Target, r journal.Record) (journal.Record, error) {
	if r.Previous == "" {
		return journal.Record{}, nil
	}
	return h.services.RecordOrARN(ctx, t, r.Previous)
}

// constructors are the constructors of outcomes by their kind.
var constructors = map[outcome.Kind]func(outcome.Outcome) (outcome.Outcome, error){
	outcome.DeploymentStarted: outcome.Started, outcome.DeploymentSucceeded: outcome.Succeeded,
	outcome.DeploymentFailed: outcome.Failed, outcome.DeploymentSuperseded: outcome.Superseded,
	outcome.DeploymentImpaired: outcome.Impaired, outcome.DeploymentPaused: outcome.Paused,
}

// report returns the report of a draft. Previous is the revision that ran before,
// and stopped is why tasks of the rollout stopped.
func (d Draft) report(
	env *environment.Environment, w environment.Workload, at time.Time, previous journal.Record, stopped []string,
) (Report, error) {
	o, r := outcome.New(env, w), d.Revision
	o.Time, o.Accepted, o.DeploymentID = at, d.Accepted, d.DeploymentID
	o.Foreign, o.ServiceDeleted = d.Foreign, d.Deleted
	o.Tag, o.Digest = r.Tag, r.Digest
	o.Image = outcome.Change{Before: previous.Image, After: r.Image}
	o.Revision = outcome.Change{Before: previous.TaskDefinition, After: r.TaskDefinition}
	o.PreviousForeign = previous.Foreign
	o.ECSReason, o.Problem, o.SupersededBy, o.RolledBackTo = d.ECSReason, d.Problem, d.SupersededBy, d.RolledBackTo
	o.Hook, o.StoppedTasks, o.NextRun = d.Hook, stopped, d.NextRun
	if d.Foreign {
		r = d.NoteRevision
	} else {
		d.Note.Stopped = stoppedNote(stopped)
		o.Cause = r.Cause
		if d.Kind == outcome.DeploymentFailed {
			o.Event = originalEvent(env, w, r)
		}
	}
	o, err := constructors[d.Kind](o)
	return Report{Outcome: o, Revision: r, Note: d.Note}, err
}
