package ecsdeploy

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// Deploy deploys an order to a service whose state was just read, by the rule of
// package converge. Its UpdateService contains only the task definition: some
// services reject other members, and some members restart tasks.
func (d *Deployer) Deploy(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	if s.rollingBack != "" && o.Unattended {
		return Deployment{}, s.errRollbackInProgress(o)
	}
	unlock, waited, err := d.locks.lock(ctx, s.target.Cluster+"/"+s.target.Service, o.Cause.Time)
	if err != nil {
		return Deployment{}, fault.Classify(fmt.Sprintf("waiting for another deployment of %s", s.target), err)
	}
	defer unlock()
	if waited {
		s.freshService, s.freshNewest = false, false
	}
	rule := converge.New(s.request(o))
	if err := d.newRun(ctx, s, o).carryOut(ctx, &rule); err != nil {
		return Deployment{}, err
	}
	s.conclude(&result, rule, o)
	if s.target.Task {
		result.Ended, result.Before = s.ended(&rule), s.target.Record(s.before)
		result.NextRun = NextRun(s.pointers, s.now)
	}
	return result, nil
}

// Plan returns what Deploy would do. It only reads.
func (d *Deployer) Plan(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	r := d.newRun(ctx, s, o)
	rule := converge.New(s.request(o))
	for calls := rule.Next(s.family); len(calls) > 0; calls = rule.Next(s.family) {
		if calls[0].Kind == converge.Register {
			if err := r.checkRoles(ctx); err != nil {
				return Deployment{}, err
			}
			return s.planned(result, o, calls[0].Registration)
		}
		if err := r.makeAll(ctx, &rule, calls); err != nil {
			return Deployment{}, err
		}
	}
	s.conclude(&result, rule, o)
	return result, nil
}

// planned completes a result with what would be registered.
func (s *State) planned(result Deployment, o Order, n converge.Registration) (Deployment, error) {
	if of := copyOf(n); of > 0 && (n.Copy.External || n.Copy.Event != journal.Value(o.Cause.ID)) {
		result.Status = Planned
		result.Reason = "an unfinished update would be completed, with a copy of " + s.arn(of)
		return result, nil
	}
	if s.runsImage(o) && !o.Force && !s.newerConfiguration(o, n) {
		result.Status, result.Reason = Unchanged, s.unchanged(o)
		s.noteFailure(&result, o)
		result.TaskDefinition = s.running.ARN()
		if result.PreviousTaskDefinition == result.TaskDefinition {
			result.PreviousTaskDefinition = ""
		}
		return result, nil
	}
	size, err := s.measure(o, n)
	if err != nil {
		return Deployment{}, err
	}
	result.Status = Planned
	result.Reason = fmt.Sprintf("a new revision of %s, cloned from %s, with the image %s",
		s.familyName, s.source(n).ARN(), result.Image) + s.omitted() + size
	if s.pointers != nil && s.warning != "" {
		result.Reason += "; " + s.warning
	}
	s.noteFailure(&result, o)
	return result, nil
}

// sameImage reports whether a revision runs the order's image.
func (s *State) sameImage(r ecsservice.Revision, o Order) bool {
	return s.target.Identity(r) == ecsservice.IdentityOf(o.Image)
}

// runsImage reports whether the workload runs the order's image. A task runs it if each of its pointers holds an ACTIVE
// revision with it, or floats and the newest one has it: ECS starts no other.
func (s *State) runsImage(o Order) bool {
	for _, p := range s.pointers {
		holds := s.newest
		if !p.Floating() {
			holds = s.revisions[p.Revision()]
		}
		if holds.TaskDefinition == nil || holds.Inactive() || !s.sameImage(holds, o) {
			return false
		}
	}
	return s.sameImage(s.running, o)
}

// newerConfiguration reports whether the order is also for a configuration that is newer
// than what runs.
func (s *State) newerConfiguration(o Order, n converge.Registration) bool {
	runs, _ := s.family(s.number())
	of := runs.Number
	if runs.Own && runs.Configuration > 0 {
		of = runs.Configuration
	}
	return s.demand(o) == journal.NewerConfiguration && of < n.Configuration
}

// unchanged returns why a deployment is [Unchanged] whose image the service runs.
func (s *State) unchanged(o Order) string {
	runs := "the " + s.target.Noun() + " already runs this image"
	switch {
	case !o.Redeploy:
		return runs
	case s.target.Base == environment.BaseService:
		return runs + ", and with base: service a deployment keeps the configuration that runs"
	}
	return runs + " with the newest configuration"
}

// conclude completes a result with the rule's outcome.
func (s *State) conclude(d *Deployment, rule converge.Delivery, o Order) {
	d.TaskDefinition, d.DeploymentID = s.running.ARN(), s.rollout
	switch rule.Outcome() {
	case converge.Deployed:
		d.Status, d.Reason = Deployed, "the service is being moved to the new revision"
		if s.target.Task {
			d.Reason = s.nextRun()
		}
		if s.sameImage(s.before, o) && s.demand(o) == journal.NewerConfiguration {
			runs, _ := s.family(s.number())
			d.Reason = fmt.Sprintf("same image, newer configuration: revision %d", max(runs.Configuration, 0))
		}
		if s.warning != "" {
			d.Reason += "; " + s.warning
		}
		d.Reason += s.omitted()
		s.noteFailure(d, o)
		return
	case converge.Unchanged:
		d.Status, d.Reason = Unchanged, s.unchanged(o)
		s.noteFailure(d, o)
		m, _ := rule.Winner(s.family)
		if !m.External && m.Event == journal.Value(o.Cause.ID) && m.Key.Number != s.number() {
			d.Recorded = s.arn(m.Key.Number)
		}
	case converge.Repeated:
		d.Status, d.Reason = Unchanged, "this event was carried out before"
	case converge.Failed:
		d.Status = Ignored
		d.RolloutFailed = true
		d.Reason = "the rollout of this event failed before, and is not repeated; to try again: " + s.again(o)
	case converge.Superseded:
		d.Status = Superseded
		d.Reason, d.Newer = s.superseded(rule)
		d.Image, d.Digest = "", "" // the service runs another image
	}
	if d.PreviousTaskDefinition == d.TaskDefinition {
		d.PreviousTaskDefinition = ""
	}
}

// superseded returns why a deployment is [Superseded], and what superseded it, given the
// rule at its end.
func (s *State) superseded(rule converge.Delivery) (reason string, by Newer) {
	choice, _ := rule.Winner(s.family)
	running := s.target.Record(s.running)
	runs, _ := s.family(s.number())
	if choice.Key.Number == 0 || choice.External || runs.Own && runs.Event == choice.Event {
		return supersededBy(s.target.Noun(), running), Newer{running.Cause.ID, s.primary}
	}
	newer := s.target.Record(s.revisions[choice.Key.Number])
	return fmt.Sprintf("a newer event won: event %s of %s; the %s runs %s",
			newer.Cause.ID, newer.Cause.Time.Format(time.RFC3339Nano), s.target.Noun(),
			running.TaskDefinition),
		Newer{EventID: newer.Cause.ID}
}

// supersededBy returns why a deployment is [Superseded] by what the service runs.
func supersededBy(noun string, winner journal.Record) string {
	if winner.Cause.ID == "" || winner.Cause.Source == externalSource {
		what := "a newer external rollout won"
		if noun == "task" {
			what = "another tool or a person moved the task later"
		}
		return what + ": the " + noun + " runs " + winner.TaskDefinition
	}
	return fmt.Sprintf("a newer event already deployed: the %s runs %s, for event %s of %s", noun,
		winner.TaskDefinition, winner.Cause.ID, winner.Cause.Time.Format(time.RFC3339Nano))
}

// again returns the command that asks once more for what an order asked for. An image that
// the service runs is only rolled out by force: ECS did not roll the failed rollout back.
func (s *State) again(o Order) string {
	force := ""
	if o.Force || s.sameImage(s.running, o) {
		force = " --force"
	}
	switch {
	case o.Restores != "":
		return s.target.Command("rollback")
	case o.Redeploy:
		return s.target.Command("redeploy") + force
	case force != "":
		return s.target.Command("deploy") + " " + o.Image.Tag + force
	}
	return s.target.Command("send") + " " + o.Image.Tag
}
