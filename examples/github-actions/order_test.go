package workflow_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
	"deployer/internal/iam"
)

// ordered is a job whose order and credentials matter.
type ordered struct {
	Needs       any
	Environment string
	Concurrency string
	Steps       []step
}

// needs returns the jobs that a job waits for, with those that they wait for.
func needs(jobs map[string]ordered, name string) (all []string) {
	var direct []string
	switch needed := jobs[name].Needs.(type) {
	case string:
		direct = []string{needed}
	case []any:
		for _, one := range needed {
			direct = append(direct, one.(string))
		}
	}
	for _, one := range direct {
		all = append(append(all, one), needs(jobs, one)...)
	}
	return all
}

// TestWorkflowsKeepOrder checks that production waits for every job that brings it an image, that two runs of one job
// do not overtake each other, and that each step has the credentials of the role that is made for it.
func TestWorkflowsKeepOrder(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("action/*.yml")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var w struct{ Jobs map[string]ordered }
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatal(err)
		}
		groups := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
			j := w.Jobs[name]
			if j.Environment == "" {
				continue
			}
			if other, ok := groups[j.Concurrency]; ok || j.Concurrency == "" {
				t.Errorf("%s: %s has the concurrency group %q, as %q", file, name, j.Concurrency, other)
			}
			groups[j.Concurrency] = name
			if name != "production" && !slices.Contains(needs(w.Jobs, "production"), name) {
				t.Errorf("%s: production does not wait for %s", file, name)
			}
			checkCredentials(t, file+": "+name, j.Steps)
		}
	}
}

// checkCredentials checks the roles of a job's steps.
func checkCredentials(t *testing.T, job string, steps []step) {
	t.Helper()
	role := ""
	for _, s := range steps {
		want := ""
		switch {
		case strings.HasPrefix(s.Uses, "aws-actions/configure-aws-credentials@"):
			role = s.With["role-to-assume"]
		case strings.HasPrefix(s.Uses, "octocat/deployer@"):
			role, want = s.With["role"], "AWS_DEPLOY_ROLE"
		case strings.Contains(s.Run, "docker push"):
			want = "AWS_BUILD_ROLE"
		case strings.Contains(s.Run, "deployer promote"):
			want = "AWS_PROMOTE_ROLE"
		}
		if want != "" && role != "${{ vars."+want+" }}" {
			t.Errorf("%s: step %q has the role %q, want %s", job, s.Name+s.Uses, role, want)
		}
	}
}

// promotion is a command that promotes, with the environments and its further flags.
var promotion = regexp.MustCompile(`deployer promote --from project/(\w+)\.yaml --to project/(\w+)\.yaml (.*)-- `)

// TestPromotions checks that the role of each promotion may read the registry that the command copies from, which is
// that of the environment before: what was not tested there is not copied. A tag that exists already is moved by force,
// and no other one is.
func TestPromotions(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"isolated-production":     {"staging prod"},
		"per-environment-promote": {"dev staging", "dev staging latest", "staging prod"},
	} {
		text, err := os.ReadFile("action/" + file + ".yml")
		if err != nil {
			t.Fatal(err)
		}
		examples := strings.TrimSuffix(file, "-promote") + "-ecr"
		var got []string
		for _, m := range promotion.FindAllStringSubmatch(string(text), -1) {
			from, to, flags := m[1], m[2], strings.TrimSpace(m[3])
			tag, isMoved := strings.CutPrefix(flags, "--as ")
			tag, forced := strings.CutSuffix(tag, " --force")
			if isMoved != forced {
				t.Errorf("%s: %s", file, m[0])
			}
			got = append(got, strings.TrimSpace(from+" "+to+" "+tag))
			if !mayPromote(t, examples, from, to) {
				t.Errorf("%s: the role that promotes to %s may not read %s's registry", file, to, from)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s promotes %q, want %q", file, got, want)
		}
	}
}

// mayPromote reports whether the role that promotes to an environment may read another one's registry.
func mayPromote(t *testing.T, examples, from, to string) bool {
	t.Helper()
	var roles []struct {
		RoleName, Account string
		PolicyDocument    json.RawMessage
	}
	if err := json.Unmarshal([]byte(printed(t, examples, false)), &roles); err != nil {
		t.Fatal(err)
	}
	source, err := environment.Load("../" + examples + "/" + from + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	registry := source.Registry()
	for _, role := range roles {
		if role.RoleName != "myproject_github_promote_"+to {
			continue
		}
		policy, err := iam.Parse(role.PolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		return policy.Evaluate(iam.Request{Action: "ecr:BatchGetImage", Account: role.Account,
			Resource: "arn:aws:ecr:" + registry.Region + ":" + registry.AccountID +
				":repository/myproject_backend"}) == iam.Allow
	}
	return false
}
