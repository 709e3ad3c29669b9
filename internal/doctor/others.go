package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// maxRules is how many rules of the bus are examined: EventBridge's default quota.
const maxRules = 300

// others reports rules of the default bus that match the environment's DEPLOY and push
// events and are not the deployer's: another deployer may listen there.
func (f *findings) others(ctx context.Context, c *checker) {
	const check = "other rules"
	before := len(f.list)
	next := (*string)(nil)
	for seen := 0; seen < maxRules; {
		page, err := c.events.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: next})
		if err != nil {
			f.notChecked(c, check, "events:ListRules", "*", err)
			return
		}
		for _, rule := range page.Rules {
			if !f.other(ctx, c, check, rule) {
				return
			}
		}
		seen += len(page.Rules)
		if next = page.NextToken; next == nil {
			break
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

// other reports one rule of the bus. It returns false if the rules cannot be examined.
func (f *findings) other(ctx context.Context, c *checker, check string, rule types.Rule) bool {
	name := aws.ToString(rule.Name)
	if aws.ToString(rule.EventPattern) == "" || c.isOurs(name) {
		return true
	}
	kinds, err := c.matching(ctx, aws.ToString(rule.EventPattern))
	if err != nil {
		f.notChecked(c, check, "events:TestEventPattern", "*", err)
		return false
	}
	if len(kinds) == 0 {
		return true
	}
	what := fmt.Sprintf("rule %q matches %s", name, strings.Join(kinds, " and "))
	if rule.State == types.RuleStateDisabled {
		f.ok(check, "%s, but it is disabled", what)
		return true
	}
	targets, err := c.targets(ctx, name)
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", aws.ToString(rule.Arn), err)
		return false
	}
	// A deployer of the same kind deploys its own services; with their project, DEPLOY events are not for it.
	mayDeploy := slices.ContainsFunc(kinds, func(kind string) bool {
		return strings.HasPrefix(kind, "DEPLOY") && !strings.HasSuffix(kind, withoutProject)
	})
	f.otherTargets(c, check, rule, what, targets, mayDeploy)
	return true
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
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all, nil
		}
	}
}

// otherTargets reports what the targets of another rule do with the events. Named says
// that the rule matches DEPLOY events which name the environment's project.
func (f *findings) otherTargets(c *checker, check string, rule types.Rule, what string, targets []types.Target,
	named bool) {
	name := aws.ToString(rule.Name)
	var all []string
	known, acts := c.isKnown(name), false
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
		known = known || c.isKnown(function)
		acts = acts || deploys && (named || !isDeployer(function))
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
	case len(targets) == 0:
		f.ok(check, "rule %q matches too, but has no target", name)
	case known:
		f.add(check, Problem,
			what+": the infrastructure's own deployer, which deploys the same events by its own rules", fix)
	case acts:
		f.add(check, Warning, what+": it may deploy the same services", fix)
	default:
		f.ok(check, "%s: it does not deploy services of %s", what, c.env.Project)
	}
}

// isDeployer reports whether a function is a deployer like this one, by its name.
func isDeployer(function string) bool { return strings.Contains(function, "_deployer_") }

// isOurs reports whether the environment's own stack has a rule of that name.
func (c *checker) isOurs(rule string) bool {
	kinds := append([]string{"deploy", "push", "reconcile", "rollout", "hook", "outcome", "broken"}, forwardKinds...)
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

// matching returns which of the environment's events a pattern matches, as EventBridge
// itself decides it. A pattern whose source or detail-type is another is not sent:
// TestEventPattern is rate-limited.
func (c *checker) matching(ctx context.Context, pattern string) (kinds []string, err error) {
	for _, e := range c.samples() {
		if excludes(pattern, e) {
			continue
		}
		out, err := c.events.TestEventPattern(ctx,
			&eventbridge.TestEventPatternInput{EventPattern: aws.String(pattern), Event: aws.String(e.String())})
		if err != nil {
			return nil, err
		}
		if out.Result && !slices.Contains(kinds, e.name) {
			kinds = append(kinds, e.name)
		}
	}
	return slices.DeleteFunc(kinds, func(kind string) bool {
		general, ok := strings.CutSuffix(kind, withoutProject)
		return ok && slices.Contains(kinds, general)
	}), nil
}

// excludes reports whether the pattern's source or detail-type is a list of other
// strings, which cannot match the event.
func excludes(pattern string, e event) bool {
	var p struct {
		Source     []json.RawMessage `json:"source"`
		DetailType []json.RawMessage `json:"detail-type"`
	}
	if json.Unmarshal([]byte(pattern), &p) != nil {
		return false
	}
	lacks := func(list []json.RawMessage, value string) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(m json.RawMessage) bool {
			var text string
			return json.Unmarshal(m, &text) != nil || text == value // a filter such as {"prefix": …} may match
		})
	}
	return lacks(p.Source, e.source) || lacks(p.DetailType, e.detailType)
}

// samples returns the events that deploy in the environment: a DEPLOY of each source,
// with and without its project, and a push of each of the first workloads' repositories.
func (c *checker) samples() (all []event) {
	env := c.env
	for _, source := range env.DeploySources {
		all = append(all, deployEvent(env, source, map[string]any{"project": env.Project, "env": env.Name}),
			deployEvent(env, source, nil))
	}
	if pushes := pushEvents(env); len(pushes) > 0 {
		all = append(all, pushes...)
		for _, w := range env.Workloads {
			if w.Deployable() && w.Repository != "" && len(all) < 2*len(env.DeploySources)+maxSamples {
				all = append(all, pushOf(env, w.Registry, w.Repository))
			}
		}
	}
	return all
}

// maxSamples is how many push events at most are tried with a rule.
const maxSamples = 5
