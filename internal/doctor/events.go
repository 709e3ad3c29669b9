package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
)

// install is the fix for a missing rule.
const install = "install or update the stack of deploy/template.yaml: make deploy env="

// events checks how events reach the function: the rules, their targets, and the
// bus policy if pushes come from another account.
func (f *findings) events(ctx context.Context, c *checker) {
	env := c.env
	var asked []event
	for _, source := range env.DeploySources {
		asked = append(asked, deployEvent(env, source,
			map[string]any{"service": environment.BackendName, "tag": "git-abc123f"}))
	}
	if len(asked) > 0 {
		f.rule(ctx, c, "deploy", asked)
	} else {
		f.ok("deploy rule", "not needed: deployer.deploy_sources is empty, so no DEPLOY event is accepted")
	}
	if pushes := pushEvents(env); len(pushes) > 0 {
		f.rule(ctx, c, "push", pushes)
		f.bus(ctx, c, pushes)
		f.rule(ctx, c, "reconcile", nil)
	}
	f.rule(ctx, c, "rollout", []event{rolloutEvent(c)})
	f.rule(ctx, c, "hook", []event{hookEvent(c)})
	f.runs(ctx, c)
	for _, change := range changeEvents(c) {
		f.rule(ctx, c, change.kind, []event{change.event})
	}
}

// rule reports whether one of the deployer's rules exists, is enabled, matches the
// events that it should, and has the function as its target.
func (f *findings) rule(ctx context.Context, c *checker, kind string, matches []event) {
	check := kind + " rule"
	name := c.ruleName(kind)
	resource := c.ruleARN(name)
	fix := install + c.env.Name
	rule, err := c.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException") && off[kind] != "":
		f.ok(check, "none: %s", off[kind])
		return
	case fault.HasCode(err, "ResourceNotFoundException"):
		f.add(check, Problem,
			fmt.Sprintf("rule %q does not exist on the default bus of account %s in %s: %s",
				name, c.env.AccountID, c.env.Region, lost[kind]), fix)
		return
	case err != nil:
		f.notChecked(c, check, "events:DescribeRule", resource, err)
		return
	case rule.State == types.RuleStateDisabled:
		f.add(check, Problem, fmt.Sprintf("rule %q is disabled: %s", name, lost[kind]), c.enable(name))
		return
	}
	for _, e := range matches {
		out, err := c.events.TestEventPattern(ctx,
			&eventbridge.TestEventPatternInput{EventPattern: rule.EventPattern, Event: aws.String(e.String())})
		if err != nil {
			f.notChecked(c, check, "events:TestEventPattern", "*", err)
			return
		}
		if !out.Result {
			f.add(check, Problem, fmt.Sprintf("rule %q does not match the %s event of source %q%s: its pattern is %s",
				name, e.detailType, e.source, e.from(c.env), aws.ToString(rule.EventPattern)), fix)
			return
		}
	}
	f.target(ctx, c, check, name)
}

// runs reports the rule about the ends of the tasks' runs, if the environment has tasks
// that the stack knows: it has the rule if the stack parameter FollowFirstRuns is set.
func (f *findings) runs(ctx context.Context, c *checker) {
	if runs := runEvents(c); len(runs) > 0 {
		f.rule(ctx, c, "run", runs)
	}
}

// target reports whether the function is a target of a rule, what other targets the rule
// has, and whether undelivered events are kept.
func (f *findings) target(ctx context.Context, c *checker, check, rule string) {
	targets, err := c.targets(ctx, rule)
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", c.ruleARN(rule), err)
		return
	}
	var ours *types.Target
	var others []string
	for i, t := range targets {
		if strings.HasSuffix(aws.ToString(t.Arn), ":"+c.function) {
			ours = &targets[i]
		} else {
			others = append(others, aws.ToString(t.Arn))
		}
	}
	fix := install + c.env.Name
	switch {
	case ours == nil:
		f.add(check, Problem, fmt.Sprintf("rule %q has no target that is the deployer's function", rule), fix)
	case ours.DeadLetterConfig == nil || aws.ToString(ours.DeadLetterConfig.Arn) == "":
		f.add(check, Warning, fmt.Sprintf("the target of rule %q has no dead-letter queue: an event that cannot be "+
			"delivered is lost", rule), fix)
	case len(others) > 0:
		f.add(check, Warning, fmt.Sprintf("rule %q has another target besides the stack's own: %s", rule,
			strings.Join(others, ", ")), "remove it, unless you added it on purpose: "+fix)
	default:
		f.ok(check, "%s matches, and its target is %s", rule, aws.ToString(ours.Arn))
	}
}

// lost is what does not happen without a rule.
var lost = map[string]string{
	"deploy": "such events deploy nothing", "push": "such events deploy nothing",
	"reconcile": "pushes whose events were lost are not found",
	"rollout":   "how rollouts end is not reported", "hook": "pauses and failed hooks are not reported",
	"parameter": "changed parameters redeploy nothing", "secret": "changed secrets redeploy nothing",
	"file": "changed environment files redeploy nothing",
	"run":  "how the first run of a task's new revision ends is not reported",
}

// off is what a missing rule means that a stack need not have.
var off = map[string]string{
	"reconcile": "the search for lost pushes is turned off (stack parameter ReconcileMinutes)",
	"run":       "the ends of tasks' first runs are not reported (stack parameter FollowFirstRuns)",
}

func (c *checker) ruleName(kind string) string { return c.env.RuleName(kind) }

func (c *checker) ruleARN(name string) string {
	return fmt.Sprintf("arn:%s:events:%s:%s:rule/%s", c.caller.Partition, c.env.Region, c.env.AccountID, name)
}

// failedQueue returns the name of the failure queue, in which the function keeps events.
func (c *checker) failedQueue() string { return c.env.QueueName("failed") }

// enable returns the command that enables a rule.
func (c *checker) enable(rule string) string {
	return "aws events enable-rule --region " + c.env.Region + " --name " + rule
}
