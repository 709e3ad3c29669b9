package workflow_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"deployer/internal/access"
	"deployer/internal/environment"
	"deployer/internal/iam"
)

// pipeline is what the tests need of a workflow that uses the action.
type pipeline struct {
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]struct {
		Needs       any
		Environment string
		Permissions map[string]string
		Outputs     map[string]string
		Steps       []step
	}
}

var (
	pinnedAction = regexp.MustCompile(`^[\w-]+/[\w/-]+@[0-9a-f]{40}$`)
	promotes     = regexp.MustCompile(`deployer promote --from \S+ --to project/(\w+)\.yaml `)
	pinnedLine   = regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+\n`)
)

// TestActionWorkflows parses the workflows that use the action, and compares them with the action's inputs and with the
// roles that the command line prints.
func TestActionWorkflows(t *testing.T) {
	t.Parallel()
	inputs := actionInputs(t)
	files, err := filepath.Glob("action/*.yml")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var w pipeline
			if err := yaml.Unmarshal(text, &w); err != nil {
				t.Fatal(err)
			}
			if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
				t.Errorf("all jobs may %v", w.Permissions)
			}
			if got, want := len(pinnedLine.FindAll(text, -1)), strings.Count(string(text), "uses: "); got != want {
				t.Errorf("%d of %d actions are pinned by a commit with its version", got, want)
			}
			deploys := 0
			for name, j := range w.Jobs {
				if (j.Permissions["id-token"] == "write") != (j.Environment != "") {
					t.Errorf("%s: permissions %v and environment %q", name, j.Permissions, j.Environment)
				}
				for _, s := range j.Steps {
					deploys += checkStep(t, name, s, inputs)
					for _, to := range promotes.FindAllStringSubmatch(s.Run, -1) {
						if to[1] != j.Environment {
							t.Errorf("%s promotes to %s with the role of environment %s", name, to[1], j.Environment)
						}
					}
				}
			}
			if prod := w.Jobs["production"]; prod.Environment != "prod" || deploys != 1 {
				t.Errorf("production is deployed %d times, in environment %q", deploys, prod.Environment)
			}
		})
	}
}

// checkStep returns 1 if the step deploys.
func checkStep(t *testing.T, job string, s step, inputs map[string]bool) int {
	t.Helper()
	if s.Uses != "" && !pinnedAction.MatchString(s.Uses) {
		t.Errorf("%s: %s is not pinned", job, s.Uses)
	}
	if strings.Contains(s.Run, "${{") {
		t.Errorf("%s: step %q has an expression in its script, which would run any text", job, s.Name)
	}
	if out, err := bash("-n", "-c", s.Run); err != nil {
		t.Errorf("%s: step %q: %v\n%s", job, s.Name, err, out)
	}
	if !strings.HasPrefix(s.Uses, "octocat/deployer@") {
		return 0
	}
	for input := range s.With {
		if _, ok := inputs[input]; !ok {
			t.Errorf("%s: the action has no input %s", job, input)
		}
	}
	for input, required := range inputs {
		if required && s.With[input] == "" {
			t.Errorf("%s: the action needs the input %s", job, input)
		}
	}
	return 1
}

// actionInputs returns the inputs of action.yml, and whether each is required.
func actionInputs(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Inputs map[string]struct{ Required bool }
	}
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	inputs := map[string]bool{}
	for name, input := range a.Inputs {
		inputs[name] = input.Required
	}
	return inputs
}

// TestRolesOfWorkflows checks that the roles which the workflows' comments name are those that the command line prints
// for the pattern.
func TestRolesOfWorkflows(t *testing.T) {
	t.Parallel()
	arn := regexp.MustCompile(`arn:aws:iam::[0-9]{12}:role/\S+`)
	for _, tt := range []struct {
		file, examples string
		rebuild        bool
	}{
		{"action/centralized-dev.yml", "centralized-dev-ecr", false},
		{"action/isolated-production.yml", "isolated-production-ecr", false},
		{"action/per-environment.yml", "per-environment-ecr", true},
		{"action/per-environment-promote.yml", "per-environment-ecr", false},
		{"../gitlab-ci/centralized-dev.yml", "centralized-dev-ecr", false},
	} {
		text, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		printed := printedRoles(t, tt.examples, tt.rebuild)
		named := arn.FindAllString(string(text), -1)
		if len(named) < 2 {
			t.Errorf("%s names %d roles", tt.file, len(named))
		}
		for _, role := range named {
			if !slices.Contains(printed, role) {
				t.Errorf("%s names %s; deployer policy github prints %q", tt.file, role, printed)
			}
		}
	}
}

func printedRoles(t *testing.T, examples string, rebuild bool) (arns []string) {
	t.Helper()
	var roles []struct{ RoleName, Account string }
	if err := json.Unmarshal([]byte(printed(t, examples, rebuild)), &roles); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		arns = append(arns, "arn:aws:iam::"+role.Account+":role/"+role.RoleName)
	}
	return arns
}

// printed is what deployer policy github prints for the environments of a directory of examples.
func printed(t *testing.T, examples string, rebuild bool) string {
	t.Helper()
	var envs []*environment.Environment
	for _, name := range []string{"dev", "staging", "prod"} {
		env, err := environment.Load("../" + examples + "/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		envs = append(envs, env)
	}
	policy, err := access.Pipeline(envs, access.Source{Owner: "octocat", Name: "shop"}, rebuild)
	if err != nil {
		t.Fatal(err)
	}
	return policy.JSON
}

// TestGitLab parses the pipeline, and runs the command of its page that makes GitLab's roles of GitHub's.
func TestGitLab(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../gitlab-ci/centralized-dev.yml")
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Stages            []string
		Build, Production struct {
			Stage, When string
			Needs       []string
			MayFail     *bool                           `yaml:"allow_failure"`
			Tokens      map[string]struct{ Aud string } `yaml:"id_tokens"`
			Script      []string
		}
	}
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Stages, []string{"build", "production"}) || p.Production.When != "manual" ||
		!slices.Equal(p.Production.Needs, []string{"build"}) || p.Build.Tokens["AWS_TOKEN"].Aud != "sts.amazonaws.com" {
		t.Errorf("%+v", p)
	}
	// "The default value is true for manual jobs" (GitLab CI/CD YAML syntax reference, allow_failure).
	if p.Production.MayFail == nil || *p.Production.MayFail {
		t.Error("a deployment that fails would not fail the pipeline")
	}
	for _, line := range slices.Concat(p.Build.Script, p.Production.Script) {
		if out, err := bash("-n", "-c", line); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	page, err := os.ReadFile("../../docs/how-to/gitlab-ci.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?s)\| (sed .*?) > policy.json`).FindSubmatch(page)
	if command == nil {
		t.Fatal("the page has no command")
	}
	sed := exec.Command("bash", "-c", string(command[1]))
	sed.Stdin = strings.NewReader(printed(t, "centralized-dev-ecr", false))
	changed, err := sed.Output()
	if err != nil {
		t.Fatal(err)
	}
	var roles []struct{ AssumeRolePolicyDocument json.RawMessage }
	if err := json.Unmarshal(changed, &roles); err != nil || len(roles) != 4 {
		t.Fatalf("%d roles, %v", len(roles), err)
	}
	for i, account := range []string{"111111111111", "111111111111", "222222222222", "333333333333"} {
		trust, err := iam.Parse(roles[i].AssumeRolePolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		for branch, want := range map[string]iam.Decision{"main": iam.Allow, "feature": iam.NoMatch} {
			got := trust.Evaluate(iam.Request{Action: "sts:AssumeRoleWithWebIdentity",
				Principal: "arn:aws:iam::" + account + ":oidc-provider/gitlab.com",
				Context: map[string]string{"gitlab.com:aud": "sts.amazonaws.com",
					"gitlab.com:sub": "project_path:octocat/shop:ref_type:branch:ref:" + branch}})
			if got != want {
				t.Errorf("role %d, branch %s: %v, want %v", i, branch, got, want)
			}
		}
	}
}

// TestCheckouts checks that no workflow leaves GitHub's token in the checkout, where a build could read it.
func TestCheckouts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("action/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "deploy.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkouts := strings.Count(string(text), "uses: actions/checkout@")
		without := strings.Count(string(text), "        with:\n          persist-credentials: false\n")
		if checkouts == 0 || checkouts != without {
			t.Errorf("%s: %d of %d checkouts are without credentials", file, without, checkouts)
		}
	}
}
