// Package doctor checks an environment in AWS: whether it can be deployed to,
// what is wrong, and how to correct it. It reads only, with the credentials that
// it is given. What these may not read is reported as unknown, never as ok.
package doctor

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"golang.org/x/sync/errgroup"

	"deployer/internal/caller"
	"deployer/internal/environment"
)

// maxInFlight is how many services are checked at the same time.
const maxInFlight = 8

// Examine checks an environment with the credentials of config: its file, its
// event rules, and the named services and tasks, or all of them if there are no names. The
// error says that the caller's account could not be read; everything else is a finding.
func Examine(ctx context.Context, env *environment.Environment, config aws.Config, services []string) (*Report, error) {
	identity, err := caller.Identity(ctx, config)
	if err != nil {
		return nil, err
	}
	first := &findings{}
	first.file(env)
	r := &Report{File: env.File, Environment: env.Name, AccountID: env.AccountID}
	if !first.account(env, identity) {
		r.Findings = first.list
		return r, nil
	}
	env = env.In(identity.AccountID)
	r.AccountID = env.AccountID
	c := newChecker(env, config, identity)
	var deployable, tasks []environment.Workload
	for _, w := range env.Workloads {
		switch {
		case w.HasService() && (len(services) == 0 || slices.Contains(services, w.Name)):
			deployable = append(deployable, w)
		case !w.HasService() && (len(services) == 0 && w.Repository != "" || named(services, w)):
			tasks = append(tasks, w)
		}
	}
	events := &findings{}
	all := []*findings{first, events}
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	installed := events.deployerFunction(ctx, c)
	g.Go(func() error { events.stack(ctx, c, installed); return nil })
	states := c.describeServices(ctx, deployable)
	rollouts := c.rollouts(ctx, deployable)
	for i, w := range deployable {
		f := &findings{service: w.Name}
		all = append(all, f)
		g.Go(func() error { f.workload(ctx, c, w, states[i], rollouts[i], installed); return nil })
	}
	for _, w := range tasks {
		f := &findings{service: w.Label()}
		all = append(all, f)
		g.Go(func() error { f.task(ctx, c, w); return nil })
	}
	g.Wait() // no check returns an error: one that fails is a finding
	for _, f := range all {
		r.Findings = append(r.Findings, f.list...)
	}
	return r, nil
}

// named reports whether a task is among the names, by its label, or by its name alone: a
// service that has it is checked too.
func named(names []string, w environment.Workload) bool {
	return slices.Contains(names, w.Label()) || slices.Contains(names, w.Name)
}

// stack reports the deployer's own stack, if it is installed, and other deployers.
func (f *findings) stack(ctx context.Context, c *checker, installed bool) {
	if installed {
		f.events(ctx, c)
		f.forwarding(ctx, c)
		f.deployerRole(ctx, c)
		f.queue(ctx, c, "failed", "events that were rejected or failed")
		f.queue(ctx, c, "undelivered", "events that EventBridge could not deliver")
	}
	f.others(ctx, c)
}

// file reports what is known from reading the file.
func (f *findings) file(env *environment.Environment) {
	f.ok("file", "%s is valid: project %s, environment %s", env.File, env.Project, env.Name)
	for _, w := range env.Warnings {
		f.add("file", Warning, w.String(), "")
	}
	f.ok("strategy", "%s (%s): images come from %s", env.Strategy.Name, env.Strategy.Why, env.Registry())
}

// account reports the caller, and whether it belongs to the environment's account.
func (f *findings) account(env *environment.Environment, identity arn.ARN) bool {
	switch {
	case env.AccountID == "":
		f.add("account", Warning,
			fmt.Sprintf(
				"the file does not name its account; these credentials are %s, and everything below is about their "+
					"account", identity),
			fmt.Sprintf("add the line: account_id: %q", identity.AccountID))
	case env.AccountID != identity.AccountID:
		f.add("account", Problem,
			fmt.Sprintf("the environment is in account %s, but these credentials are %s: nothing else was checked",
				env.AccountID, identity),
			"choose other credentials, for example with AWS_PROFILE")
		return false
	default:
		f.ok("account", "the credentials are %s", identity)
	}
	return true
}
