package ecsdeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsdeploy/converge"
)

// Deploy deploys an order to a service whose state was just read, by the rule of
// package converge. Its UpdateService contains only the task definition: some
// services reject other members, and some members restart tasks.
func (d *Deployer) Deploy(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	if s.rollingBack != "" && o.Push {
		return Deployment{}, s.errRollbackInProgress(o)
	}
	r := &run{deployer: d, state: s, order: o}
	rule := converge.New(s.request(o))
	for calls := rule.Next(s.family); len(calls) > 0; calls = rule.Next(s.family) {
		if err := r.makeAll(ctx, &rule, calls); err != nil {
			return Deployment{}, err
		}
	}
	s.conclude(&result, rule.Outcome())
	return result, nil
}

// Plan returns what Deploy would do. It only reads.
func (d *Deployer) Plan(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	r := &run{deployer: d, state: s, order: o}
	rule := converge.New(s.request(o))
	for calls := rule.Next(s.family); len(calls) > 0; calls = rule.Next(s.family) {
		switch calls[0].Kind {
		case converge.Register:
			if runs, _ := s.family(s.number()); runs.Image == s.request(o).Image && !o.Force {
				s.conclude(&result, converge.Unchanged)
				return result, nil
			}
			size, err := s.measure(o, calls[0].Best)
			if err != nil {
				return Deployment{}, err
			}
			result.Status = Planned
			result.Reason = fmt.Sprintf("a new revision of %s, cloned from %s, with the image %s",
				aws.ToString(s.base().TaskDefinition.Family), s.base().ARN(), result.Image) + s.omitted() + size
			return result, nil
		case converge.Update:
			result.Status = Planned
			result.Reason = "an unfinished update would be completed, to " + s.arn(calls[0].Number)
			return result, nil
		}
		if err := r.makeAll(ctx, &rule, calls); err != nil {
			return Deployment{}, err
		}
	}
	s.conclude(&result, rule.Outcome())
	return result, nil
}

// conclude completes a result with the rule's outcome.
func (s *State) conclude(d *Deployment, outcome converge.Outcome) {
	d.TaskDefinition, d.DeploymentID = s.running.ARN(), s.rollout
	switch outcome {
	case converge.Deployed:
		d.Status, d.Reason = Deployed, "the service is being moved to the new revision"
		if s.warning != "" {
			d.Reason += "; " + s.warning
		}
		d.Reason += s.omitted()
		return
	case converge.Unchanged:
		d.Status, d.Reason = Unchanged, "the service already runs this image"
	case converge.Repeated:
		d.Status, d.Reason = Unchanged, "this event was carried out before"
	case converge.Superseded:
		winner := s.target.Record(s.running)
		d.Status = Superseded
		d.Reason = "a newer event already deployed: the service runs " + winner.TaskDefinition
		if winner.Cause.ID != "" {
			d.Reason += fmt.Sprintf(", for event %s of %s", winner.Cause.ID, winner.Cause.Time.Format(time.RFC3339Nano))
		}
		d.Image, d.Digest = "", "" // the service runs another image
		d.Newer = Newer{winner.Cause.ID, s.primary}
	}
	if d.PreviousTaskDefinition == d.TaskDefinition {
		d.PreviousTaskDefinition = ""
	}
}
