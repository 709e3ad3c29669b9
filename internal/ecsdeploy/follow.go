package ecsdeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Phase is how far a rollout has come.
type Phase string

// The phases of a rollout. All but the first are its end.
const (
	Rolling   Phase = "rolling out"
	Succeeded Phase = "succeeded"
	Failed    Phase = "failed"     // its tasks did not stay up; ECS goes back to what ran, if it may
	Overtaken Phase = "superseded" // a newer deployment took its place
)

// lookEvery is how often a rollout that is followed is looked at.
const lookEvery = time.Second

// Rollout is how far a service has come on its way to a revision.
type Rollout struct {
	Phase          Phase
	TaskDefinition string // ARN of the revision
	DeploymentID   string // ECS's id, "ecs-svc/…"; "" once ECS no longer lists it
	Desired        int    // tasks of the revision that are wanted
	Running        int
	Pending        int
	Failed         int    // tasks of the revision that did not stay up
	Reason         string // ECS's own words; "" if it has none
	Stage          string // where a rollout that is followed has stages: such as "BAKE_TIME"
	Paused         bool   // it waits for somebody to continue or stop it
	Runs           string // ARN of the revision that the service runs, or is being moved to, now
}

// Done reports whether the rollout has ended.
func (r Rollout) Done() bool { return r.Phase != Rolling }

// Rollout says how far the target's service has come on its way to a revision,
// given by its ARN. It makes one call, and another for one that has stages, that
// ECS no longer lists, or that fails without a circuit breaker to end it.
func (d *Deployer) Rollout(ctx context.Context, t Target, revision string) (Rollout, error) {
	service, err := d.describeService(ctx, t)
	if err != nil {
		return Rollout{}, err
	}
	r := rolloutOf(service, revision)
	if r.DeploymentID != "" {
		o := d.stage(ctx, t, service, r)
		r.Stage, r.Paused = o.Stage, o.Paused()
		if breaks, _ := breakers(service.DeploymentConfiguration); breaks || r.Done() || r.Failed == 0 {
			return r, nil
		}
		// ECS will try for ever; the journal says when that was told as a failure.
		record, err := d.recordOf(ctx, t, revision)
		if err == nil && record.Outcome == Impaired {
			r.Phase, r.Reason = Failed, record.Why
		}
		return r, err
	}
	// ECS no longer lists it; the journal may say how it ended.
	record, err := d.recordOf(ctx, t, revision)
	switch {
	case err != nil:
		return r, err
	case record.Outcome == Succeeded, record.Outcome == Failed, record.Outcome == Overtaken:
		r.Phase = record.Outcome
	}
	r.DeploymentID, r.Reason = record.DeploymentID, record.Why
	return r, nil
}

// rolloutOf reads a rollout off a service's deployments.
func rolloutOf(s *types.Service, revision string) Rollout {
	r := Rollout{Phase: Rolling, TaskDefinition: revision, Runs: aws.ToString(s.TaskDefinition)}
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) != revision {
			continue
		}
		r.DeploymentID, r.Reason = aws.ToString(d.Id), aws.ToString(d.RolloutStateReason)
		r.Desired, r.Running, r.Pending, r.Failed = int(d.DesiredCount), int(d.RunningCount), int(d.PendingCount), int(d.FailedTasks)
		switch {
		case d.RolloutState == types.DeploymentRolloutStateFailed:
			r.Phase = Failed
		case aws.ToString(d.Status) != "PRIMARY":
			r.Phase = Overtaken
		case d.RolloutState == types.DeploymentRolloutStateCompleted, d.RolloutState == "" && r.Running == r.Desired && r.Pending == 0:
			r.Phase = Succeeded
		}
		return r
	}
	// ECS no longer lists it. Who fails falls back to an older revision.
	if r.Phase = Failed; revisionOf(r.Runs) > revisionOf(revision) || familyOf(r.Runs) != familyOf(revision) {
		r.Phase = Overtaken
	}
	return r
}

// Follow looks every second how far a rollout has come, and shows every
// change, until it has ended. A service without a circuit breaker may never end
// one: ctx has to.
func (d *Deployer) Follow(ctx context.Context, t Target, revision string, show func(Rollout)) (Rollout, error) {
	last := Rollout{Phase: Rolling}
	for {
		r, err := d.Rollout(ctx, t, revision)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return last, err
		case r != last:
			last = r
			show(r)
		}
		if last.Done() {
			return last, nil
		}
		if err := fault.Wait(ctx, lookEvery); err != nil {
			return last, fmt.Errorf("following the rollout of %q: it has not ended (%d of %d tasks run, %d failed): %w", revision, last.Running, last.Desired, last.Failed, err)
		}
	}
}

// Await waits until the event with an id has been carried out on the target, by
// a revision whose number is greater than after, and returns that revision's
// ARN. Moved says whether the service is or was being moved to it: if not, it
// ran the image already, and the revision only tells that the event came.
func (d *Deployer) Await(ctx context.Context, t Target, id string, after int) (revision string, moved bool, err error) {
	a := &awaited{Deployer: d, target: t, id: id, seen: after}
	for {
		done, err := a.look(ctx)
		if err != nil && ctx.Err() == nil {
			return "", false, err
		}
		if done && err == nil {
			return a.revision, a.moved, nil
		}
		if err := fault.Wait(ctx, lookEvery); err != nil {
			return "", false, fmt.Errorf("waiting for the deployer to carry out event %q: %w", id, err)
		}
	}
}

// awaited is an event of which nothing is to be seen yet.
type awaited struct {
	*Deployer
	target             Target
	id                 string
	seen               int    // the greatest number of a revision that was looked at
	revision, identity string // of the event, once it is found
	moved              bool
}

// told reports whether the journal of a revision says that it was rolled out,
// which may have ended between two looks.
func told(r revision) bool {
	return tagValue(r.tags, keyDeployment) != "" || tagValue(r.tags, keyOutcome) != ""
}

// look reports whether the event has been carried out by now.
func (a *awaited) look(ctx context.Context) (done bool, err error) {
	state, err := a.Read(ctx, a.target)
	if err != nil {
		return false, err
	}
	for ; a.revision == "" && a.seen < int(state.newest.Revision); a.seen++ {
		one, err := a.describeRevision(ctx, state.arn(a.seen+1))
		if err != nil {
			return false, err
		}
		if tagValue(one.tags, keyEventID) == TagValue(a.id) {
			a.revision, a.identity = one.arn(), a.target.identity(one)
		}
	}
	if a.revision == "" {
		return false, nil
	}
	one, known := state.revisions[revisionOf(a.revision)]
	if !known {
		if one, err = a.describeRevision(ctx, a.revision); err != nil {
			return false, err
		}
	}
	a.moved = state.running.arn() == a.revision || state.number() > revisionOf(a.revision) || told(one) || state.failed[a.revision]
	return a.moved || a.target.identity(state.running) == a.identity, nil
}

// Newest returns the number of the newest revision of the target's family, to
// tell later what came after it, and the time of the event that it was made
// for, zero if it has no journal.
func (d *Deployer) Newest(ctx context.Context, t Target) (number int, at time.Time, err error) {
	state, err := d.Read(ctx, t)
	if err != nil {
		return 0, at, err
	}
	at, _ = time.Parse(time.RFC3339Nano, tagValue(state.newest.tags, keyTime))
	return int(state.newest.Revision), at, nil
}
