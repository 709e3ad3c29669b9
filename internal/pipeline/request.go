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
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() {
			result.Deployments[i], errs[i] = p.deploy(working, env, request)
			logDeployment(ctx, request, result.Deployments[i], errs[i])
		})
	}
	all.Wait()
	errs = append(errs, p.publishResults(ctx, env, d.raw, requests, result.Deployments, errs))
	errs = append(errs, p.scheduleRetry(ctx, env, d, requests, result.Deployments))
	if err := errors.Join(errs...); err != nil {
		return Result{}, err
	}
	result.summarize()
	return result, nil
}

// deploy carries out one request. A rejection is a result, not an error.
func (p *Pipeline) deploy(ctx context.Context, env *environment.Environment, request event.Request) (
	ecsdeploy.Deployment, error) {
	d, unsupported := Unsupported(request)
	if unsupported {
		return d, nil
	}
	ctx, _ = fault.CountWaits(ctx) // what was read before a long wait is read again
	lookup, done, err := p.imageLookup(ctx, env, &request)
	if done != nil {
		return *done, nil
	}
	var ref resolve.Image
	var state *ecsdeploy.State
	if err == nil {
		ref, state, err = p.read(ctx, env, request, lookup)
	}
	if waits, ok := waitingResult(request, err); ok {
		return waits, nil
	}
	if err != nil {
		return rejection(request, err)
	}
	if request.Cause.Source == event.ReconcileSource {
		// Without this check every search would deploy the image that ECS or a
		// person rolled back.
		back, err := p.deployer.WasRolledBackFrom(ctx, state, ref.Reference)
		if back || err != nil {
			return ecsdeploy.Deployment{
				Service: request.Workload.Name, Status: ecsdeploy.Ignored, Tag: request.Tag, Digest: ref.Digest,
				Reason: "the push was not lost: the service was rolled back from the image",
			}, err
		}
	}
	order := ecsdeploy.Order{
		Image: ref.Reference, Manifest: ref.Manifest, Form: env.ImageForm, Force: request.Force, Push: request.Push,
		Cause: request.Cause, Restores: request.Restores, Redeploy: request.Redeploy,
		// A push never rolls out what the infrastructure registered, and neither does a rollback.
		Configuration: !request.Push && !request.Rollback && request.Cause.Source != event.ReconcileSource,
	}
	order.Principal, order.Request = p.principal(ctx, env, order.Cause)
	unchecked := ""
	if state.NeedsPlatform(order) {
		var why error
		if order.Manifest, why = p.resolver.Platform(ctx, request.Workload, ref); why != nil {
			unchecked = "; the image's platform was not checked: " + why.Error()
		}
	}
	if p.actor != nil {
		if order.Cause.Actor, err = p.actor(); err != nil {
			return d, err
		}
		// A command is the newest choice, even if its clock is behind that of ECS.
		if newest := state.NewestRollout(); !order.Cause.Time.After(newest) {
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
		d.Reason += unchecked
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
	d := ecsdeploy.Deployment{
		Service: request.Workload.Name, Status: ecsdeploy.Rejected, Tag: request.Tag, Reason: rejectionText(err),
	}
	cannotRun := errors.Is(err, fault.ErrNotImage) || errors.Is(err, fault.ErrPlatform)
	if cannotRun && request.Cause.Source == event.ReconcileSource {
		d.Status = ecsdeploy.Ignored
	}
	return d, nil
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

// Unsupported reports whether a request is for a task, which the deployer does not
// support yet, and returns its result. A DEPLOY event is rejected; a push, which
// ECR sends for every image, is ignored.
func Unsupported(request event.Request) (ecsdeploy.Deployment, bool) {
	w := request.Workload
	d := ecsdeploy.Deployment{Service: w.Name, Status: ecsdeploy.Rejected, Tag: request.Tag,
		Reason: string(w.Kind) + " " + w.Name + " is not a service: deploying tasks is not supported yet"}
	if request.Push {
		d.Status = ecsdeploy.Ignored
	}
	return d, !w.Deployable()
}
