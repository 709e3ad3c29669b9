package deploy_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/access"
	"deployer/internal/environment"
	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
)

// registry returns registry.yaml with the parameters that the command line prints for an environment.
func registry(t *testing.T, env *environment.Environment, archive bool, more ...string) *cloudformation.Template {
	t.Helper()
	parameters, err := stack.RegistryParameters(env, archive, more...)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	loaded, err := registryWith(t, env, values)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func registryWith(
	t *testing.T, env *environment.Environment, values map[string]string,
) (*cloudformation.Template, error) {
	t.Helper()
	source, err := os.ReadFile("registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return cloudformation.Load(source, cloudformation.Parameters{Account: env.AccountID, Region: env.Region,
		Stack: stack.RegistryName(env), Values: values})
}

func example(t *testing.T, name string) *environment.Environment {
	t.Helper()
	env, err := environment.Load("../examples/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// TestRegistryExamples expands the stack of every example that has a registry, and compares its repositories with the
// file's, and its policies with those that the command line prints.
func TestRegistryExamples(t *testing.T) {
	t.Parallel()
	names := []string{"myproject_backend", "myproject_service_web-api", "myproject_service_worker",
		"myproject_task_nightly-report"}
	tests := []struct {
		name    string
		archive bool
		more    []string
		callers access.Callers
	}{
		{"centralized-dev-ecr/dev", false, []string{"ReaderAccountIds=222222222222,333333333333"},
			access.Callers{Accounts: []string{staging, prod}}},
		{"centralized-dev-ecr/dev", false, []string{"ReaderAccountIds=222222222222"},
			access.Callers{Accounts: []string{staging}}},
		{"centralized-dev-ecr/dev", true, []string{"OrganizationId=o-a1b2c3d4e5"},
			access.Callers{Organization: "o-a1b2c3d4e5"}},
		{"isolated-production-ecr/prod", false, nil, access.Callers{}},
		{"per-environment-ecr/staging", true, nil, access.Callers{}},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+strings.Join(tt.more, ""), func(t *testing.T) {
			t.Parallel()
			env := example(t, tt.name)
			var got []string
			for _, r := range registry(t, env, tt.archive, tt.more...).Repositories() {
				got = append(got, r.Name)
				if want := printedLifecycle(t, env, tt.archive); !equalJSON(t, want, r.Lifecycle) {
					t.Errorf("%s has the lifecycle policy\n%s\nand deployer policy "+
						"prints\n%s", r.Name, r.Lifecycle, want)
				}
				if want := printedPolicy(t, env, tt.callers); !equalJSON(t, want, r.Policy) {
					t.Errorf("%s has the policy\n%s\nand deployer policy prints\n%s", r.Name, r.Policy, want)
				}
			}
			if diff := cmp.Diff(names, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRegistryDefaults compares the template's defaults with what the command line prints.
func TestRegistryDefaults(t *testing.T) {
	t.Parallel()
	env := example(t, "centralized-dev-ecr/dev")
	byDefault, err := registryWith(t, env, map[string]string{"Repositories": "myproject_backend"})
	if err != nil {
		t.Fatal(err)
	}
	want := registry(t, env, false, "Repositories=myproject_backend").Repositories()
	got := byDefault.Repositories()
	if len(got) != 1 || !equalJSON(t, want[0].Lifecycle, got[0].Lifecycle) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	got[0].Lifecycle = want[0].Lifecycle
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRegistrySettings(t *testing.T) {
	t.Parallel()
	env := example(t, "centralized-dev-ecr/dev")
	const key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	tests := []struct {
		name   string
		values map[string]string
		want   cloudformation.Repository
	}{
		{"no mutable tags", map[string]string{"MutableTags": ""}, cloudformation.Repository{Mutability: "IMMUTABLE"}},
		{"one", map[string]string{"MutableTags": "latest"},
			cloudformation.Repository{Mutability: "IMMUTABLE_WITH_EXCLUSION", Exclusions: []string{"latest"}}},
		{"five", map[string]string{"MutableTags": "a,b*,c,*d*,e"},
			cloudformation.Repository{Mutability: "IMMUTABLE_WITH_EXCLUSION",
				Exclusions: []string{"a", "b*", "c", "*d*", "e"}}},
		{"a key", map[string]string{"MutableTags": "", "KmsKeyArn": key},
			cloudformation.Repository{Mutability: "IMMUTABLE", KMSKey: key}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			values := map[string]string{"Repositories": "a_b-c", "LifecyclePolicy": "{}"}
			maps.Copy(values, tt.values)
			loaded, err := registryWith(t, env, values)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.LogicalID, tt.want.Name = "Repositoryabc", "a_b-c"
			tt.want.ARN = "arn:aws:ecr:us-east-1:111111111111:repository/a_b-c"
			tt.want.ScanOnPush, tt.want.Lifecycle = true, "{}"
			if diff := cmp.Diff([]cloudformation.Repository{tt.want}, loaded.Repositories()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRegistryRetains checks that nothing that CloudFormation does deletes a repository, and that the stack can be
// created by an import, which outputs prevent.
func TestRegistryRetains(t *testing.T) {
	t.Parallel()
	loaded := registry(t, example(t, "centralized-dev-ecr/dev"), false)
	for _, id := range loaded.Resources("") {
		r := loaded.Resource(id)
		properties, _ := r["Properties"].(map[string]any)
		if r["DeletionPolicy"] != "Retain" || r["UpdateReplacePolicy"] != "Retain" ||
			properties["EmptyOnDelete"] != nil {
			t.Errorf("%s is not retained: %v", id, r)
		}
	}
	if len(loaded.Outputs()) > 0 {
		t.Errorf("the stack has outputs: %v", loaded.Outputs())
	}
}

// TestRegistryRefuses checks the parameters that the template itself refuses.
func TestRegistryRefuses(t *testing.T) {
	t.Parallel()
	env := example(t, "centralized-dev-ecr/dev")
	for name, value := range map[string]string{
		"Repositories": "web-api,webapi", "ReaderAccountIds": "12345670123", "OrganizationId": "*",
		"MutableTags": "a,b,c,d,e,f", "KmsKeyArn": "alias/key",
	} {
		values := map[string]string{"Repositories": "web-api"}
		values[name] = value
		if _, err := registryWith(t, env, values); err == nil {
			t.Errorf("%s=%s: the template loads", name, value)
		}
	}
	if id := registry(t, env, false).Repositories()[1].LogicalID; id != stack.LogicalID("myproject_service_web-api") {
		t.Errorf("the logical id is %s, and the import file has another", id)
	}
}
