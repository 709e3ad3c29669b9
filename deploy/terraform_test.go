package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/image"
	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/terraform"
)

// chosenSettings are variables of the module, and the settings of `deployer params` with the same meaning.
type chosenSettings struct {
	variables map[string]any
	settings  []string
}

// both are the two descriptions of an environment's stack.
type both struct {
	template, module described
	outputs          map[string]any
}

// some returns every nth case, and all of them in `make test-slow`.
func some[T any](n int, cases []T) (chosen []T) {
	for i, c := range cases {
		if everyCase || i%n == 0 {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// describe evaluates the template and the module for an environment file.
func describe(t *testing.T, file string, chosen chosenSettings) (both, error) {
	t.Helper()
	env, err := environment.Load(file)
	if err != nil {
		t.Fatalf("%s is no valid file: %v", file, err)
	}
	if env.AccountID == "" {
		env = env.In(dev)
	}
	parameters, err := stack.Parameters(env, chosen.settings...)
	if err != nil {
		return both{}, err
	}
	values := printed(t, env, parameters)
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	partition := image.PartitionOf(env.Region)
	template, err := cloudformation.Load(source, cloudformation.Parameters{Account: env.AccountID, Region: env.Region,
		Partition: partition.Name, Stack: "deployer", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	module, err := loadModule(t, file, env.AccountID, env.Region, chosen.variables)
	if err != nil {
		return both{}, err
	}
	outputs := module.Outputs()
	want := map[string]any{"account_id": env.AccountID, "region": env.Region}
	strategy := environment.Local
	if values["EcrAccountId"] != "" {
		want = map[string]any{"account_id": values["EcrAccountId"], "region": values["EcrAccountRegion"]}
		strategy = environment.CrossAccount
	}
	got := []any{outputs["ecr_strategy"], outputs["registry"]}
	if diff := cmp.Diff([]any{strategy, want}, got); diff != "" || env.Strategy.Name != strategy {
		t.Errorf("the strategy, %s, and the registry (-parameters +module):\n%s", env.Strategy, diff)
	}
	return both{ofTemplate(t, template), ofModule(t, module), outputs}, nil
}

// printed returns the parameters as `deployer params --format json` prints them.
func printed(t *testing.T, env *environment.Environment, parameters []stack.Parameter) map[string]string {
	t.Helper()
	text, err := stack.Format("json", env, parameters)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range all {
		name, value, _ := strings.Cut(p, "=")
		values[name] = value
	}
	return values
}

// loadModule evaluates the module with an environment file and further variables.
func loadModule(t *testing.T, file, account, region string, variables map[string]any) (*terraform.Module, error) {
	t.Helper()
	packed := filepath.Join(t.TempDir(), "deployer.zip")
	if err := os.WriteFile(packed, []byte("any"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := map[string]any{"environment_file": file, "package": packed}
	maps.Copy(given, variables)
	partition := image.PartitionOf(region)
	return terraform.Load("terraform", terraform.Input{Account: account, Region: region, Partition: partition.Name,
		Suffix: partition.Suffix, Variables: given})
}

// TestModuleIsTheTemplate derives every rule, target, permission, role, queue, alarm, environment variable and the
// dashboard from the SAM template and from the Terraform module, for every environment file, and compares them. If it
// fails: see "Add a rule" in CONTRIBUTING.md.
func TestModuleIsTheTemplate(t *testing.T) {
	t.Parallel()
	for _, file := range validFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			got, err := describe(t, file, chosenSettings{})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range differences(got.template, got.module) {
				t.Error(line)
			}
		})
	}
}

// validFiles returns the environment files of the examples and of the field that have no faults.
func validFiles(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"../examples/*/*.yaml", "../internal/environment/testdata/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if _, err := environment.Load(file); err == nil {
				files = append(files, file)
			}
		}
	}
	if len(files) < 12 {
		t.Fatalf("only %d files are valid", len(files))
	}
	return files
}
