package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/fault"
)

// forwarding reports to which other buses the stack forwards this registry's pushes. If
// the registry is in another account, that account's rule cannot be seen from here.
func (f *findings) forwarding(ctx context.Context, c *checker) {
	const check = "forwarding"
	if registry := c.env.Registry(); registry.AccountID != c.env.AccountID || registry.Region != c.env.Region {
		if !c.env.AutoDeploy.IsEmpty() {
			f.add(check, Unknown, "whether account "+registry.AccountID+" forwards its pushes here is seen only there",
				fmt.Sprintf("with credentials of account %s, look for a target "+
					"arn:%s:events:%s:%s:event-bus/default: run the doctor with its environment file, or "+
					"aws events list-rules --region %s --name-prefix %s_deployer_forward_",
					registry.AccountID, c.caller.Partition, c.env.Region, c.env.AccountID, registry.Region,
					c.env.Project))
		}
		return
	}
	name := c.ruleName("forward")
	rule, err := c.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		f.ok(check, "none: pushes are not forwarded to other accounts (stack parameter ForwardPushesTo)")
		return
	case err != nil:
		f.notChecked(c, check, "events:DescribeRule", c.ruleARN(name), err)
		return
	case rule.State == types.RuleStateDisabled:
		f.add(check, Problem, fmt.Sprintf("rule %q is disabled: pushes are not forwarded to other accounts", name),
			c.enable(name))
		return
	}
	targets, err := c.targets(ctx, name)
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", c.ruleARN(name), err)
		return
	}
	var buses, bare []string
	for _, t := range targets {
		buses = append(buses, aws.ToString(t.Arn))
		if t.DeadLetterConfig == nil || aws.ToString(t.DeadLetterConfig.Arn) == "" {
			bare = append(bare, aws.ToString(t.Arn))
		}
	}
	switch {
	case len(buses) == 0:
		f.add(check, Problem, fmt.Sprintf("rule %q has no target: pushes are not forwarded", name), install+c.env.Name)
	case len(bare) > 0:
		f.add(check, Warning, fmt.Sprintf("the targets of rule %q have no dead-letter queue: %s", name,
			strings.Join(bare, ", ")), install+c.env.Name)
	default:
		f.ok(check, "pushes are forwarded to %s", strings.Join(buses, ", "))
	}
}
