package outcome

import (
	"os"
	"testing"

	"deployer/internal/event"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/events/pattern"
)

// TestNoRuleMatches holds that an outcome never comes back as an event: no rule
// of any stack matches one, whatever event it carries, and the function would
// ignore it.
func TestNoRuleMatches(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../deploy/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	push, err := os.ReadFile("../../events/ecr-push-prod-registry.json")
	if err != nil {
		t.Fatal(err)
	}
	all := samples(t)
	o := base(t)
	o.Problem, o.Event = "no", push
	if all["rejected push"], err = Rejected(o); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for name, values := range map[string]map[string]string{
		"prod":     {"Env": "prod", "EcrAccountId": "111111111111", "EcrAccountRegion": "us-east-1"},
		"local":    {"Env": "prod", "AutoDeploy": "enabled"},
		"dev":      {"Env": "dev", "ForwardPushesTo": "arn:aws:events:us-east-1:222222222222:event-bus/default"},
		"confused": {"Env": "prod", "AutoDeploy": "enabled", "DeploySources": Source},
		"unlimited": {"Env": "dev", "ExtraRepositoryArns": "arn:aws:ecr:us-east-1:333333333333:repository/any",
			"DeploySources": Source},
	} {
		values["Project"] = "myproject"
		stack, err := cloudformation.Load(source, cloudformation.Parameters{Account: "333333333333",
			Region: "us-east-1", Stack: "deployer", Values: values})
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range stack.Rules() {
			if rule.Pattern == nil {
				continue // it has a schedule
			}
			rules++
			p, err := pattern.Parse(rule.Pattern)
			if err != nil {
				t.Fatal(err)
			}
			for kind, o := range all {
				if met, err := p.Match(delivered(t, o)); met || err != nil {
					t.Errorf("%s of %s matches %s: %v, %v", rule.LogicalID, name, kind, met, err)
				}
			}
		}
	}
	if rules < 10 {
		t.Errorf("only %d rules were tried", rules)
	}
	for kind, o := range all {
		if got := event.Read(delivered(t, o), prod(t), o.Time); got.Verdict != event.Ignored {
			t.Errorf("%s is %s: %s", kind, got.Verdict, got.Reason)
		}
	}
}
