package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/resolve"
	"deployer/internal/retry"
)

// scheduler is what the pipeline needs of [retry.Scheduler].
type scheduler interface {
	Schedule(ctx context.Context, m retry.Message, deadLetters string) error
}

// delivery is an event as the function got it.
type delivery struct {
	raw      json.RawMessage // nil if no event asked
	services []string        // that still wait, if it was to be handled again
	partly   bool            // some of the event's requests were handled before
}

// unwrap returns the delivery of what the function was invoked with: an event, or a
// message that holds one which has waited. A message that is not for this function is
// an error, so that Lambda keeps it in the failure queue.
func unwrap(ctx context.Context, env *environment.Environment, raw json.RawMessage) (delivery, error) {
	m, waited, err := retry.Parse(raw, functionARN(ctx, env))
	switch {
	case err != nil:
		err = fault.Misconfigured(fault.ErrUnexpectedMessage, "reading an event that has waited", err,
			"only the function makes such messages; run the event again, if it is known: "+env.Command("redrive"))
		slog.ErrorContext(ctx, "message refused", "error", err.Error(), "message", excerpt(raw))
		return delivery{}, err
	case waited:
		return delivery{raw: m.Event, services: m.Services}, nil
	}
	return delivery{raw: raw}, nil
}

// waiting returns the requests of workloads that still wait.
func (d *delivery) waiting(requests []event.Request) []event.Request {
	if d.services == nil {
		return requests
	}
	all := len(requests)
	requests = slices.DeleteFunc(requests, func(r event.Request) bool {
		return !slices.Contains(d.services, r.Workload.Label())
	})
	d.partly = len(requests) < all
	return requests
}

// tries are the minutes after an event's time at which it is tried again. At the last
// one an image that is still missing is rejected. They are fixed, so that duplicates of
// an event come to the same times.
var tries = []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, int(environment.ReplicationTime / time.Minute), 31}

// minLead is how long before a try its schedule is made at the latest. EventBridge
// Scheduler does not document what becomes of a schedule whose time has passed.
const minLead = 15 * time.Second

// nextTry returns when an event with a time is tried again.
func nextTry(at, now time.Time) time.Time {
	for _, minutes := range tries {
		if try := at.Add(time.Duration(minutes) * time.Minute); try.Sub(now) >= minLead {
			return try
		}
	}
	return now.Add(time.Minute)
}

// notReplicated is the error of a lookup whose image ECR may still replicate.
type notReplicated struct {
	missing error
	until   time.Time // when it is rejected
}

// Error leaves out the next step of the cause, which is to push the image.
func (n *notReplicated) Error() string {
	what := n.missing.Error()
	var parts interface{ Parts() (what, hint string) }
	if errors.As(n.missing, &parts) {
		what, _ = parts.Parts()
	}
	return "waiting for the image to be replicated, until " + n.until.UTC().Format(time.RFC3339) + ": " + what
}

// awaitReplica returns a lookup that expects a replicated image. Until
// [environment.ReplicationTime] has passed since the event, an image or a repository
// that ECR does not have is the error [notReplicated]: ECR creates the repository of a
// copy too. Later, the error is that of any other request.
func (p *Pipeline) awaitReplica(request event.Request, lookup imageLookup) imageLookup {
	return func(ctx context.Context) (resolve.Image, error) {
		found, err := lookup(ctx)
		if !errors.Is(err, fault.ErrImageNotFound) && !errors.Is(err, fault.ErrRepositoryNotFound) {
			return found, err
		}
		until := request.Cause.Time.Add(environment.ReplicationTime)
		if p.now().Before(until) {
			return found, &notReplicated{err, until}
		}
		return found, notInTime(err)
	}
}

// notInTime adds to a rejection that the image was waited for.
func notInTime(err error) error {
	var missing *fault.Rejection
	if !errors.As(err, &missing) {
		return err
	}
	return fault.Rejected(missing.Name, missing.Doing, fmt.Errorf("%w; ECR has not replicated it within %.0f minutes",
		missing.Err, environment.ReplicationTime.Minutes()), missing.Hint)
}

// waitingResult returns the result of a request that waits, and whether err says that it does.
func waitingResult(request event.Request, err error) (ecsdeploy.Deployment, bool) {
	waits, ok := err.(*notReplicated) //nolint:errorlint // joined with a fault of ECS, the fault counts
	if !ok {
		return ecsdeploy.Deployment{}, false
	}
	reason := waits.Error()
	if request.DryRun {
		reason = "it would wait for the image: " + reason
	}
	return ecsdeploy.Deployment{Service: request.Workload.Label(), Status: ecsdeploy.Waiting, Tag: request.Tag,
		Reason: reason}, true
}

// scheduleRetry schedules the next try for the requests of an event that wait.
func (p *Pipeline) scheduleRetry(ctx context.Context, env *environment.Environment, d delivery,
	requests []event.Request, results []ecsdeploy.Deployment) error {
	m := retry.Message{Function: functionARN(ctx, env), Event: d.raw}
	for i, request := range requests {
		if results[i].Status == ecsdeploy.Waiting && !request.DryRun {
			m.Services = append(m.Services, request.Workload.Label())
			m.Due = nextTry(request.Cause.Time, p.now())
		}
	}
	if len(m.Services) == 0 {
		return nil
	}
	err := p.scheduler.Schedule(ctx, m, env.FailedQueueARN())
	if err != nil {
		slog.ErrorContext(ctx, "scheduling the next try failed", "error", err.Error(), "error_type", fault.NameOf(err))
	}
	return err
}
