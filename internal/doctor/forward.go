package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// forwardKinds are the kinds of the stack's rules that forward pushes: each has at most
// five targets.
var forwardKinds = []string{"forward", "forward2", "forward3"}

// forwarding reports to which other buses the stack forwards this registry's pushes, and
// compares them with the accounts that the file trusts. The rules of another account's
// registry cannot be seen from here.
func (f *findings) forwarding(ctx context.Context, c *checker) {
	const check = "forwarding"
	own := image.Registry{AccountID: c.env.AccountID, Region: c.env.Region}
	for _, registry := range c.env.PushRegistries() {
		if registry != own {
			f.forwardedHere(c, registry)
		}
	}
	if c.env.Registry() != own {
		return
	}
	var buses []string
	for _, kind := range forwardKinds {
		more, ok := f.forwardRule(ctx, c, c.ruleName(kind))
		if !ok {
			return
		}
		buses = append(buses, more...)
	}
	if len(buses) == 0 {
		f.ok(check, "none: pushes are not forwarded to other accounts (stack parameter ForwardPushesTo)")
	} else {
		f.ok(check, "pushes are forwarded to %s", strings.Join(buses, ", "))
	}
	f.trusted(c, buses)
}

// forwardedHere reports that the pushes of another registry have to be forwarded.
func (f *findings) forwardedHere(c *checker, registry image.Registry) {
	f.add("forwarding", Unknown, fmt.Sprintf("whether account %s forwards its pushes in %s here is seen only there",
		registry.AccountID, registry.Region), fmt.Sprintf("with credentials of account %s, look for a target %s: run "+
		"the doctor with its environment file, or aws events list-rules --region %s --name-prefix %s_deployer_forward",
		registry.AccountID, c.arn("events", "event-bus/default"), registry.Region, c.env.Project))
}

// forwardRule returns the buses that one rule forwards to, none if it does not exist. It
// returns false after a finding that says what is wrong with the rule.
func (f *findings) forwardRule(ctx context.Context, c *checker, name string) (buses []string, ok bool) {
	const check = "forwarding"
	rule, err := c.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		return nil, true
	case err != nil:
		f.notChecked(c, check, "events:DescribeRule", c.ruleARN(name), err)
		return nil, false
	case rule.State == types.RuleStateDisabled:
		f.add(check, Problem, fmt.Sprintf("rule %q is disabled: pushes are not forwarded to other accounts", name),
			c.enable(name))
		return nil, false
	}
	targets, err := c.targets(ctx, name)
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", c.ruleARN(name), err)
		return nil, false
	}
	var bare []string
	for _, t := range targets {
		buses = append(buses, aws.ToString(t.Arn))
		if t.DeadLetterConfig == nil || aws.ToString(t.DeadLetterConfig.Arn) == "" {
			bare = append(bare, aws.ToString(t.Arn))
		}
	}
	switch {
	case len(buses) == 0:
		f.add(check, Problem, fmt.Sprintf("rule %q has no target: pushes are not forwarded", name), install+c.env.Name)
		return nil, false
	case len(bare) > 0:
		f.add(check, Warning, fmt.Sprintf("the targets of rule %q have no dead-letter queue: %s", name,
			strings.Join(bare, ", ")), install+c.env.Name)
		return nil, false
	}
	return buses, true
}

// trusted compares the buses that pushes are forwarded to with those of the file's
// ecr_trusted_accounts. Without these there is nothing to compare. Those of production
// are not expected: no push deploys it by default.
func (f *findings) trusted(c *checker, buses []string) {
	const check = "forwarding"
	var lacking, want []string
	for _, t := range c.env.TrustedAccounts {
		want = append(want, t.Bus())
		if !t.IsProduction() && !slices.Contains(buses, t.Bus()) {
			lacking = append(lacking, t.Bus())
		}
	}
	others := slices.DeleteFunc(slices.Clone(buses), func(bus string) bool {
		return slices.ContainsFunc(c.env.TrustedAccounts, func(t environment.TrustedAccount) bool {
			return strings.Contains(bus, ":"+t.ID+":")
		})
	})
	set := func(buses []string) string {
		return install + c.env.Name + " set=ForwardPushesTo=" + strings.Join(buses, ",")
	}
	switch {
	case len(want) == 0:
		return
	case len(lacking) > 0:
		f.add(check, Unknown, "not forwarded to "+strings.Join(lacking, ", ")+" of ecr_trusted_accounts: whether "+
			"pushes deploy there is in the environment's own file", "where they do, name it: "+
			set(append(slices.Clone(buses), lacking...)))
	}
	if len(others) > 0 {
		f.add(check, Warning, "pushes are forwarded to "+strings.Join(others, ", ")+", and ecr_trusted_accounts does "+
			"not name the account: it is not allowed to pull by the policy of deployer policy repository",
			"add the account to ecr_trusted_accounts of "+c.env.File+", or leave its bus out of ForwardPushesTo")
	}
}
