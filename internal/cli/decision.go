package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/logs"
)

// concerns reports whether a decision is about a service, or about no service of AWS's or a
// sender's: of what names none, only events of ECR and ECS are of another repository or
// service. A name that is none of the environment's counts for the one that it is nearest to,
// and a repository for those that run its images.
func concerns(env *environment.Environment, e logs.Entry, service string) bool {
	if e.Service == "" {
		return e.Repository == "" && e.Source != "aws.ecs"
	}
	of, _ := env.Labelled(service)
	for name := range strings.SplitSeq(e.Service, ", ") {
		w, known := env.Labelled(name)
		switch {
		case name == of.Repository: // of a push in a queue
			return true
		case name == service, name == event.AllWorkloads, known && w.Label() == service:
			return true
		case !known && nearest(name, labels(env)) == service:
			return true
		}
	}
	return false
}

// whyOf returns the reason of a decision for people, with the repository of a push that was
// ignored.
func whyOf(e logs.Entry) string {
	why := e.Why()
	if e.Repository == "" || strings.Contains(why, e.Repository) {
		return why
	}
	return e.Repository + ": " + why
}

// decided is the error of an event that the function rejected, ignored or could not carry out.
type decided struct {
	entry logs.Entry
	error
}

func (d *decided) Unwrap() error { return d.error }

// final returns the decision after which the function does no more for the event: rejected, ignored or superseded; ""
// of a failure, which Lambda tries again.
func (d *decided) final() string {
	if decision := d.entry.Decision(); slices.Contains(severity, decision) && decision != string(journal.Failed) {
		return decision
	}
	return ""
}

// decisionLog is what is known of an event by the function's log. It is safe for concurrent
// use.
type decisionLog struct {
	arrived    atomic.Bool // the log has something of the event
	unreadable atomic.Bool
}

// watchDecision looks for the function's decision about an event and a service until ctx
// ends, and calls found with the first that ends the waiting.
func (a *app) watchDecision(ctx context.Context, s *session, id, service string, begin time.Time, log *decisionLog,
	found func(error)) {
	for fault.Wait(ctx, watchInterval) == nil {
		lines, err := s.functionLog().Lines(ctx, begin, id)
		switch {
		case fault.HasCode(err, "ResourceNotFoundException"): // the function never ran
		case err != nil && ctx.Err() == nil && fault.IsMisconfigured(err):
			a.note("the function's log is not read: %v", err)
			log.unreadable.Store(true)
			return
		}
		for _, l := range lines {
			e, ok := logs.Parse(l)
			if !ok {
				continue
			}
			log.arrived.Store(true)
			if e.Service != "" && !e.OfEvent() && e.Service != service {
				continue
			}
			if err := decisionError(s.env, e); err != nil {
				found(err)
				return
			}
		}
	}
}

// decisionError returns the error for a decision after which nothing is to be waited for;
// nil for another one.
func decisionError(env *environment.Environment, e logs.Entry) error {
	hint := env.Command("events", e.EventID)
	cause := errors.New(e.Why())
	switch e.Decision() {
	case "rejected":
		return &decided{e, fault.Rejected("Rejected", "the function rejected the event", cause, hint)}
	case "failed":
		return &decided{e, fault.Misconfigured("Failed", "the function failed, and Lambda lets it try again twice",
			cause, hint)}
	case "ignored", "superseded":
		return &decided{e, hinted(hint, "the event was %s: %s", e.Decision(), e.Why())}
	}
	return nil
}
