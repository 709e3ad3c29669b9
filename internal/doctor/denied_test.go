package doctor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"deployer/testbed/aws/emulator"
)

// TestDenied denies each call that the doctor makes: a finding becomes unknown then,
// and none becomes ok that was not before.
func TestDenied(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	docs, err := os.ReadFile("../../docs/how-to/troubleshooting.md")
	must(t, err)
	for _, env := range []string{"dev", "staging"} {
		x.aws.ResetCalls()
		before := x.examine(t, load(t, env), "")
		denied := map[string]bool{}
		for _, call := range x.aws.Calls() {
			if name := call.Service + ":" + call.Operation; name != "sts:GetCallerIdentity" {
				denied[name] = true
			}
		}
		if len(denied) < 12 {
			t.Errorf("%s: only %v were called", env, denied)
		}
		for name := range denied {
			if !strings.Contains(string(docs), "`"+name+"`") && name != "s3:GetObject" {
				t.Errorf("docs/how-to/troubleshooting.md does not say that the doctor needs %s", name)
			}
			x.aws.Inject(emulator.Fault{Operation: name,
				Error: emulator.AccessDenied("User: u is not authorized to perform: " + name)})
			after := x.examine(t, load(t, env), "")
			x.aws.ClearFaults()
			seen := slices.ContainsFunc(after.Findings,
				func(f Finding) bool { return f.Level == Unknown && strings.Contains(f.Seen, name) })
			if name == "s3:GetObject" { // read by a URL, and denied without a message
				for _, check := range []string{"platform", "function's file"} {
					seen = slices.ContainsFunc(after.Findings,
						func(f Finding) bool { return f.Level == Unknown && f.Check == check })
				}
			}
			if !seen || after.Count(Problem) > 0 {
				t.Errorf("%s without %s:\n%s", env, name, strings.Join(after.lines(""), "\n"))
			}
			for _, f := range after.Findings {
				if f.Level == OK && !slices.Contains(before.Findings, f) {
					t.Errorf("%s without %s is ok: %+v", env, name, f)
				}
			}
		}
	}
}

// denied returns the finding of a check that dev's repository policy does not allow
// another account's administrator to make.
func denied(check, account, action string) string {
	const repository = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
	root := "arn:aws:iam::" + account + ":root"
	return "unknown " + check + ": not checked, access denied: User: " + root + " is not authorized to perform: " +
		action + " on resource: " + repository +
		" because no resource-based policy allows the " + action +
		" action → to have it checked, in account 111111111111, add to the policy of repository myproject_backend " +
		"in us-east-1: " +
		`{"Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":["` + action + `"]}`
}
