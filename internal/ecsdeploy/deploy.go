package ecsdeploy

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/fault"
)

// Deploy carries out an order on a service whose state was read just now. What
// is to be done follows from the rule of package converge; this is its hands.
// Of the service nothing but the task definition is sent: other members would
// be refused by some controllers, and restart what they need not.
func (d *Deployer) Deploy(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	if s.back != "" && o.Push {
		return Deployment{}, s.held(o)
	}
	r := &run{Deployer: d, State: s, order: o}
	rule := converge.New(s.request(o))
	for {
		calls := rule.Next(s.family)
		if len(calls) == 0 {
			break
		}
		if err := r.makeAll(ctx, &rule, calls); err != nil {
			return Deployment{}, err
		}
	}
	s.conclude(&result, rule.Outcome(), o)
	return result, nil
}

// Plan says what Deploy would do, and only reads.
func (d *Deployer) Plan(ctx context.Context, s *State, o Order) (Deployment, error) {
	result, err := s.deployment(o)
	if err != nil {
		return Deployment{}, err
	}
	r := &run{Deployer: d, State: s, order: o}
	rule := converge.New(s.request(o))
	for {
		calls := rule.Next(s.family)
		if len(calls) == 0 {
			s.conclude(&result, rule.Outcome(), o)
			return result, nil
		}
		switch runs, _ := s.family(s.number()); {
		case calls[0].Kind == converge.Register && runs.Image == s.request(o).Image && !o.Force:
			s.conclude(&result, converge.Unchanged, o)
			return result, nil
		case calls[0].Kind == converge.Register:
			result.Status = Planned
			result.Reason = fmt.Sprintf("a new revision of %s, cloned from %s, with the image %s", aws.ToString(s.base().Family), s.base().arn(), result.Image)
			return result, nil
		case calls[0].Kind == converge.Update:
			result.Status = Planned
			result.Reason = "the service is to be moved to " + s.arn(calls[0].Number) + ", whose deployment was not finished"
			return result, nil
		}
		if err := r.makeAll(ctx, &rule, calls); err != nil {
			return Deployment{}, err
		}
	}
}

// conclude puts an outcome into words.
func (s *State) conclude(d *Deployment, outcome converge.Outcome, o Order) {
	d.TaskDefinition, d.DeploymentID = s.running.arn(), s.rollout
	switch outcome {
	case converge.Deployed:
		d.Status, d.Reason = Deployed, "the service is being moved to the new revision"
		if s.warning != "" {
			d.Reason += "; " + s.warning
		}
		return
	case converge.Unchanged:
		d.Status, d.Reason = Unchanged, "the service already runs this image"
	case converge.Repeated:
		d.Status, d.Reason = Unchanged, "this event was carried out before"
	case converge.Superseded:
		d.Status = Superseded
		d.Reason = fmt.Sprintf("a newer event has won: the service runs %s", s.running.arn())
		if event := tagValue(s.running.tags, keyEventID); event != "" {
			d.Reason += fmt.Sprintf(", of event %s at %s", event, tagValue(s.running.tags, keyTime))
		}
		d.Image, d.Digest = "", "" // not what runs
		d.Newer = Newer{tagValue(s.running.tags, keyEventID), s.primary}
	}
	if d.PreviousTaskDefinition == d.TaskDefinition {
		d.PreviousTaskDefinition = ""
	}
}

// run is one order being carried out.
type run struct {
	*Deployer
	*State
	order Order
	lost  int // registrations of which nobody knew whether they took effect
}

// makeAll makes the calls of the rule, and tells it what they answered.
func (r *run) makeAll(ctx context.Context, rule *converge.Deployer, calls []converge.Call) error {
	for _, c := range calls {
		var answer converge.Answer
		var err error
		switch { // the two reads of the start were made while the image was looked for
		case r.unused && c.Kind == converge.ReadService:
			answer.Number = r.number()
		case r.unused && c.Kind == converge.ReadNewest:
			answer.Number, r.unused = int(r.newest.Revision), false
		default:
			if answer, err = r.make(ctx, c); err != nil {
				return err
			}
		}
		rule.Answered(c, answer, r.family)
	}
	return nil
}

// make makes one call of the rule.
func (r *run) make(ctx context.Context, c converge.Call) (converge.Answer, error) {
	switch c.Kind {
	case converge.ReadService:
		return r.readService(ctx)
	case converge.ReadNewest:
		newest, err := r.describeRevision(ctx, r.familyName)
		if err != nil {
			return converge.Answer{}, err
		}
		r.learn(newest)
		return converge.Answer{Number: int(newest.Revision)}, nil
	case converge.ReadRevision:
		one, err := r.describeRevision(ctx, r.arn(c.Number))
		if fault.NameOf(err) == "TaskDefinitionNotFound" { // deleted for good: nobody can move a service to it
			one.TaskDefinition, err = &types.TaskDefinition{Revision: int32(c.Number), Status: types.TaskDefinitionStatusDeleteInProgress}, nil
		}
		if err != nil {
			return converge.Answer{}, err
		}
		r.learn(one)
		return converge.Answer{}, nil
	case converge.Register:
		return r.register(ctx, c)
	}
	return r.update(ctx, c.Number)
}

// readService reads the service again.
func (r *run) readService(ctx context.Context) (converge.Answer, error) {
	service, err := r.describeService(ctx, r.target)
	if err != nil {
		return converge.Answer{}, err
	}
	runs := aws.ToString(service.TaskDefinition)
	if familyOf(runs) != r.familyName {
		return converge.Answer{}, &fault.Outage{Fault: fault.Fault{Name: "FamilyChanged", Doing: r.target.doing(),
			Err: fmt.Errorf("somebody moved it from family %q to %q meanwhile", r.familyName, runs), Hint: "the event is tried again"}}
	}
	r.see(service)
	number := revisionOf(runs)
	if one, known := r.revisions[number]; known {
		r.running = one
	} else if one, err := r.describeRevision(ctx, runs); err != nil {
		return converge.Answer{}, err
	} else {
		r.learn(one)
		r.running = one
	}
	return converge.Answer{Number: number}, nil
}

// register adds the order's revision to the family. A call of which nobody
// knows whether it took effect is not repeated blindly: the rule looks first.
func (r *run) register(ctx context.Context, c converge.Call) (converge.Answer, error) {
	in, image, err := r.registration(r.order, c.Best)
	if err != nil {
		return converge.Answer{}, err
	}
	out, err := r.ecs.RegisterTaskDefinition(ctx, in, func(o *ecs.Options) { o.Retryer = fault.UntilDeadlineIfRejected(ctx) })
	if err != nil {
		doing := fmt.Sprintf("registering a revision of task definition %q with image %q", aws.ToString(in.Family), image)
		if fault.MayHaveTakenEffect(err) {
			r.lost++
			return converge.Answer{Lost: true}, fault.Backoff(ctx, r.lost, doing, err)
		}
		return converge.Answer{}, fault.Classify(doing, err)
	}
	r.learn(revision{out.TaskDefinition, in.Tags})
	r.unmoved = int(out.TaskDefinition.Revision)
	return converge.Answer{Number: int(out.TaskDefinition.Revision)}, nil
}

// update moves the service to a revision of the family.
func (r *run) update(ctx context.Context, number int) (converge.Answer, error) {
	arn := r.arn(number)
	out, err := r.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(r.target.Cluster), Service: aws.String(r.target.Service), TaskDefinition: aws.String(arn),
	}, within(ctx))
	if err != nil {
		return converge.Answer{}, fault.Classify(fmt.Sprintf("moving service %q in cluster %q to %q", r.target.Service, r.target.Cluster, arn), err)
	}
	r.running = r.revisions[number]
	if number == r.unmoved {
		r.unmoved = 0
	}
	answer := converge.Answer{Number: number}
	if out.Service != nil {
		r.see(out.Service)
		r.rollout = rollout(out.Service, arn)
		for _, d := range out.Service.Deployments {
			if td := aws.ToString(d.TaskDefinition); familyOf(td) == r.familyName {
				answer.Number = max(answer.Number, revisionOf(td))
			}
		}
	}
	return answer, nil
}

// rollout returns the id of the deployment that brings a revision into the
// service, "" if the answer does not show it.
func rollout(s *types.Service, arn string) string {
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) == arn && aws.ToString(d.Status) == "PRIMARY" {
			return aws.ToString(d.Id)
		}
	}
	return ""
}

// revisionOf returns the number in a revision's ARN or family:revision name, 0 if it has none.
func revisionOf(arn string) int {
	n, _ := strconv.Atoi(arn[lastColon(arn)+1:])
	return n
}
