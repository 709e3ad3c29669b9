package deploy_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/access"
	"deployer/internal/environment"
)

func printedLifecycle(t *testing.T, env *environment.Environment, archive bool) string {
	t.Helper()
	policy := access.Lifecycle
	if archive {
		policy = access.ArchivingLifecycle
	}
	p, err := policy(env)
	if err != nil {
		t.Fatal(err)
	}
	return p.JSON
}

func printedPolicy(t *testing.T, env *environment.Environment, callers access.Callers) string {
	t.Helper()
	if callers.Organization == "" && callers.Accounts == nil {
		return ""
	}
	p, err := access.Repository(env, callers)
	if err != nil {
		t.Fatal(err)
	}
	return p.JSON
}

// root matches the ARN of an account's root, which to IAM is the account's id ("Principals" in the IAM user guide).
var root = regexp.MustCompile(`"arn:aws:iam::(\d{12}):root"`)

// equalJSON reports whether two texts are the same JSON, or both are empty.
func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	var values [2]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(root.ReplaceAllString(text, `"$1"`)), &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	return cmp.Equal(values[0], values[1])
}
