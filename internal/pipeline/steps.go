package pipeline

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// of returns what every outcome of a revision's rollout says. Before is what
// ran until then.
func (f *following) of(r, before journal.Record, id string, foreign bool) outcome.Outcome {
	o := outcome.Of(f.env, f.step.Workload)
	o.Time, o.Accepted, o.DeploymentID, o.Foreign = f.at, f.seen.Accepted, id, foreign
	o.Tag, o.Digest = r.Tag, r.Digest
	o.Image = outcome.Change{Before: before.Image, After: r.Image}
	o.Revision = outcome.Change{Before: before.TaskDefinition, After: r.TaskDefinition}
	o.Unproven = before.Foreign
	if !foreign {
		o.Cause = r.Cause
	}
	return o
}

// this is [following.of] for the rollout that ECS told of.
func (f *following) this() outcome.Outcome {
	o := f.of(f.seen.Revision, f.seen.Previous, f.seen.ID, f.seen.Foreign())
	o.ECSReason = f.step.Reason
	return o
}

// add adds an outcome, unless the constructor found it wanting. A foreign
// rollout's is not noted: its revision is somebody else's, or says how its own
// rollout ended.
func (f *following) add(o outcome.Outcome, err error, r journal.Record, n journal.Note) error {
	if err != nil {
		return err
	}
	if o.Foreign {
		r.Foreign = true
	}
	f.entries = append(f.entries, entry{o, r, n})
	return nil
}

// started takes the beginning of a rollout, which is the end of those that it
// takes the place of.
func (f *following) started(ctx context.Context) error {
	switch {
	case f.seen.Deleted:
		f.reason = "the service was deleted meanwhile"
		return nil
	case f.seen.RollbackReason != "":
		// A part of the failure, which is told. ECS goes back only to what was completed.
		f.reason = "ECS rolls back by it: " + f.seen.RollbackReason
		n := journal.Note{DeploymentID: f.seen.ID}
		if f.seen.Revision.Outcome == "" {
			n.Outcome = journal.Succeeded
		}
		return f.services.AddNote(ctx, f.seen.Revision, n)
	case !f.seen.Revision.Foreign && f.seen.Revision.DeploymentID == f.seen.ID:
		f.reason = "it was told already: started"
		return nil
	case !f.seen.Foreign() && !f.seen.Primary && (f.seen.Revision.DeploymentID != "" || f.seen.Runs.TaskDefinition == f.seen.Revision.TaskDefinition):
		// Who helps moves a service to a revision a second time.
		f.reason = "a newer rollout has taken its place, and of another one of the revision it is or will be told"
		return nil
	}
	n := journal.Note{DeploymentID: f.seen.ID}
	if f.seen.Revision.Outcome == journal.Superseded { // it won after all
		n.Outcome = journal.RollingOut
	}
	o, err := outcome.Started(f.this())
	if err := f.add(o, err, f.seen.Revision, n); err != nil {
		return err
	}
	return f.replaced(ctx)
}

// replaced takes the end of the rollouts whose place this one has taken.
func (f *following) replaced(ctx context.Context) error {
	for _, r := range f.seen.Replaced {
		before, err := f.rollouts.Before(ctx, f.target, r)
		if err != nil {
			return err
		}
		o := f.of(r, before, r.DeploymentID, false)
		o.Accepted = time.Time{}
		o.SupersededBy = outcome.Newer{EventID: f.seen.Revision.Cause.ID, DeploymentID: f.seen.ID}
		o, err = outcome.Superseded(o)
		if err := f.add(o, err, r, journal.Note{DeploymentID: r.DeploymentID, Outcome: journal.Superseded, Finished: f.at}); err != nil {
			return err
		}
	}
	return nil
}

// completed takes the good end of a rollout.
func (f *following) completed(ctx context.Context) error {
	if f.again(journal.Succeeded, journal.Failed, journal.Superseded) {
		return nil
	}
	if f.seen.Deleted {
		return f.deleted()
	}
	if f.seen.Foreign() {
		if returned, err := f.rollouts.RolledBackBy(ctx, f.target, f.seen.Revision, f.seen.ID); returned || err != nil {
			f.reason = "ECS has rolled back by it, which was told"
			return err
		}
	}
	o, err := outcome.Succeeded(f.this())
	if err := f.add(o, err, f.seen.Revision, journal.Note{DeploymentID: f.seen.ID, Outcome: journal.Succeeded, Finished: f.at}); err != nil {
		return err
	}
	return f.replaced(ctx)
}

// failed takes the bad end of a rollout: it is superseded, not failed, if a
// newer one has taken its place.
func (f *following) failed() error {
	if f.again(journal.Failed, journal.Superseded) {
		return nil
	}
	if f.seen.Deleted {
		return f.deleted()
	}
	o := f.this()
	if f.seen.Runs.Revision > f.seen.Revision.Revision && !f.seen.Primary {
		o.SupersededBy = outcome.Newer{EventID: f.seen.Runs.Cause.ID, DeploymentID: f.seen.Runs.DeploymentID}
		if o.SupersededBy == (outcome.Newer{}) {
			o.SupersededBy.DeploymentID = f.seen.PrimaryID
		}
		o, err := outcome.Superseded(o)
		return f.add(o, err, f.seen.Revision, journal.Note{DeploymentID: f.seen.ID, Outcome: journal.Superseded, Finished: f.at})
	}
	if f.returns() {
		o.RolledBackTo = outcome.Revision{Revision: f.seen.Runs.TaskDefinition, Image: f.seen.Runs.Image}
	}
	if o.ECSReason == "" {
		o.Problem = "ECS gave up the rollout, and does not say why"
	}
	return f.fail(o, journal.Failed)
}

// returns reports whether ECS goes back from the rollout.
func (f *following) returns() bool {
	return !f.seen.Deleted && f.seen.Runs.TaskDefinition != f.seen.Revision.TaskDefinition
}

// deleted takes the end of a rollout whose service is gone.
func (f *following) deleted() error {
	o := f.this()
	o.ECSReason, o.Problem, o.Gone = "", "the service was deleted meanwhile, and nothing runs", true
	return f.fail(o, journal.Failed)
}

// impaired takes the news that tasks do not stay up. Where a circuit breaker
// ends the rollout, its end is told; without one ECS goes on trying for ever,
// and nothing else will be heard of it.
func (f *following) impaired(ctx context.Context) error {
	slog.WarnContext(ctx, "tasks do not stay up", "service", f.target.Workload, "task_definition", f.seen.Revision.TaskDefinition, "tag", f.seen.Revision.Tag, "deployment_id", f.seen.ID)
	switch {
	case f.seen.Deleted, !f.seen.InProgress:
		f.reason = "no rollout is under way: tasks of what runs do not stay up"
		return nil
	case f.seen.BreakerEnabled:
		f.reason = "the circuit breaker of the service will end the rollout"
		return nil
	case f.seen.Foreign(): // no journal would say that it was told, and ECS goes on saying it
		f.reason = "tasks of what somebody else deploys do not stay up"
		return nil
	case f.again(journal.Impaired, journal.Failed, journal.Superseded):
		return nil
	}
	o := f.this()
	o.Problem = "its tasks do not stay up and the service has no circuit breaker that would end the rollout: ECS goes on trying"
	return f.fail(o, journal.Impaired)
}

// fail adds a failure, with the event that asked.
func (f *following) fail(o outcome.Outcome, end journal.Phase) error {
	if !o.Foreign {
		o.Event = original(f.env, f.step.Workload, f.seen.Revision)
	}
	o, err := outcome.Failed(o)
	n := journal.Note{DeploymentID: f.seen.ID, Outcome: end, Why: o.Why()}
	if f.returns() {
		n.Return = f.seen.PrimaryID
	}
	if end != journal.Impaired {
		n.Finished = f.at
	}
	return f.add(o, err, f.seen.Revision, n)
}

// original returns the event that asked for a revision, as far as its journal
// has it, so that it can be sent once more: nil if no event can have asked. Of a
// lost push it is the event that did not come.
func original(env *environment.Environment, w environment.Workload, r journal.Record) json.RawMessage {
	e := map[string]any{"version": "0", "id": r.Cause.ID, "time": r.Cause.Time.Format(time.RFC3339), "account": env.AccountID, "region": env.Region, "resources": []string{}}
	if ref, err := image.ParseReference(r.Image); err == nil && (r.Source == event.ECRSource || r.Source == event.ReconcileSource) {
		registry, _ := ref.Registry()
		e["source"], e["detail-type"], e["account"], e["region"] = event.ECRSource, event.ECRImageAction, registry.AccountID, registry.Region
		e["detail"] = map[string]string{"action-type": "PUSH", "result": "SUCCESS", "repository-name": ref.Repository, "image-tag": r.Tag, "image-digest": r.Digest}
	} else if len(env.DeploySources) > 0 {
		source := env.DeploySources[0]
		if slices.Contains(env.DeploySources, r.Source) {
			source = r.Source
		}
		detail, reason := map[string]string{"service": w.Name}, r.Reason
		if r.Restores != "" && source == r.Source { // by its tag, which may have moved on, it would be another image
			detail["action"], reason = event.Rollback, wordsOf(reason)
		} else {
			detail["tag"] = r.Tag
		}
		for key, value := range map[string]string{"actor": r.Actor, "reason": reason} {
			if value != "" {
				detail[key] = value
			}
		}
		e["source"], e["detail-type"], e["detail"] = source, event.DeployType, detail
	} else {
		return nil
	}
	raw, _ := json.Marshal(e) // texts and maps of them always encode
	return raw
}
