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

// install is the fix for a missing rule.
const install = "install or update the stack of deploy/template.yaml: make deploy env="

// events checks how events reach the function: the rules, their targets, and the
// bus policy if pushes come from another account.
func (f *findings) events(ctx context.Context, c *checker) {
	env := c.env
	var asked []event
	for _, source := range env.DeploySources {
		asked = append(asked, event{"DEPLOY", source, env.AccountID, env.Region,
			map[string]string{"service": environment.BackendName, "tag": "git-abc123f"}})
	}
	if len(asked) > 0 {
		f.rule(ctx, c, "deploy", asked)
	} else {
		f.ok("deploy rule", "not needed: deployer.deploy_sources is empty, so no DEPLOY event is accepted")
	}
	if env.AutoDeploy.IsEmpty() {
		return
	}
	registry := env.Registry()
	push := event{"ECR Image Action", "aws.ecr", registry.AccountID, registry.Region, map[string]string{
		"action-type": "PUSH", "result": "SUCCESS", "repository-name": env.Project + "_backend", "image-tag": "latest",
		"image-digest": "sha256:" + strings.Repeat("0", 64)}}
	f.rule(ctx, c, "push", []event{push})
	f.bus(ctx, c, push)
}

// event is one that a rule should match.
type event struct {
	detailType, source, account, region string
	detail                              map[string]string
}

func (e event) String() string {
	b, _ := json.Marshal(map[string]any{ // maps of strings always encode
		"version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": e.detailType, "source": e.source,
		"account": e.account, "time": "2026-01-01T00:00:00Z", "region": e.region, "resources": []string{},
		"detail": e.detail})
	return string(b)
}

// rule reports whether one of the deployer's rules exists, is enabled, matches the
// events that it should, and has the function as its target.
func (f *findings) rule(ctx context.Context, c *checker, kind string, matches []event) {
	check := kind + " rule"
	name := c.env.Project + "_deployer_" + kind + "_" + c.env.Name
	resource := fmt.Sprintf("arn:%s:events:%s:%s:rule/%s", c.caller.Partition, c.env.Region, c.env.AccountID, name)
	fix := install + c.env.Name
	rule, err := c.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		f.add(check, Problem,
			fmt.Sprintf("rule %q does not exist on the default bus of account %s in %s: such events deploy nothing",
				name, c.env.AccountID, c.env.Region), fix)
		return
	case err != nil:
		f.notChecked(c, check, "events:DescribeRule", resource, err)
		return
	case rule.State == types.RuleStateDisabled:
		f.add(check, Problem, fmt.Sprintf("rule %q is disabled: such events deploy nothing", name),
			"aws events enable-rule --region "+c.env.Region+" --name "+name)
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
			f.add(check, Problem, fmt.Sprintf("rule %q does not match the %s event of source %q: its pattern is %s",
				name, e.detailType, e.source, aws.ToString(rule.EventPattern)), fix)
			return
		}
	}
	f.target(ctx, c, check, name, resource)
}

// target reports whether the function is a target of a rule.
func (f *findings) target(ctx context.Context, c *checker, check, rule, resource string) {
	out, err := c.events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule)})
	if err != nil {
		f.notChecked(c, check, "events:ListTargetsByRule", resource, err)
		return
	}
	for _, t := range out.Targets {
		if strings.HasSuffix(aws.ToString(t.Arn), ":function:"+c.env.Project+"_deployer_"+c.env.Name) {
			f.ok(check, "%s matches, and its target is %s", rule, aws.ToString(t.Arn))
			return
		}
	}
	f.add(check, Problem, fmt.Sprintf("rule %q has no target that is the deployer's function", rule),
		install+c.env.Name)
}

// bus reports whether the default bus accepts push events from the registry's account.
func (f *findings) bus(ctx context.Context, c *checker, push event) {
	if push.account == c.env.AccountID {
		f.ok("bus policy", "not needed: pushes happen in this account")
		return
	}
	out, err := c.events.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
	if err != nil {
		f.notChecked(c, "bus policy", "events:DescribeEventBus",
			fmt.Sprintf("arn:%s:events:%s:%s:event-bus/default", c.caller.Partition, c.env.Region, c.env.AccountID),
			err)
		return
	}
	fix := "in account " + c.env.AccountID + ", put the policy on the bus that this prints: deployer policy bus -f " +
		c.env.File + "; the stack does it with the parameter EcrAccountId"
	decision := iam.NoMatch
	if text := aws.ToString(out.Policy); text != "" {
		document, err := iam.Parse([]byte(text))
		if err != nil {
			f.add("bus policy", Unknown, "not checked: "+err.Error(), "")
			return
		}
		decision = document.Evaluate(iam.Request{
			Principal: "arn:" + c.caller.Partition + ":iam::" + push.account + ":root", Account: push.account,
			Action: "events:PutEvents", Resource: aws.ToString(out.Arn),
			Context: map[string]string{"events:source": push.source, "events:detail-type": push.detailType},
		})
	}
	if decision != iam.Allow {
		f.add("bus policy", Problem, "the default bus does not accept push events from the registry's account "+
			push.account+": pushes there do not deploy here", fix)
		return
	}
	f.ok("bus policy", "the default bus accepts push events from account %s", push.account)
}
