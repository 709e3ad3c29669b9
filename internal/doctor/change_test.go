package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// TestChangeRules checks the rules of changed configuration: in a stack of before, and in one of the same file.
func TestChangeRules(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	env.RedeployOn = environment.Triggers
	rules := func() (all []string) {
		for _, line := range x.examine(t, env, "").lines("") {
			for _, kind := range []string{"parameter", "secret", "file"} {
				if strings.Contains(line, " "+kind+" rule: ") {
					all = append(all, line)
				}
			}
		}
		return all
	}
	missing := func(kind, plural string) string {
		return "problem " + kind + ` rule: rule "myproject_deployer_` + kind + `_dev" does not exist on the ` +
			"default bus of account 111111111111 in us-east-1: changed " + plural + " redeploy nothing → " +
			"install or update the stack of deploy/template.yaml: make deploy env=dev"
	}
	want := []string{missing("parameter", "parameters"), missing("secret", "secrets"),
		missing("file", "environment files")}
	if diff := cmp.Diff(want, rules()); diff != "" {
		t.Errorf("without the rules:\n%s", diff)
	}
	template, err := cloud.Template("../..", env)
	must(t, err)
	must(t, x.aws.LoadTemplate(accounts.Dev, accounts.Region, template))
	want = nil
	for _, kind := range []string{"parameter", "secret", "file"} {
		want = append(want, "ok "+kind+" rule: myproject_deployer_"+kind+"_dev matches, and its target is "+
			"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev")
	}
	if diff := cmp.Diff(want, rules()); diff != "" {
		t.Errorf("with the rules:\n%s", diff)
	}
}

// TestRunRule checks the rule about the ends of tasks' runs: in a stack that does not follow first runs, in one that
// does, and after changes by hand.
func TestRunRule(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	const (
		rule    = "myproject_deployer_run_dev"
		install = " → install or update the stack of deploy/template.yaml: make deploy env=dev"
	)
	put := func(pattern, state string) {
		t.Helper()
		_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutRule(t.Context(), &eventbridge.PutRuleInput{
			Name: aws.String(rule), EventPattern: aws.String(pattern), State: types.RuleState(state)})
		must(t, err)
	}
	const one = `{"source":["aws.ecs"],"detail":{"startedBy":[{"prefix":"chronos-schedule/"}]}}`
	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"no first runs are followed", func() {}, []string{"ok run rule: none: the ends of tasks' first runs are not " +
			"reported (stack parameter FollowFirstRuns)"}},
		{"they are followed", func() {
			template, err := cloud.Template("../..", env, "FollowFirstRuns=true")
			must(t, err)
			must(t, x.aws.LoadTemplate(accounts.Dev, accounts.Region, template))
		}, []string{"ok run rule: " + rule + " matches, and its target is " +
			"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev"}},
		{"the rule knows schedules only, as the environment's task", func() { put(one, "ENABLED") },
			[]string{"ok run rule: " + rule + " matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev"}},
		{"a rule starts the task too", func() {
			for i, w := range env.Workloads {
				if w.Pointers != "" {
					env.Workloads[i].Pointers += ",rule/uploads"
				}
			}
		}, []string{`problem run rule: rule "` + rule + `" does not match the ECS Task State Change event of source ` +
			`"aws.ecs": its pattern is {"source":["aws.ecs"],"detail":{"startedBy":[{"prefix":"chronos-schedule/"}]}}` +
			install}},
		{"it is disabled", func() { put(one, "DISABLED") }, []string{`problem run rule: rule "` + rule +
			`" is disabled: how the first run of a task's new revision ends is not reported → ` +
			"aws events enable-rule --region us-east-1 --name " + rule}},
		{"there are no tasks", func() {
			env.Workloads = slices.DeleteFunc(env.Workloads,
				func(w environment.Workload) bool { return w.Pointers != "" })
		}, nil},
	} {
		step.change()
		var got []string
		for _, line := range x.examine(t, env, "").lines("") {
			if strings.Contains(line, " run rule: ") {
				got = append(got, line)
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s:\n%s", step.name, diff)
		}
	}
}
