package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
)

// isTogether reports whether requests are those of an event that deploys all of its
// workloads or none.
func isTogether(requests []event.Request) bool { return len(requests) > 0 && requests[0].Together }

// together deploys the workloads of one event together: each image and each service is read
// and checked before anything is registered. If one of them cannot be deployed, none is, and
// all faults are reported. After that, each is deployed by itself, and has its own result.
type together struct {
	pipeline *Pipeline
	env      *environment.Environment
	partly   bool // some of the event's workloads were handled before
	all      []*prepared
}

// deploy carries out requests, and fills in the result or the error of each.
func (t *together) deploy(ctx context.Context, requests []event.Request, results []ecsdeploy.Deployment,
	errs []error) {
	t.all = make([]*prepared, len(requests))
	contexts, read := make([]context.Context, len(requests)), make([]time.Time, len(requests))
	each(requests, func(i int, request event.Request) {
		contexts[i], _ = fault.CountWaits(ctx) // what was read before a long wait is read again
		t.all[i] = t.pipeline.prepare(contexts[i], t.env, request)
		t.all[i].check(contexts[i], t.pipeline.deployer)
		read[i] = time.Now()
	})
	t.limit()
	t.holdBack(ctx)
	each(requests, func(i int, request event.Request) {
		one := t.all[i]
		results[i], errs[i] = one.result, one.err
		if one.ready {
			_, waits := fault.CountWaits(contexts[i])
			waits.Add(time.Since(read[i])) // for the slowest of the others
			results[i], errs[i] = t.pipeline.carryOut(contexts[i], t.env, one)
		}
		logDeployment(ctx, request, results[i], errs[i])
	})
}

// check checks what can be known of a request before anything is registered.
func (one *prepared) check(ctx context.Context, deployer *ecsdeploy.Deployer) {
	if !one.ready {
		return
	}
	err := one.state.Check(one.order)
	if err == nil {
		err = deployer.CheckRoles(ctx, one.state, one.order)
	}
	if err != nil {
		d, err := rejection(one.request, err)
		*one = *one.ended(d, err)
	}
}

func (one *prepared) isRejected() bool {
	return one.err == nil && one.result.Status == ecsdeploy.Rejected
}
func (one *prepared) isWaiting() bool {
	return one.err == nil && one.result.Status == ecsdeploy.Waiting
}
func (one *prepared) isSkipped() bool {
	return one.err == nil && one.request.Optional && one.result.Status == ecsdeploy.Ignored
}

// limit rejects an event for all workloads whose repository has the tag, if there is none,
// or if there are too many.
func (t *together) limit() {
	var have []*prepared
	var none []string
	for _, one := range t.all {
		if one.isSkipped() {
			none = append(none, one.request.Workload.Repository)
		} else {
			have = append(have, one)
		}
	}
	tag, redeploys := t.all[0].request.Tag, t.all[0].request.Redeploy
	slices.Sort(none)
	switch {
	case !t.all[0].request.Optional || t.partly:
	case len(have) == 0 && redeploys:
		t.rejectAll("no service and no task runs an image from ECR")
	case len(have) == 0:
		t.rejectAll(fmt.Sprintf("no repository has the tag %q: %s", tag, strings.Join(slices.Compact(none), ", ")))
	case len(have) > event.MaxServices:
		t.rejectAll(fmt.Sprintf("the repositories of %d workloads have the tag %q, and one event deploys at most %d: "+
			`name them in "services", in several events`, len(have), tag, event.MaxServices))
	}
}

// rejectAll rejects all requests for one reason, which is that of the event.
func (t *together) rejectAll(reason string) {
	for i, one := range t.all {
		d := rejected(one.request, reason)
		d.HeldBack = i > 0
		*one = *one.ended(d, nil)
	}
}

// holdBack holds every request back if one of them cannot be deployed. If an earlier delivery
// has begun, it found all of them right: then each ends by itself, and what was done is done.
func (t *together) holdBack(ctx context.Context) {
	is := func(f func(*prepared) bool) bool { return slices.ContainsFunc(t.all, f) }
	anyRejected, anyWaiting := is((*prepared).isRejected), is((*prepared).isWaiting) && !t.all[0].request.Optional
	anyFailed := is(func(one *prepared) bool { return one.err != nil })
	if !anyRejected && !anyFailed && !anyWaiting {
		return
	}
	begun, err := t.begun(ctx)
	if begun && err == nil {
		return
	}
	if err != nil { // whether it has begun is not known
		for _, one := range t.all {
			*one = *one.ended(ecsdeploy.Deployment{}, err)
		}
		return
	}
	all := t.wholeRule()
	why := t.faulty()
	for _, one := range t.all {
		name := one.request.Workload.Label()
		d := ecsdeploy.Deployment{Service: name, Status: ecsdeploy.Rejected, Tag: one.request.Tag, HeldBack: true}
		switch {
		case one.isSkipped(), one.isRejected(), anyFailed && !anyRejected && one.err != nil:
			continue
		case anyRejected && one.err != nil:
			d.Reason, d.HeldBack = faults(one.err), false
		case anyRejected:
			d.Reason = "not deployed: " + all + ", and " + why + " cannot be deployed"
		case anyFailed:
			*one = *one.ended(ecsdeploy.Deployment{HeldBack: true}, fmt.Errorf("%s is not deployed: %s, and %s failed",
				name, all, why))
			continue
		case one.isWaiting():
			continue
		default:
			d.Status, d.Reason = ecsdeploy.Waiting, "waiting for the image of "+why+": "+all
		}
		*one = *one.ended(d, nil)
	}
}

// wholeRule returns the rule that the event's workloads are deployed together, for people.
func (t *together) wholeRule() string {
	what, services, tasks := "services and tasks", 0, 0
	for _, one := range t.all {
		if one.request.Workload.HasService() {
			services++
		} else {
			tasks++
		}
	}
	switch {
	case tasks == 0:
		what = "services"
	case services == 0:
		what = "tasks"
	}
	return "the event deploys all of its " + what + " or none"
}

// faulty returns the names of the workloads that hold the others back.
func (t *together) faulty() string {
	var names []string
	for _, one := range t.all {
		if one.isRejected() && !one.result.HeldBack || one.err != nil || one.isWaiting() {
			names = append(names, one.request.Workload.Label())
		}
	}
	return strings.Join(names, ", ")
}

// begun reports whether an earlier delivery of the event has begun to deploy. Then what it
// has done for a workload that cannot be deployed any more is that workload's result.
func (t *together) begun(ctx context.Context) (begun bool, err error) {
	begun = t.partly
	for _, one := range t.all {
		if one.state == nil {
			begun = begun || one.err == nil && one.result.Status == ecsdeploy.Unchanged // a rollback was carried out
			continue
		}
		cause := one.request.Cause
		done, err := t.pipeline.deployer.Begun(ctx, one.state, cause.ID, cause.Time)
		if err != nil {
			return false, err
		}
		if done && one.isRejected() {
			d := ecsdeploy.Deployment{Service: one.request.Workload.Label(), Status: ecsdeploy.Unchanged,
				Tag: one.request.Tag, Reason: "this event was carried out before"}
			*one = *one.ended(d, nil)
		}
		begun = begun || done
	}
	return begun, nil
}

// skipped returns the result of a request for a workload that the event does not name, and
// whether it is not meant: its repository has no image with the tag; or it is to be
// redeployed, and runs no image from ECR.
func skipped(request event.Request, err error) (ecsdeploy.Deployment, bool) {
	w, outside := request.Workload, errors.Is(err, fault.ErrImageOutsideECR)
	missing := errors.Is(err, fault.ErrImageNotFound) || errors.Is(err, fault.ErrRepositoryNotFound)
	d := ecsdeploy.Deployment{Service: w.Label(), Status: ecsdeploy.Ignored, Tag: request.Tag}
	switch {
	case !request.Optional:
	case request.Redeploy && outside:
		d.Reason = faults(err)
		return d, true
	case !request.Redeploy && missing:
		d.Reason = fmt.Sprintf("repository %q has no tag %q", w.Repository, request.Tag)
		return d, true
	}
	return ecsdeploy.Deployment{}, false
}

// faults returns the text of all faults in err, on one line.
func faults(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
