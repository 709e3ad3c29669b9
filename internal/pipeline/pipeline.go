// Package pipeline puts the stages in a row: an event becomes requests, each
// becomes an image, each image a deployment. The Lambda handler and the CLI
// both call it.
package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// answerTime is what is left of an invocation's time for its answer: work ends
// that much before the deadline, so that the caller hears how far it came.
const answerTime = 500 * time.Millisecond

// tellTime is what is left of it to tell of what was not done in the rest: what
// people's channels may take, and a first call of EventBridge.
const tellTime = 5 * time.Second

// Pipeline deploys into one environment. It is safe for concurrent use.
type Pipeline struct {
	env      *environment.Environment
	config   aws.Config
	resolver *resolve.Resolver
	services *ecsservice.Client
	deployer *ecsdeploy.Deployer
	rollouts *rollout.Client
	teller   *teller // nil where a person is told directly
	redrives bool    // events that are kept already
	now      func() time.Time

	reconcileDenied atomic.Bool // said once, and then left alone until the next cold start
}

// New returns the pipeline of an environment, which calls AWS with the
// credentials of config in the environment's own region. It is a person's: what
// becomes of a request is in the answer, and told to nobody else.
func New(env *environment.Environment, config aws.Config) *Pipeline {
	config.Region = env.Region
	services := ecsservice.New(config)
	return &Pipeline{env: env, config: config, resolver: resolve.New(config), now: time.Now,
		services: services, deployer: ecsdeploy.New(services), rollouts: rollout.New(services)}
}

// NewFunction is [New] for the function of the environment, which makes known
// what becomes of every event: on the bus, to those whom the environment file
// names, and as metrics in the log.
func NewFunction(env *environment.Environment, config aws.Config, log io.Writer) *Pipeline {
	p := New(env, config)
	p.teller = newTeller(env, p.config, log)
	return p
}

// NewRedrive is [New] for events that a person runs once more: what becomes of
// rollouts is made known as the function does. What becomes of a request is in
// the answer alone, for a rejection is how some of them got into the queue.
func NewRedrive(env *environment.Environment, config aws.Config) *Pipeline {
	p := NewFunction(env, config, io.Discard)
	p.redrives = true
	return p
}

// Handle carries out one raw EventBridge event, as the function of the
// environment. Its error is a [fault.Misconfiguration] or a [fault.Outage],
// after which Lambda retries the event and in the end keeps it; whatever cannot
// be mended by a retry is a [Result]. It logs one line for every decision.
func (p *Pipeline) Handle(ctx context.Context, raw json.RawMessage) (Result, error) {
	return p.handle(ctx, raw, false)
}

func (p *Pipeline) handle(ctx context.Context, raw json.RawMessage, dryRun bool) (Result, error) {
	ctx, cancel := leave(ctx, answerTime)
	defer cancel()
	env, err := p.environment(ctx)
	if err != nil {
		slog.ErrorContext(ctx, "settling the account", "error", err.Error(), "error_type", fault.NameOf(err))
		return Result{}, err
	}
	reading := event.Read(raw, env, p.now())
	result := Result{EventID: reading.ID, Reason: reading.Reason, Deployments: []ecsdeploy.Deployment{}}
	switch reading.Verdict {
	case event.Ignored:
		result.Status = ecsdeploy.Ignored
		slog.InfoContext(ctx, "event ignored", "event_id", reading.ID, "reason", reading.Reason)
		p.teller.ignored()
		return result, nil
	case event.Rejected:
		result.Status = ecsdeploy.Rejected
		slog.ErrorContext(ctx, "event rejected", "event_id", reading.ID, "reason", reading.Reason, "event", excerpt(raw))
		return result, p.tellRejection(ctx, env, reading, raw)
	case event.Followed, event.Due:
		switch {
		case dryRun:
			result.Status = ecsdeploy.Ignored
			return result, nil
		case reading.Verdict == event.Followed:
			return p.follow(ctx, env, reading)
		}
		return p.reconcile(ctx, env, reading.ID)
	}
	for i := range reading.Requests {
		reading.Requests[i].DryRun = reading.Requests[i].DryRun || dryRun
	}
	return p.run(ctx, env, result, raw, reading.Requests)
}

// Preview says what Handle would do with an event, and changes nothing.
func (p *Pipeline) Preview(ctx context.Context, raw json.RawMessage) (Result, error) {
	return p.handle(ctx, raw, true)
}

// Deploy carries out one request, as a person with the credentials of the
// pipeline's config.
func (p *Pipeline) Deploy(ctx context.Context, request event.Request) (Result, error) {
	env, err := p.environment(ctx)
	if err != nil {
		return Result{}, err
	}
	return p.run(ctx, env, Result{EventID: request.Cause.ID}, nil, []event.Request{request})
}

// run carries out the requests of one event, raw, at the same time. Where some fail,
// the others are done all the same: a retry finds them unchanged.
func (p *Pipeline) run(ctx context.Context, env *environment.Environment, result Result, raw json.RawMessage, requests []event.Request) (Result, error) {
	result.Deployments = make([]ecsdeploy.Deployment, len(requests))
	errs := make([]error, len(requests))
	working, cancel := p.leaveToTell(ctx)
	defer cancel()
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() {
			result.Deployments[i], errs[i] = p.deploy(working, env, request)
			report(ctx, request, result.Deployments[i], errs[i])
		})
	}
	all.Wait()
	told := p.tellResults(ctx, env, raw, requests, result.Deployments, errs)
	if err := errors.Join(append(errs, told)...); err != nil {
		return Result{}, err
	}
	result.summarize()
	return result, nil
}

// deploy carries out one request. A rejection is an answer, not an error.
func (p *Pipeline) deploy(ctx context.Context, env *environment.Environment, request event.Request) (ecsdeploy.Deployment, error) {
	if answer, ok := NotYet(request); ok {
		return answer, nil
	}
	find, done, err := p.finder(ctx, env, &request)
	if done != nil {
		return *done, nil
	}
	var image image.Reference
	var state *ecsdeploy.State
	if err == nil {
		image, state, err = p.read(ctx, env, request, find)
	}
	if fault.IsRejected(err) {
		return ecsdeploy.Deployment{Service: request.Workload.Name, Status: ecsdeploy.Rejected, Tag: request.Tag, Reason: err.Error()}, nil
	}
	if err != nil {
		return ecsdeploy.Deployment{}, err
	}
	if request.Cause.Source == ReconcileSource { // with every schedule it would be moved there, and back, once more
		back, err := p.deployer.WasRolledBackFrom(ctx, state, image)
		if back || err != nil {
			return ecsdeploy.Deployment{Service: request.Workload.Name, Status: ecsdeploy.Ignored, Tag: request.Tag, Digest: image.Digest,
				Reason: "the push was not lost: the service was moved back from the image"}, err
		}
	}
	order := ecsdeploy.Order{
		Cause: request.Cause, Image: image, Form: env.ImageForm, Force: request.Force, Push: request.Push, Restores: request.Restores,
	}
	if request.DryRun {
		return p.deployer.Plan(ctx, state, order)
	}
	d, err := p.deployer.Deploy(ctx, state, order)
	if err == nil && d.Status == ecsdeploy.Superseded && p.teller != nil && !p.redrives {
		d.EventSeen, err = p.deployer.EventSeen(ctx, state, order.Cause.ID, order.Cause.Time)
	}
	return d, err
}

// read asks ECR for the image and ECS for the service at the same time. Of two
// faults the sender's own comes first: a retry would not mend it.
func (p *Pipeline) read(ctx context.Context, env *environment.Environment, request event.Request, find finder) (ref image.Reference, state *ecsdeploy.State, err error) {
	var imageErr, stateErr error
	var both sync.WaitGroup
	both.Go(func() { ref, imageErr = find(ctx) })
	both.Go(func() { state, stateErr = p.deployer.Read(ctx, ecsservice.TargetOf(env, request.Workload)) })
	both.Wait()
	switch {
	case fault.IsRejected(imageErr), stateErr == nil:
		return ref, state, imageErr
	case imageErr == nil:
		return ref, state, stateErr
	}
	return ref, state, errors.Join(stateErr, imageErr)
}

// NotYet answers a request that the deployer reads but cannot carry out, for a
// task, and reports whether it is one. A person who asks is told; a push is no
// fault of anybody's.
func NotYet(request event.Request) (ecsdeploy.Deployment, bool) {
	w := request.Workload
	d := ecsdeploy.Deployment{Service: w.Name, Status: ecsdeploy.Rejected, Tag: request.Tag,
		Reason: string(w.Kind) + " " + w.Name + " is not a service: deploying tasks is not supported yet"}
	if request.Push {
		d.Status = ecsdeploy.Ignored
	}
	return d, w.ECSService == ""
}

// leaveToTell returns ctx with a deadline that leaves time to tell of what could
// not be done until then; on a short invocation it is a quarter of its time.
func (p *Pipeline) leaveToTell(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if p.teller == nil || !ok {
		return context.WithCancel(ctx)
	}
	return leave(ctx, min(tellTime, time.Until(end)/4))
}

// leave returns ctx with a deadline that is earlier by the given time.
func leave(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-by))
	}
	return context.WithCancel(ctx)
}
