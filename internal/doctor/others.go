package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"golang.org/x/sync/errgroup"
)

// maxRules is how many rules of the bus are examined: EventBridge's default quota.
const maxRules = 300

// others reports rules of the default bus that match the environment's DEPLOY and push
// events and are not the deployer's: another deployer may listen there. It reports those
// of the infrastructure's own deployer whatever they match.
func (f *findings) others(ctx context.Context, c *checker) {
	const check = "other rules"
	var rules []types.Rule
	next := (*string)(nil)
	for len(rules) < maxRules {
		page, err := c.events.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: next})
		if err != nil {
			f.notChecked(c, check, "events:ListRules", "*", err)
			return
		}
		rules = append(rules, page.Rules...)
		next = page.NextToken
		if next == nil {
			break
		}
	}
	found := make([]findings, len(rules))
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	for i, rule := range rules {
		if !c.isOurs(aws.ToString(rule.Name)) {
			g.Go(func() error { found[i].other(ctx, c, check, rule); return nil })
		}
	}
	g.Wait() // no check returns an error: one that fails is a finding
	before := len(f.list)
	for _, one := range found {
		f.list = append(f.list, one.list...)
		if len(one.list) > 0 && one.list[0].Level == Unknown {
			return // the rest is most likely unknown for the same reason
		}
	}
	switch {
	case next != nil:
		f.add(check, Unknown, fmt.Sprintf("only %d rules of the bus were examined", maxRules),
			"look for other deployers among the rest: aws events list-rules --region "+c.env.Region)
	case len(f.list) == before:
		f.ok(check, "no other rule of the default bus matches the DEPLOY and push events of %s", c.env.Name)
	}
}

// other reports one rule of the bus.
func (f *findings) other(ctx context.Context, c *checker, check string, rule types.Rule) {
	name, pattern := aws.ToString(rule.Name), aws.ToString(rule.EventPattern)
	var kinds []string
	if pattern != "" {
		var err error
		if kinds, err = c.matching(ctx, pattern); err != nil {
			f.notChecked(c, check, "events:TestEventPattern", "*", err)
			return
		}
	}
	disabled := rule.State == types.RuleStateDisabled
	what := fmt.Sprintf("rule %q matches %s", name, strings.Join(kinds, " and "))
	switch {
	case len(kinds) > 0:
	case !c.isKnown(name) && (disabled || aws.ToString(rule.ManagedBy) != ""):
		return
	case pattern == "":
		what = fmt.Sprintf("rule %q is a schedule", name)
	default:
		what = fmt.Sprintf("rule %q matches other events than those of %s", name, c.env.Name)
	}
	if disabled {
		f.ok(check, "%s, but it is disabled", what)
		return
	}
	targets, err := c.targets(ctx, name)
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", aws.ToString(rule.Arn), err)
		return
	}
	if len(kinds) == 0 && !c.isKnown(name) && !slices.ContainsFunc(targets, c.isKnownTarget) {
		return
	}
	f.otherTargets(c, check, rule, what, targets, kinds)
}

// targets returns the targets of a rule.
func (c *checker) targets(ctx context.Context, rule string) (all []types.Target, err error) {
	in := &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule)}
	for {
		out, err := c.events.ListTargetsByRule(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.Targets...)
		in.NextToken = out.NextToken
		if in.NextToken == nil {
			return all, nil
		}
	}
}

// otherTargets reports what the targets of another rule do with the kinds of events that
// it matches.
func (f *findings) otherTargets(c *checker, check string, rule types.Rule, what string, targets []types.Target,
	kinds []string) {
	name := aws.ToString(rule.Name)
	// A deployer of the same kind deploys its own services; with their project, DEPLOY events are not for it.
	named := slices.ContainsFunc(kinds, func(kind string) bool {
		return strings.HasPrefix(kind, "DEPLOY") && !strings.HasSuffix(kind, withoutProject)
	})
	var all []string
	known, acts := c.isKnown(name), false
	does := "it does not deploy services of " + c.env.Project
	for _, t := range targets {
		a, err := arn.Parse(aws.ToString(t.Arn))
		function := strings.TrimPrefix(a.Resource, "function:")
		if function == c.function || strings.HasPrefix(function, c.function+":") {
			all = append(all, "this deployer's own function, which gets each event twice")
			acts = true
			continue
		}
		description, deploys := describeTarget(a)
		if err != nil {
			description, deploys = "a target of an unknown kind", true
		}
		project, env, isDeployer := deployerOf(function)
		if isDeployer && project == c.env.Project {
			does = fmt.Sprintf("it deploys %s of %s, not %s", env, project, c.env.Name)
		}
		known = known || c.isKnownTarget(t)
		acts = acts || deploys && (named || !isDeployer)
		all = append(all, description+" "+aws.ToString(t.Arn))
	}
	fix := fmt.Sprintf("if it deploys the same services, switch it off (docs/how-to/install.md): "+
		"aws events disable-rule --region %s --name %s; "+
		"remove it from the infrastructure too, which may enable it again", c.env.Region, name)
	if by := aws.ToString(rule.ManagedBy); by != "" {
		what += " (managed by " + by + ")"
		fix = "check in that service whether it deploys: its rule cannot be changed here"
	}
	what += ", and its target is " + strings.Join(all, ", and ")
	switch {
	case len(targets) == 0 && len(kinds) == 0:
		f.ok(check, "rule %q has no target", name)
	case len(targets) == 0:
		f.ok(check, "rule %q matches too, but has no target", name)
	case known && len(kinds) == 0:
		f.add(check, Problem, what+": the infrastructure's own deployer, which deploys the same services", fix)
	case known:
		f.add(check, Problem,
			what+": the infrastructure's own deployer, which deploys the same events by its own rules", fix)
	case acts:
		f.add(check, Warning, what+": it may deploy the same services", fix)
	default:
		f.ok(check, "%s: %s", what, does)
	}
}

// deployerOf returns the project and the environment of a deployer like this one, by its function's name, which a
// version or an alias may follow. It is false for other functions.
func deployerOf(function string) (project, env string, ok bool) {
	project, env, ok = strings.Cut(function, "_deployer_")
	env, _, _ = strings.Cut(env, ":")
	return project, env, ok
}

// isOurs reports whether the environment's own stack has a rule of that name.
func (c *checker) isOurs(rule string) bool {
	kinds := []string{"deploy", "push", "reconcile", "rollout", "hook", "run", "outcome", "broken"}
	kinds = append(kinds, forwardKinds...)
	return slices.ContainsFunc(kinds, func(kind string) bool { return rule == c.ruleName(kind) })
}

// isKnown reports whether a rule or function has a name by which infrastructure that
// reads the same environment files creates its own deployer.
func (c *checker) isKnown(name string) bool {
	name, _, _ = strings.Cut(name, ":") // a function's version or alias
	p, e := c.env.Project, c.env.Name
	return slices.Contains([]string{p + "_ci_ecr_" + e, p + "_ci_manual_" + e, p + "_ci_manual_global_" + e,
		"ecr_events_cicd", p + "_ci_lambda_" + e, "ci_lambda_" + e}, name)
}

// isKnownTarget reports whether a target is the function of such a deployer.
func (c *checker) isKnownTarget(t types.Target) bool {
	a, err := arn.Parse(aws.ToString(t.Arn))
	function, ok := strings.CutPrefix(a.Resource, "function:")
	return err == nil && ok && c.isKnown(function)
}

// describeTarget returns what a target is, and whether it may deploy. A target that
// only keeps or shows events does not.
func describeTarget(a arn.ARN) (what string, deploys bool) {
	switch a.Service {
	case "lambda":
		name := strings.TrimPrefix(a.Resource, "function:")
		if project, env, ok := strings.Cut(name, "_deployer_"); ok {
			return fmt.Sprintf("the deployer of project %q and environment %q,", project, env), true
		}
		return "the function", true
	case "logs":
		return "the log group", false
	case "firehose", "kinesis":
		return "the stream", false
	case "sqs":
		return "the queue, whose reader may be a deployer,", true
	case "sns":
		return "the topic, whose subscribers may be deployers,", true
	case "codepipeline":
		return "the CodePipeline pipeline", true
	case "codebuild":
		return "the CodeBuild project", true
	case "states":
		return "the state machine", true
	case "ecs":
		return "tasks in the cluster", true
	case "ssm":
		return "the Systems Manager document", true
	case "events":
		if strings.HasPrefix(a.Resource, "event-bus/") {
			return "the event bus, whose rules cannot be seen from here,", true
		}
		if a.AccountID == "" { // arn:aws:events:us-east-1:::, the archive's own target
			return "an archive", false
		}
		return "the API destination", true
	}
	return "the " + a.Service + " resource", true
}
