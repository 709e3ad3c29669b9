package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"deployer/internal/bus"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// checkTags checks that ECR has the images, if the credentials have access to ECR.
// Sending does not require that: the function looks the images up again. It returns the
// workloads that the event deploys, and whether the function will wait for an image.
func (a *app) checkTags(ctx context.Context, s *sender, c chosen, tag string) (found []environment.Workload, waits bool,
	err error) {
	resolver := resolve.New(s.config)
	errs := make([]error, len(c.workloads))
	var all sync.WaitGroup
	for i, w := range c.workloads {
		all.Go(func() { _, errs[i] = resolver.Resolve(ctx, s.env, w, tag) })
	}
	all.Wait()
	var faults []error
	denied, skipped := false, false
	for i, w := range c.workloads {
		missing := errors.Is(errs[i], fault.ErrImageNotFound) || errors.Is(errs[i], fault.ErrRepositoryNotFound)
		switch {
		case missing && s.env.IsReplicated(w):
			waits = true
		case errors.Is(errs[i], fault.ErrAccessDenied):
			denied = true
		case missing && c.all:
			skipped = true
			continue
		case errs[i] != nil:
			faults = append(faults, a.withTags(ctx, s.config, s.env, w, tag, errs[i]))
			continue
		}
		found = append(found, w)
	}
	switch {
	case len(faults) > 0:
		return nil, false, errors.Join(faults...)
	case len(found) == 0:
		return nil, false, fault.Rejected(fault.ErrImageNotFound, "", fmt.Errorf("no repository of %s has the tag %q",
			s.env.File, tag), "")
	case waits:
		a.note("ECR does not have the image yet; the function waits for it until %.0f minutes after the event",
			environment.ReplicationTime.Minutes())
	}
	if denied {
		a.note("whether the tag exists was not checked: these credentials have no access to ECR")
	}
	if skipped {
		a.note("the event deploys %s; the other repositories do not have the tag", chosen{workloads: found}.list())
	}
	return found, waits, nil
}

// sendAndFollow sends an event and follows the deployments that it causes, which have to
// start within a time. The calls before the event is sent are limited by the second
// context. What becomes of the event is added to the result.
func (a *app) sendAndFollow(ctx, limited context.Context, s *sender, workloads []environment.Workload, entry bus.Entry,
	timeout time.Duration, result *sentEvent) error {
	if s.caller.AccountID != s.env.AccountID {
		args := slices.DeleteFunc(slices.Clone(a.args), func(arg string) bool { return arg == "--follow" })
		return hinted(commandLine(args...),
			"--follow needs credentials of the environment's account %s, but these belong to %s",
			s.env.AccountID, s.caller)
	}
	rollouts := s.rollouts()
	all, latest := make([]awaited, len(workloads)), time.Time{}
	for i, w := range workloads {
		newest, last, err := rollouts.Newest(limited, ecsservice.TargetOf(s.env, w))
		if err != nil {
			return err
		}
		all[i] = awaited{target: ecsservice.TargetOf(s.env, w), newest: newest}
		if last.After(latest) {
			latest = last
		}
	}
	// EventBridge gives events their time in whole seconds, and of two events in
	// one second the deployer obeys the first.
	nextSecond := time.Until(latest.Truncate(time.Second).Add(time.Second))
	if err := fault.Wait(limited, min(nextSecond, time.Second)); err != nil {
		return err
	}
	ids, err := s.bus.Put(limited, entry)
	if err != nil {
		return err
	}
	result.EventID = ids[0]
	if !s.asJSON {
		fmt.Fprintln(a.out, ids[0])
	}
	result.Rollouts = make([]rolloutEnd, len(all))
	err = a.atOnce(len(all), func(a *app, i int) error {
		revision, moved, err := a.awaitAndFollow(ctx, s, rollouts, all[i], ids[0], timeout)
		result.Rollouts[i] = rolloutEndOf(followed{all[i].target, revision}, err)
		if err == nil && !moved {
			result.Rollouts[i].Status = unchanged
		}
		return err
	})
	result.Status, result.Reason = worstOf(result.Rollouts, "the service runs the image")
	return err
}

// awaited is a service whose deployment for an event is awaited.
type awaited struct {
	target ecsservice.Target
	newest int // the family's newest revision before the event
}

// awaitAndFollow waits until an event's deployment of one service has started, and follows it.
// It returns the revision, "" if none is known, and whether the service was moved to it.
func (a *app) awaitAndFollow(ctx context.Context, s *sender, rollouts *rollout.Client, one awaited, id string,
	timeout time.Duration) (revision string, moved bool, err error) {
	d, begin := deployed{EventID: id, Status: unknown, Tag: s.tag}, time.Now()
	defer func() {
		d.Duration = time.Since(begin)
		s.report.add(ctx, &s.session, d, one.target, revision, err)
	}()
	notStarted := &notEnded{fmt.Errorf("no deployment of %s started in %s; the function's log says why",
		one.target.Workload, shortDuration(timeout))}
	waiting, cancel := context.WithTimeoutCause(ctx, timeout, notStarted)
	defer cancel()
	waiting, stop := context.WithCancelCause(waiting)
	var log decisionLog
	var watching sync.WaitGroup
	watching.Go(func() {
		a.watchDecision(waiting, &s.session, id, one.target.Workload, begin.Add(-time.Minute), &log, stop)
	})
	watching.Go(func() {
		quiet := min(quietTime, timeout/2)
		if fault.Wait(waiting, quiet) == nil && !log.arrived.Load() && s.silent.CompareAndSwap(false, true) {
			s.causes.Store(a.noteSilence(waiting, &s.session, !log.unreadable.Load(), quiet, timeout-quiet))
		}
	})
	a.note("%s: waiting for the function", one.target.Workload)
	revision, moved, err = rollouts.Await(waiting, one.target, id, one.newest)
	cause := context.Cause(waiting)
	stop(nil)
	watching.Wait()
	var decision *decided
	switch {
	case err == nil:
	case errors.As(cause, &decision):
		d.Status = cmp.Or(decision.final(), unknown)
		return "", false, cause
	case errors.Is(err, notStarted) && !log.unreadable.Load() && !log.arrived.Load():
		limited, cancel := withTimeout(ctx)
		defer cancel()
		if why, _ := undelivered(limited, &s.session, deployRule); why == s.causes.Load() {
			return "", false, &notEnded{fmt.Errorf("after %s the function's log has nothing of event %q: what to "+
				"check is above", timeout, id)}
		}
		return "", false, &notEnded{neverArrived(limited, &s.session, id, deployRule)}
	case errors.Is(err, notStarted):
		return "", false, hinted(s.env.Command("events", id), "%w", err)
	case ctx.Err() != nil:
		return "", false, &notEnded{hinted(s.env.Command("events", id), "interrupted: the event was "+
			"sent, and the function goes on")}
	}
	if err != nil {
		return "", false, err
	}
	d.Status, d.Result = started, string(journal.Succeeded)
	if !moved {
		d.Status, d.Result = unchanged, ""
		a.note("%s runs this image already: revision %d is only a record of the event", one.target.Workload,
			ecsservice.NumberOf(revision))
		return revision, false, nil
	}
	return revision, true, a.follow(ctx, &s.session, one.target, revision)
}
