package doctor

import (
	"strings"
	"testing"

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
