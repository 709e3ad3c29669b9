package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployer/internal/bus"
	"deployer/internal/environment"
)

// What is said of an event that has not reached the function.

// quietTime is how long a command that follows an event says nothing while the function's log
// has nothing of it.
const quietTime = 20 * time.Second

// The kinds of rules by which events reach the function that people wait for.
const (
	deployRule = "deploy"
	pushRule   = "push"
)

// absent returns why an environment's stack has no rule of a kind, "" if it has one.
func absent(env *environment.Environment, kind string) string {
	switch {
	case kind == deployRule && len(env.DeploySources) == 0:
		return env.Name + " accepts no DEPLOY events: deployer.deploy_sources is empty"
	case kind == deployRule || len(env.PushRegistries()) > 0:
		return ""
	case env.AutoDeploy.IsEmpty():
		return env.Name + " has no rule for pushes: auto_deploy is empty, so no push deploys"
	}
	return env.Name + " has no rule for pushes: no push deploys any of its services and tasks"
}

// noteMissing says of a list of decisions without a line what it means that an event is not
// there: of a service, "" for any.
func (a *app) noteMissing(env *environment.Environment, service string) {
	why := absent(env, pushRule)
	if all := labels(env); service == "" && len(all) > 0 {
		service = all[0]
	}
	switch {
	case why == "":
		a.note("a push or a DEPLOY event that is not here did not reach the function")
		a.hint(env.Command("doctor"))
	case len(env.DeploySources) > 0 && service != "":
		a.note("%s; a DEPLOY event does", why)
		a.hint(env.Command("send", service, "TAG"))
	default:
		a.note("%s", why)
	}
}

// undelivered returns why an event has not reached the function by a rule of one of the
// kinds, as far as AWS says so, and the command that is the next step.
func undelivered(ctx context.Context, s *session, kinds ...string) (why, hint string) {
	env := s.env
	where := "the default bus of account " + env.AccountID + " in " + env.Region
	for _, kind := range kinds {
		if absent(env, kind) != "" {
			continue
		}
		name := env.RuleName(kind)
		state, err := bus.New(s.config, "").RuleState(ctx, name)
		switch {
		case err != nil: // it may not be read
		case state == "":
			return fmt.Sprintf("rule %s does not exist on %s: the deployer's stack is not installed there, or is an "+
				"older one", name, where), env.Command("doctor")
		case state == "DISABLED":
			return fmt.Sprintf("rule %s is DISABLED, and what it misses is not delivered later: enable it, and send "+
				"the event again", name), "aws events enable-rule --region " + env.Region + " --name " + name
		}
	}
	var needs []string
	for _, kind := range kinds {
		switch why := absent(env, kind); {
		case why != "":
			needs = append(needs, why)
		case kind == deployRule:
			needs = append(needs, fmt.Sprintf("a DEPLOY event needs rule %s, detail-type DEPLOY, source %s, and no "+
				"project or project %s (deployer explain says it of the event)", env.RuleName(kind),
				strings.Join(env.DeploySources, " or "), env.Project))
		default:
			needs = append(needs, "a push needs rule "+env.RuleName(kind))
		}
	}
	return fmt.Sprintf("the rule may be disabled or not match, or the event did not come to %s: %s. What could not be "+
			"delivered waits in %s", where, strings.Join(needs, "; "), env.UndeliveredQueueURL()),
		env.Command("doctor")
}

// neverArrived is the error for an event of which the function's log has nothing, which one
// of the kinds of rules would have delivered.
func neverArrived(ctx context.Context, s *session, id string, kinds ...string) error {
	why, hint := undelivered(ctx, s, kinds...)
	return hinted(hint, "the function's log has nothing of event %q: the event never reached it, or it is older: %s",
		printable(id), why)
}

// noteSilence says that nothing came of an event yet, and what to check. It returns the causes
// that it names.
func (a *app) noteSilence(ctx context.Context, s *session, readable bool, passed, left time.Duration) string {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	why, hint := undelivered(limited, s, deployRule)
	if ctx.Err() != nil {
		return "" // it came
	}
	what := "the function's log has nothing of the event yet"
	if !readable {
		what = "no deployment of the event has started yet"
	}
	a.note("%s, after %s; waiting for %s more, because Lambda may be throttled. %s", what, passed.Round(time.Second),
		left.Round(time.Second), upperFirst(why))
	a.hint(hint)
	return why
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
