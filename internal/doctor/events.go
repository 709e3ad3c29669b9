package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
)

// install is what to do where a rule is missing.
const install = "install or update the stack of deploy/template.yaml: make deploy env="

// events examines the way of events to the function: rules, their targets, and
// the bus where pushes come from another account.
func (c *chart) events(ctx context.Context, x *exam) {
	env := x.env
	var asked []event
	for _, source := range env.DeploySources {
		asked = append(asked, event{"DEPLOY", source, env.AccountID, env.Region, map[string]string{"service": environment.BackendName, "tag": "git-abc123f"}})
	}
	if len(asked) > 0 {
		c.rule(ctx, x, "deploy", asked)
	} else {
		c.ok("deploy rule", "not needed: deployer.deploy_sources is empty, so no DEPLOY event is obeyed")
	}
	if env.AutoDeploy.IsEmpty() {
		return
	}
	registry := env.Registry()
	push := event{"ECR Image Action", "aws.ecr", registry.AccountID, registry.Region, map[string]string{
		"action-type": "PUSH", "result": "SUCCESS", "repository-name": env.Project + "_backend", "image-tag": "latest", "image-digest": "sha256:" + strings.Repeat("0", 64)}}
	c.rule(ctx, x, "push", []event{push})
	c.bus(ctx, x, push)
}

// event is one that a rule should match.
type event struct {
	detailType, source, account, region string
	detail                              map[string]string
}

func (e event) String() string {
	b, _ := json.Marshal(map[string]any{ // maps of strings always encode
		"version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": e.detailType, "source": e.source,
		"account": e.account, "time": "2026-01-01T00:00:00Z", "region": e.region, "resources": []string{}, "detail": e.detail})
	return string(b)
}

// rule reports whether one of the deployer's rules is there, on, matches what
// it should, and leads to the function.
func (c *chart) rule(ctx context.Context, x *exam, kind string, matches []event) {
	check := kind + " rule"
	name := x.env.Project + "_deployer_" + kind + "_" + x.env.Name
	resource := fmt.Sprintf("arn:%s:events:%s:%s:rule/%s", x.caller.Partition, x.env.Region, x.env.AccountID, name)
	fix := install + x.env.Name
	rule, err := x.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		c.add(check, Problem, fmt.Sprintf("rule %q does not exist on the default bus of account %s in %s: such events deploy nothing", name, x.env.AccountID, x.env.Region), fix)
		return
	case err != nil:
		c.blind(x, check, "events:DescribeRule", resource, err)
		return
	case rule.State == types.RuleStateDisabled:
		c.add(check, Problem, fmt.Sprintf("rule %q is disabled: such events deploy nothing", name), "aws events enable-rule --name "+name)
		return
	}
	for _, e := range matches {
		out, err := x.events.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: rule.EventPattern, Event: aws.String(e.String())})
		if err != nil {
			c.blind(x, check, "events:TestEventPattern", "*", err)
			return
		}
		if !out.Result {
			c.add(check, Problem, fmt.Sprintf("rule %q does not match the %s event of source %q: its pattern is %s", name, e.detailType, e.source, aws.ToString(rule.EventPattern)), fix)
			return
		}
	}
	c.target(ctx, x, check, name, resource)
}

// target reports whether a rule leads to the function.
func (c *chart) target(ctx context.Context, x *exam, check, rule, resource string) {
	out, err := x.events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule)})
	if err != nil {
		c.blind(x, check, "events:ListTargetsByRule", resource, err)
		return
	}
	for _, t := range out.Targets {
		if strings.HasSuffix(aws.ToString(t.Arn), ":function:"+x.env.Project+"_deployer_"+x.env.Name) {
			c.ok(check, "%s matches, and its target is %s", rule, aws.ToString(t.Arn))
			return
		}
	}
	c.add(check, Problem, fmt.Sprintf("rule %q has no target that is the deployer's function", rule), install+x.env.Name)
}

// bus reports whether the default bus takes push events from the registry's account.
func (c *chart) bus(ctx context.Context, x *exam, push event) {
	if push.account == x.env.AccountID {
		c.ok("bus policy", "not needed: pushes happen in this account")
		return
	}
	out, err := x.events.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
	if err != nil {
		c.blind(x, "bus policy", "events:DescribeEventBus", fmt.Sprintf("arn:%s:events:%s:%s:event-bus/default", x.caller.Partition, x.env.Region, x.env.AccountID), err)
		return
	}
	fix := "in account " + x.env.AccountID + ": deployer policy bus -f " + x.env.File + " prints the policy; deploy/template.yaml with EcrAccountId sets it"
	decision := iam.NoMatch
	if text := aws.ToString(out.Policy); text != "" {
		document, err := iam.Parse([]byte(text))
		if err != nil {
			c.add("bus policy", Unknown, "not checked: "+err.Error(), "")
			return
		}
		decision = document.Evaluate(iam.Request{
			Principal: "arn:" + x.caller.Partition + ":iam::" + push.account + ":root", Account: push.account, Action: "events:PutEvents", Resource: aws.ToString(out.Arn),
			Context: map[string]string{"events:source": push.source, "events:detail-type": push.detailType},
		})
	}
	if decision != iam.Allow {
		c.add("bus policy", Problem, "the default bus does not take push events of the registry's account "+push.account+": pushes there deploy nothing here", fix)
		return
	}
	c.ok("bus policy", "the default bus takes push events of account %s", push.account)
}
