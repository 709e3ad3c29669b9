package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/resolve"
)

// run carries out the requests of one event at the same time. If one fails, the
// others are still carried out: a retry of the event finds them unchanged. Those that
// wait for their image are tried again later.
func (p *Pipeline) run(ctx context.Context, env *environment.Environment, result Result, d delivery,
	requests []event.Request) (Result, error) {
	result.Deployments = make([]ecsdeploy.Deployment, len(requests))
	errs := make([]error, len(requests))
	working, cancel := p.withNotifyReserve(ctx)
	defer cancel()
	p = p.grouping(env, requests)
	if isTogether(requests) {
		t := together{pipeline: p, env: env, partly: d.partly}
		t.deploy(working, requests, result.Deployments, errs)
	} else {
		each(requests, func(i int, request event.Request) {
			result.Deployments[i], errs[i] = p.deploy(working, env, request)
			logDeployment(ctx, request, result.Deployments[i], errs[i])
		})
	}
	published := p.publishResults(ctx, env, d.raw, requests, result.Deployments, errs)
	for i, one := range result.Deployments {
		if one.HeldBack {
			errs[i] = nil // the others say why
		}
	}
	errs = append(errs, published, p.reportTasks(ctx, env, result.Deployments))
	errs = append(errs, p.scheduleRetry(ctx, env, d, requests, result.Deployments))
	if err := errors.Join(errs...); err != nil {
		if isTogether(requests) { // the command line shows what was done
			return result, err
		}
		return Result{}, err
	}
	result.summarize()
	return result, nil
}

// grouping returns the pipeline, which reads the services of the requests together.
func (p *Pipeline) grouping(env *environment.Environment, requests []event.Request) *Pipeline {
	var targets []ecsservice.Target
	for _, request := range requests {
		if _, ok := request.Workload.Pointer.(environment.ECSService); ok {
			targets = append(targets, ecsservice.TargetOf(env, request.Workload))
		}
	}
	with := *p
	with.group = p.services.Group(targets)
	return &with
}

// each calls f for each request, all at the same time.
func each(requests []event.Request, f func(int, event.Request)) {
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() { f(i, request) })
	}
	all.Wait()
}

// deploy carries out one request. A rejection is a result, not an error.
func (p *Pipeline) deploy(ctx context.Context, env *environment.Environment, request event.Request) (
	ecsdeploy.Deployment, error) {
	ctx, _ = fault.CountWaits(ctx) // what was read before a long wait is read again
	one := p.prepare(ctx, env, request)
	if !one.ready {
		return one.result, one.err
	}
	return p.carryOut(ctx, env, one)
}

// prepared is a request for which everything was read.
type prepared struct {
	request   event.Request
	state     *ecsdeploy.State // nil if it could not be read
	order     ecsdeploy.Order
	unchecked string // what could not be checked, for the result's reason

	ready  bool                 // it can be carried out; else it has ended, with:
	result ecsdeploy.Deployment // the result
	err    error                // or an error, if a retry may end otherwise
}

// ended returns the request with the result or the error that it has ended with.
func (one prepared) ended(result ecsdeploy.Deployment, err error) *prepared {
	one.ready, one.result, one.err = false, result, err
	return &one
}

// prepare reads what a request needs, and checks it. It changes nothing.
func (p *Pipeline) prepare(ctx context.Context, env *environment.Environment, request event.Request) *prepared {
	one := prepared{request: request}
	lookup, done, err := p.lookupFor(ctx, env, &request)
	one.request = request // a rollback and a redeployment have their image now
	if done != nil {
		return one.ended(*done, nil)
	}
	var ref resolve.Image
	if err == nil {
		ref, one.state, err = p.read(ctx, env, request, lookup)
	}
	if waits, ok := waitingResult(request, err); ok {
		return one.ended(waits, nil)
	}
	if d, ok := skipped(request, err); ok {
		return one.ended(d, nil)
	}
	if err != nil {
		return one.ended(rejection(request, err))
	}
	if request.Cause.Source == event.ReconcileSource {
		// Without this check every search would deploy the image that ECS or a
		// person rolled back.
		back, err := p.deployer.WasRolledBackFrom(ctx, one.state, ref.Reference)
		if back || err != nil {
			return one.ended(ecsdeploy.Deployment{
				Service: request.Workload.Label(), Status: ecsdeploy.Ignored, Tag: request.Tag, Digest: ref.Digest,
				Reason: "the push was not lost: the service was rolled back from the image",
			}, err)
		}
	}
	one.order = ecsdeploy.Order{
		Image: ref.Reference, Manifest: ref.Manifest, Form: env.ImageForm, Force: request.Force,
		Unattended: request.Push || event.IsChange(request.Cause.Source),
		Cause:      request.Cause, Restores: request.Restores, Redeploy: request.Redeploy,
		// A push never rolls out what the infrastructure registered, and neither does a rollback.
		Configuration: !request.Push && !request.Rollback && request.Cause.Source != event.ReconcileSource,
	}
	one.order.Principal, one.order.Request = p.principal(ctx, env, request.Cause)
	if one.state.NeedsPlatform(one.order) {
		var why error
		one.order.Manifest, why = p.resolver.Platform(ctx, request.Workload, ref)
		if why != nil {
			one.unchecked = "; the image's platform was not checked: " + why.Error()
		}
	}
	one.unchecked += one.state.PlatformNote(one.order)
	one.ready = true
	return &one
}

// carryOut carries out a request that was prepared.
func (p *Pipeline) carryOut(ctx context.Context, env *environment.Environment, one *prepared) (
	d ecsdeploy.Deployment, err error) {
	request, state, order := one.request, one.state, one.order
	if p.actor != nil {
		if order.Cause.Actor, err = p.actor(); err != nil {
			return d, err
		}
		// A command is the newest choice, even if its clock is behind that of ECS.
		if newest := state.NewestChoice(); !order.Cause.Time.After(newest) {
			order.Cause.Time = newest.Truncate(time.Second).Add(time.Second)
		}
		order.Principal = journal.Principal("arn:aws:iam::" + env.AccountID + ":" + order.Cause.Actor)
	}
	if request.DryRun {
		d, err = p.deployer.Plan(ctx, state, order)
	} else {
		d, err = p.deployer.Deploy(ctx, state, order)
	}
	if err != nil {
		return rejection(request, err)
	}
	if d.Status == ecsdeploy.Deployed || d.Status == ecsdeploy.Planned {
		d.Reason += one.unchecked
	}
	if d.Status == ecsdeploy.Superseded && !request.DryRun && p.publishesResults {
		d.EventSeen, err = p.deployer.EventSeen(ctx, state, order.Cause.ID, order.Cause.Time)
	}
	return d, err
}

// rejection returns the result of a request that was rejected; any other error stays
// an error. What the search for lost pushes finds is ignored if it cannot run: no
// sender asked for it, and each search would find it again.
func rejection(request event.Request, err error) (ecsdeploy.Deployment, error) {
	if !fault.IsRejected(err) {
		return ecsdeploy.Deployment{}, err
	}
	d := rejected(request, rejectionText(err))
	if request.Together {
		d.Reason = faults(err)
	}
	cannotRun := errors.Is(err, fault.ErrNotImage) || errors.Is(err, fault.ErrPlatform)
	if cannotRun && request.Cause.Source == event.ReconcileSource || changeCannotRun(request, err) {
		d.Status = ecsdeploy.Ignored
	}
	return d, nil
}

// rejected returns the result of a request that was rejected for a reason.
func rejected(request event.Request, reason string) ecsdeploy.Deployment {
	return ecsdeploy.Deployment{Service: request.Workload.Label(), Status: ecsdeploy.Rejected, Tag: request.Tag,
		Reason: reason}
}

// rejectionText returns the text of the rejection that err wraps.
func rejectionText(err error) string {
	var rejection *fault.Rejection
	errors.As(err, &rejection)
	return rejection.Error()
}

// read asks ECR for the image and ECS for the service at the same time. If both
// fail, a rejection comes first: a retry would not change it.
func (p *Pipeline) read(ctx context.Context, env *environment.Environment, request event.Request, lookup imageLookup) (
	ref resolve.Image, state *ecsdeploy.State, err error) {
	var imageErr, stateErr error
	var both sync.WaitGroup
	both.Go(func() { ref, imageErr = lookup(ctx) })
	both.Go(func() { state, stateErr = p.deployer.ReadIn(ctx, p.group, ecsservice.TargetOf(env, request.Workload)) })
	both.Wait()
	switch {
	case request.Together && fault.IsRejected(imageErr) && stateErr != nil: // every fault is named
		return ref, state, errors.Join(imageErr, stateErr)
	case fault.IsRejected(imageErr), stateErr == nil:
		return ref, state, imageErr
	case imageErr == nil:
		return ref, state, stateErr
	}
	return ref, state, errors.Join(stateErr, imageErr)
}
