package pipeline

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/outcome"
)

// of returns what every outcome of a revision's rollout says. Before is what
// ran until then.
func (f *following) of(r, before ecsdeploy.Record, id string, foreign bool) outcome.Outcome {
	o := outcome.Of(f.env, f.step.Workload)
	o.Time, o.Accepted, o.DeploymentID, o.Foreign = f.at, f.Accepted, id, foreign
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
	o := f.of(f.Record, f.Before, f.ID, f.Foreign())
	o.ECSReason = f.step.Reason
	return o
}

// add adds an outcome, unless the constructor found it wanting. A foreign
// rollout's is not noted: its revision is somebody else's, or says how its own
// rollout ended.
func (f *following) add(o outcome.Outcome, err error, r ecsdeploy.Record, n ecsdeploy.Note) error {
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
	case f.Gone:
		f.reason = "the service was deleted meanwhile"
		return nil
	case f.RollsBack != "":
		// A part of the failure, which is told. ECS goes back only to what was completed.
		f.reason = "ECS rolls back by it: " + f.RollsBack
		n := ecsdeploy.Note{DeploymentID: f.ID}
		if f.Record.Outcome == "" {
			n.Outcome = ecsdeploy.Succeeded
		}
		return f.deployer.Note(ctx, f.Record, n)
	case !f.Record.Foreign && f.Record.DeploymentID == f.ID:
		f.reason = "it was told already: started"
		return nil
	case !f.Foreign() && !f.Primary && (f.Record.DeploymentID != "" || f.Runs.TaskDefinition == f.Record.TaskDefinition):
		// Who helps moves a service to a revision a second time.
		f.reason = "a newer rollout has taken its place, and of another one of the revision it is or will be told"
		return nil
	}
	n := ecsdeploy.Note{DeploymentID: f.ID}
	if f.Record.Outcome == ecsdeploy.Overtaken { // it won after all
		n.Outcome = ecsdeploy.Rolling
	}
	o, err := outcome.Started(f.this())
	if err := f.add(o, err, f.Record, n); err != nil {
		return err
	}
	return f.replaced(ctx)
}

// replaced takes the end of the rollouts whose place this one has taken.
func (f *following) replaced(ctx context.Context) error {
	for _, r := range f.Replaced {
		before, err := f.deployer.Before(ctx, f.target, r)
		if err != nil {
			return err
		}
		o := f.of(r, before, r.DeploymentID, false)
		o.Accepted = time.Time{}
		o.SupersededBy = outcome.Newer{EventID: f.Record.Cause.ID, DeploymentID: f.ID}
		o, err = outcome.Superseded(o)
		if err := f.add(o, err, r, ecsdeploy.Note{DeploymentID: r.DeploymentID, Outcome: ecsdeploy.Overtaken, Finished: f.at}); err != nil {
			return err
		}
	}
	return nil
}

// completed takes the good end of a rollout.
func (f *following) completed(ctx context.Context) error {
	if f.again(ecsdeploy.Succeeded, ecsdeploy.Failed, ecsdeploy.Overtaken) {
		return nil
	}
	if f.Gone {
		return f.deleted()
	}
	if f.Foreign() {
		if returned, err := f.deployer.Returned(ctx, f.target, f.Record, f.ID); returned || err != nil {
			f.reason = "ECS has rolled back by it, which was told"
			return err
		}
	}
	o, err := outcome.Succeeded(f.this())
	if err := f.add(o, err, f.Record, ecsdeploy.Note{DeploymentID: f.ID, Outcome: ecsdeploy.Succeeded, Finished: f.at}); err != nil {
		return err
	}
	return f.replaced(ctx)
}

// failed takes the bad end of a rollout: it is superseded, not failed, if a
// newer one has taken its place.
func (f *following) failed() error {
	if f.again(ecsdeploy.Failed, ecsdeploy.Overtaken) {
		return nil
	}
	if f.Gone {
		return f.deleted()
	}
	o := f.this()
	if f.Runs.Revision > f.Record.Revision && !f.Primary {
		o.SupersededBy = outcome.Newer{EventID: f.Runs.Cause.ID, DeploymentID: f.Runs.DeploymentID}
		if o.SupersededBy == (outcome.Newer{}) {
			o.SupersededBy.DeploymentID = f.PrimaryID
		}
		o, err := outcome.Superseded(o)
		return f.add(o, err, f.Record, ecsdeploy.Note{DeploymentID: f.ID, Outcome: ecsdeploy.Overtaken, Finished: f.at})
	}
	if f.returns() {
		o.RolledBackTo = outcome.Revision{Revision: f.Runs.TaskDefinition, Image: f.Runs.Image}
	}
	if o.ECSReason == "" {
		o.Problem = "ECS gave up the rollout, and does not say why"
	}
	return f.fail(o, ecsdeploy.Failed)
}

// returns reports whether ECS goes back from the rollout.
func (f *following) returns() bool {
	return !f.Gone && f.Runs.TaskDefinition != f.Record.TaskDefinition
}

// deleted takes the end of a rollout whose service is gone.
func (f *following) deleted() error {
	o := f.this()
	o.ECSReason, o.Problem, o.Gone = "", "the service was deleted meanwhile, and nothing runs", true
	return f.fail(o, ecsdeploy.Failed)
}

// impaired takes the news that tasks do not stay up. Where a circuit breaker
// ends the rollout, its end is told; without one ECS goes on trying for ever,
// and nothing else will be heard of it.
func (f *following) impaired(ctx context.Context) error {
	slog.WarnContext(ctx, "tasks do not stay up", "service", f.target.Workload, "task_definition", f.Record.TaskDefinition, "tag", f.Record.Tag, "deployment_id", f.ID)
	switch {
	case f.Gone, !f.Rolling:
		f.reason = "no rollout is under way: tasks of what runs do not stay up"
		return nil
	case f.Breaks:
		f.reason = "the circuit breaker of the service will end the rollout"
		return nil
	case f.Foreign(): // no journal would say that it was told, and ECS goes on saying it
		f.reason = "tasks of what somebody else deploys do not stay up"
		return nil
	case f.again(ecsdeploy.Impaired, ecsdeploy.Failed, ecsdeploy.Overtaken):
		return nil
	}
	o := f.this()
	o.Problem = "its tasks do not stay up and the service has no circuit breaker that would end the rollout: ECS goes on trying"
	return f.fail(o, ecsdeploy.Impaired)
}

// fail adds a failure, with the event that asked.
func (f *following) fail(o outcome.Outcome, end ecsdeploy.Phase) error {
	if !o.Foreign {
		o.Event = original(f.env, f.step.Workload, f.Record)
	}
	o, err := outcome.Failed(o)
	n := ecsdeploy.Note{DeploymentID: f.ID, Outcome: end, Why: o.Why()}
	if f.returns() {
		n.Return = f.PrimaryID
	}
	if end != ecsdeploy.Impaired {
		n.Finished = f.at
	}
	return f.add(o, err, f.Record, n)
}

// original returns the event that asked for a revision, as far as its journal
// has it, so that it can be sent once more: nil if no event can have asked. Of a
// lost push it is the event that did not come.
func original(env *environment.Environment, w environment.Workload, r ecsdeploy.Record) json.RawMessage {
	e := map[string]any{"version": "0", "id": r.Cause.ID, "time": r.Cause.Time.Format(time.RFC3339), "account": env.AccountID, "region": env.Region, "resources": []string{}}
	if ref, err := image.ParseReference(r.Image); err == nil && (r.Source == event.ECRSource || r.Source == ReconcileSource) {
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
