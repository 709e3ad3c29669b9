package ecsdeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
)

const (
	// maxPatience is the wait for ECS's rate limits, since the service was read, after which a
	// deployment reads again before it writes.
	maxPatience = 2 * time.Second
	// maxAge is how long ago the service may have been read for any other reason, such as slow
	// answers. It is longer because a busy machine is slow too, and a read costs ECS's tokens.
	maxAge = 5 * time.Second
	// maxRereads is how often a deployment reads again because of maxAge. If ECS answers
	// every call so slowly, it writes all the same.
	maxRereads = 3
	// twinPause is how long a delivery waits for another one of its event to move the
	// service, before it reads the service again.
	twinPause = time.Second
	// maxReads is how many revisions are read at the same time.
	maxReads = 8
)

// run makes the calls of the rule for one order.
type run struct {
	deployer *Deployer
	state    *State
	order    Order
	unknown  int  // registrations whose result is unknown
	hasTurn  bool // to register

	conflicts int  // moves of a task that something else prevented
	look      bool // no event asked for it: see [State.heldBack]

	registering, updating *fault.Impatient
}

// newRun returns the run of an order under ctx.
func (d *Deployer) newRun(ctx context.Context, s *State, o Order) *run {
	return &run{deployer: d, state: s, order: o,
		registering: fault.NewImpatient(fault.UntilDeadlineIfRejected(ctx), maxPatience).InTurn(),
		updating:    fault.NewImpatient(fault.UntilDeadline(ctx), maxPatience),
	}
}

// carryOut makes the rule's calls until its end.
func (r *run) carryOut(ctx context.Context, rule *converge.Delivery) error {
	s := r.state
	defer r.leaveTurn(false)
	for calls := rule.Next(s.family); len(calls) > 0; calls = rule.Next(s.family) {
		if calls[0].Kind == converge.Register {
			if r.look && s.heldBack(calls[0].Registration.Copy) {
				return nil
			}
			if err := s.target.CheckTime(s.pointers, r.deployer.now()); err != nil {
				return err
			}
			if err := r.checkRoles(ctx); err != nil {
				return err
			}
			if err := r.takeTurn(ctx); err != nil {
				return err
			}
		}
		if isWrite(calls[0]) && s.stale(r.deployer.now()) {
			s.readAt(r.deployer.now())
			rule.Stale()
			continue
		}
		if err := r.makeAll(ctx, rule, calls); err != nil {
			if r.conflict(ctx, err) {
				rule.Stale()
				continue
			}
			delay, again := fault.LongWait(err)
			if !again {
				return err
			}
			if err := r.pause(ctx, delay, err); err != nil {
				return err
			}
			s.waited = s.waits.Total()
			rule.Stale()
		}
	}
	return nil
}

// readAt notes when the read began that the next write is decided by.
func (s *State) readAt(now time.Time) { s.waited, s.read = s.waits.Total(), now }

// stale reports whether the service was read so long ago that it is read again before a
// write.
func (s *State) stale(now time.Time) bool {
	switch {
	case s.waits.Total()-s.waited > maxPatience:
		return true
	case now.Sub(s.read) > maxAge && s.rereads < maxRereads:
		s.rereads++
		return true
	}
	return false
}

// isWrite reports whether a call changes the service or the family.
func isWrite(c converge.Call) bool { return c.Kind == converge.Register || c.Kind == converge.Update }

// makeAll makes calls, and passes their answers to the rule.
func (r *run) makeAll(ctx context.Context, rule *converge.Delivery, calls []converge.Call) error {
	if calls[0].Kind == converge.ReadRevision {
		return r.readRevisions(ctx, calls)
	}
	for _, c := range calls {
		answer, err := r.call(ctx, c)
		if err != nil {
			return err
		}
		rule.Answered(c, answer)
	}
	return nil
}

// call makes one call. The first read of the service and the first read of the
// newest revision are answered from [Deployer.Read], which ran while the image
// was resolved.
func (r *run) call(ctx context.Context, c converge.Call) (converge.Answer, error) {
	s := r.state
	switch c.Kind {
	case converge.ReadService:
		if s.freshService {
			s.freshService = false
			return converge.Answer{Service: s.rolls}, nil
		}
		return r.readService(ctx, c.Wait)
	case converge.ReadNewest:
		if s.freshNewest {
			s.freshNewest = false
			return converge.Answer{Number: s.newest.Number()}, nil
		}
		newest, err := r.deployer.services.DescribeRevision(ctx, s.familyName)
		if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			return converge.Answer{Number: s.newest.Number()}, nil // none is ACTIVE
		}
		if err != nil {
			return converge.Answer{}, err
		}
		s.addRevision(newest)
		s.trackFloating(newest)
		return converge.Answer{Number: newest.Number()}, nil
	case converge.ReadOrigin:
		return r.readOrigin(ctx, c.Rollout), nil
	case converge.Register:
		return r.register(ctx, c.Registration)
	}
	return r.update(ctx, c.Number)
}

// register registers what the rule asks for. If the result of a call is unknown,
// the rule first reads whether it took effect, before it calls again.
func (r *run) register(ctx context.Context, n converge.Registration) (converge.Answer, error) {
	in, image, err := r.state.registration(r.order, n)
	if err != nil {
		return converge.Answer{}, err
	}
	send, err := body(r.state.source(n), in)
	if err != nil {
		return converge.Answer{}, err
	}
	var raw json.RawMessage
	retrying := func(o *ecs.Options) { o.Retryer = r.registering }
	out, err := r.deployer.ecs.RegisterTaskDefinition(ctx, in, retrying, sending(send),
		ecsservice.KeepTaskDefinition(&raw))
	if err == nil || fault.MayHaveTakenEffect(err) {
		r.leaveTurn(true)
	}
	if err != nil {
		family := aws.ToString(in.Family)
		doing := fmt.Sprintf("registering a revision of task definition %q with image %q", family, image)
		if fault.MayHaveTakenEffect(err) {
			r.unknown++
			return converge.Answer{Lost: true}, fault.Backoff(ctx, r.unknown, doing, err)
		}
		return converge.Answer{}, fault.Classify(doing, err)
	}
	registered := ecsservice.Revision{TaskDefinition: out.TaskDefinition, Tags: in.Tags, Raw: raw}
	if !registered.Complete() { // it may have taken effect
		doing := fmt.Sprintf("registering a revision of task definition %q", aws.ToString(in.Family))
		r.unknown++
		return converge.Answer{Lost: true},
			fault.Backoff(ctx, r.unknown, doing, fault.Incomplete(doing, "task definition"))
	}
	r.state.addRevision(registered)
	r.state.unused = registered.Number()
	r.state.trackFloating(registered)
	return converge.Answer{Number: registered.Number()}, nil
}

// update moves the service to a revision of the family. ECS's answer lists the rollouts
// that the move replaced.
func (r *run) update(ctx context.Context, number int) (converge.Answer, error) {
	s := r.state
	if s.pointers != nil {
		return r.movePointers(ctx, number)
	}
	arn := s.arn(number)
	out, err := r.deployer.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(s.target.Cluster), Service: aws.String(s.target.Service), TaskDefinition: aws.String(arn),
	}, func(o *ecs.Options) { o.Retryer = r.updating })
	if err != nil {
		return converge.Answer{}, s.updateFailed(arn, err)
	}
	service := out.Service
	if service == nil || aws.ToString(service.TaskDefinition) == "" { // ECS may not have the call
		return converge.Answer{}, fault.Incomplete(s.updating(arn), "service")
	}
	s.running = s.revisions[number]
	if number == s.unused {
		s.unused = 0
	}
	s.updateService(service)
	s.readAt(r.deployer.now())
	s.rollout = rollout(service, arn)
	return converge.Answer{Service: s.rolls}, nil
}

// rollout returns the id of a service's primary deployment if it is one of the
// given revision, else "".
func rollout(s *types.Service, arn string) string {
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) == arn && ecsservice.IsPrimary(d) {
			return aws.ToString(d.Id)
		}
	}
	return ""
}
