// Package doctor looks at an environment in AWS and says whether it can be
// deployed to, what is wrong with it, and what to do: the guide's
// troubleshooting as checks. It only reads, with the credentials it is given,
// and a check that it may not make is unknown, never fine.
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

// Level is how a check came out.
type Level string

// The levels of findings.
const (
	OK      Level = "ok"
	Warning Level = "warning" // works today, and will not always
	Problem Level = "problem" // deployments fail, or anybody may do what they should not
	Unknown Level = "unknown" // the check could not be made
)

// Finding is what one check saw.
type Finding struct {
	Check   string `json:"check"`             // its name, such as "circuit breaker"
	Service string `json:"service,omitempty"` // or task, as events name it; "" for the environment as a whole
	Level   Level  `json:"level"`
	Seen    string `json:"seen"`
	Fix     string `json:"fix,omitempty"` // what to do; "" where there is nothing to do
}

// Report is all that was found in an environment.
type Report struct {
	File        string    `json:"file"`
	Environment string    `json:"environment"`
	AccountID   string    `json:"account_id"`
	Findings    []Finding `json:"findings"`
}

// Count returns how many findings are of a level.
func (r *Report) Count(level Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// chart collects findings of one subject.
type chart struct {
	service  string
	findings []Finding
}

func (c *chart) add(check string, level Level, seen, fix string) {
	c.findings = append(c.findings, Finding{check, c.service, level, seen, fix})
}

func (c *chart) ok(check, format string, args ...any) {
	c.add(check, OK, fmt.Sprintf(format, args...), "")
}

// inFlight is how many services are looked at in one moment.
const inFlight = 8

// Examine looks at an environment with the credentials of config, at the named
// services only if there are any names; of tasks, which are not deployed yet, at
// their repositories. The error says that not even the
// caller's account could be told.
func Examine(ctx context.Context, env *environment.Environment, config aws.Config, services []string) (*Report, error) {
	caller, err := caller.Identity(ctx, config)
	if err != nil {
		return nil, err
	}
	first := &chart{}
	first.file(env)
	r := &Report{File: env.File, Environment: env.Name, AccountID: env.AccountID}
	if !first.account(env, caller) {
		r.Findings = first.findings
		return r, nil
	}
	env = env.In(caller.AccountID)
	r.AccountID = env.AccountID
	x := newExam(env, config, caller)
	var workloads, tasks []environment.Workload
	for _, w := range env.Workloads {
		switch {
		case w.Deployable() && (len(services) == 0 || slices.Contains(services, w.Name)):
			workloads = append(workloads, w)
		case !w.Deployable() && len(services) == 0 && w.Repository != "":
			tasks = append(tasks, w)
		}
	}
	second := &chart{}
	charts := []*chart{first, second}
	var g errgroup.Group
	g.SetLimit(inFlight) // before the first: a group that is limited later waits for ever
	g.Go(func() error { second.events(ctx, x); return nil })
	found := x.describeServices(ctx, workloads)
	for i, w := range workloads {
		c := &chart{service: w.Name}
		charts = append(charts, c)
		g.Go(func() error { c.workload(ctx, x, w, found[i]); return nil })
	}
	for _, w := range tasks {
		c := &chart{service: w.Name}
		charts = append(charts, c)
		g.Go(func() error { c.task(ctx, x, w); return nil })
	}
	g.Wait() // nothing fails: what cannot be seen is a finding
	for _, c := range charts {
		r.Findings = append(r.Findings, c.findings...)
	}
	return r, nil
}

// Wrong returns the report on an environment file that cannot be used: nothing
// else was looked at.
func Wrong(file string, faults environment.Faults) *Report {
	c := &chart{}
	for _, f := range faults {
		level := Problem
		if f.Warning {
			level = Warning
		}
		c.add("file", level, f.String(), "")
	}
	return &Report{File: file, Findings: c.findings}
}

// file reports what reading the file already settled.
func (c *chart) file(env *environment.Environment) {
	c.ok("file", "%s is valid: project %s, environment %s", env.File, env.Project, env.Name)
	for _, w := range env.Warnings {
		c.add("file", Warning, w.String(), "")
	}
	c.ok("strategy", "%s (%s): images come from %s", env.Strategy.Name, env.Strategy.Why, env.Registry())
}

// account reports whose the credentials are, and whether they are the environment's.
func (c *chart) account(env *environment.Environment, caller arn.ARN) bool {
	switch {
	case env.AccountID == "":
		c.add("account", Warning, fmt.Sprintf("the file does not say which account this is; the credentials are %s, and all that follows is of that account", caller),
			fmt.Sprintf("add the line: account_id: %q", caller.AccountID))
	case env.AccountID != caller.AccountID:
		c.add("account", Problem, fmt.Sprintf("the environment is in account %s, and these credentials are %s: nothing else was looked at", env.AccountID, caller),
			"choose other credentials, for example with AWS_PROFILE")
		return false
	default:
		c.ok("account", "the credentials are %s", caller)
	}
	return true
}
