package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/outcome"
)

// publishTogether publishes the outcomes of an event of several workloads: one for each
// workload on the bus. The failure queue and people get one for all that were rejected, and
// one for all that failed. While another attempt follows, nothing is published: it finds the
// same again.
func (p *Pipeline) publishTogether(ctx context.Context, env *environment.Environment, raw json.RawMessage,
	requests []event.Request, results []ecsdeploy.Deployment, failures []error) error {
	failed := slices.ContainsFunc(failures, func(err error) bool { return err != nil })
	if failed && !isLastAttempt(ctx) {
		return nil
	}
	var outcomes, summaries []outcome.Outcome
	groups := map[outcome.Kind][]outcome.Outcome{}
	var errs []error
	for i, request := range requests {
		o, ended, err := p.terminalOutcome(ctx, env, raw, request, results[i], failures[i])
		errs = append(errs, err)
		if !ended || err != nil {
			continue
		}
		outcomes = append(outcomes, o)
		switch {
		case o.Event == nil: // it was superseded, by a deployment of its own workload alone
			summaries = append(summaries, o)
		case !results[i].HeldBack:
			groups[o.Kind] = append(groups[o.Kind], o)
		}
	}
	for _, kind := range []outcome.Kind{outcome.DeploymentRejected, outcome.DeploymentFailed} {
		if len(groups[kind]) == 0 {
			continue
		}
		o, err := summaryOf(env, groups[kind], namesOf(outcomes, kind))
		errs, summaries = append(errs, err), append(summaries, o)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := p.publisher.Publish(ctx, outcomes...); err != nil {
		return err
	}
	if err := p.keep(ctx, env, summaries...); err != nil {
		return err
	}
	p.publisher.Notify(ctx, summaries...)
	return nil
}

// namesOf returns the names of the workloads that have an outcome of a kind.
func namesOf(outcomes []outcome.Outcome, kind outcome.Kind) string {
	var names []string
	for _, o := range outcomes {
		if o.Kind == kind {
			names = append(names, o.Service)
		}
	}
	return strings.Join(names, ", ")
}

// summaryOf returns one outcome for several of one event and one kind. Names are those of all
// workloads that it is about.
func summaryOf(env *environment.Environment, all []outcome.Outcome, names string) (outcome.Outcome, error) {
	if len(all) == 1 && all[0].Service == names {
		return all[0], nil
	}
	problems := make([]string, len(all))
	for i, o := range all {
		problems[i] = o.Service + ": " + o.Problem
	}
	if len(all) == 1 {
		problems[0] = all[0].Problem
	}
	o := outcome.New(env, environment.Workload{})
	o.Time, o.Cause, o.Tag, o.Event = all[0].Time, all[0].Cause, all[0].Tag, all[0].Event
	o.Service, o.Problem = names, strings.Join(problems, "; ")
	if all[0].Kind == outcome.DeploymentFailed {
		return outcome.Failed(o)
	}
	return outcome.Rejected(o)
}
