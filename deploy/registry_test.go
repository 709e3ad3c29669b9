package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/access"
	"deployer/internal/environment"
	"deployer/internal/stack"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
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

// TestRegistrySize compares the estimated size of the expanded template with the real one, so that the commands that
// are printed for many repositories do not exceed what CloudFormation takes directly.
func TestRegistrySize(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const limit = 51200 // see stack.TooLarge
	for _, length := range []int{1, 40, 200} {
		var names []string
		for i := 0; ; i++ {
			names = append(names, fmt.Sprintf("myproject_service_%s%03d", strings.Repeat("a", length), i))
			processed, err := cloudformation.Processed(source, cloudformation.Parameters{Account: dev,
				Region: region, Values: map[string]string{"Repositories": strings.Join(names, ",")}})
			if err != nil {
				t.Fatal(err)
			}
			if stack.TooLarge(names) {
				if len(processed) < limit*95/100 {
					t.Errorf("a template of %d bytes, of %d repositories, is taken to be too large",
						len(processed), len(names))
				}
				break
			}
			if len(processed) > limit {
				t.Fatalf("a template of %d bytes, of %d repositories, is not taken to be too large",
					len(processed), len(names))
			}
		}
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

// TestRegistryWorks creates the stack on emulated AWS: its readers pull, and no one else; releases stay what they are,
// and latest moves. An update of the stack keeps the images.
func TestRegistryWorks(t *testing.T) {
	t.Parallel()
	cloud, url := emulatortest.Start(t, emulator.Options{})
	env := example(t, "centralized-dev-ecr/dev")
	install := func(more ...string) {
		t.Helper()
		if err := cloud.LoadTemplate(dev, region, registry(t, env, false, more...)); err != nil {
			t.Fatal(err)
		}
	}
	install("ReaderAccountIds=" + staging)
	owner := accounts.Connect(url, dev, region)
	for _, w := range env.Workloads {
		if _, err := owner.Push(t.Context(), w.Repository, "one", "v1.0.0", "latest"); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, tag := range []string{"v1.0.0", "latest", "env-dev-1", "git-abc123f"} {
		got[tag] = "moves"
		if _, err := owner.Push(t.Context(), "myproject_backend", "one", tag); err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Push(t.Context(), "myproject_backend", "two", tag); err != nil {
			got[tag] = err.Error()[strings.LastIndex(err.Error(), ": ")+2:]
		}
	}
	const immutable = "The image tag '%s' already exists in the 'myproject_backend' repository and cannot be " +
		"overwritten " +
		"because the tag is immutable."
	want := map[string]string{"latest": "moves", "env-dev-1": "moves", "v1.0.0": fmt.Sprintf(immutable, "v1.0.0"),
		"git-abc123f": fmt.Sprintf(immutable, "git-abc123f")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	readers := func() (allowed []string) {
		for _, account := range []string{dev, staging, prod} {
			_, err := accounts.Connect(url, account, region).ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RegistryId: aws.String(dev), RepositoryName: aws.String("myproject_service_web-api")})
			if err == nil {
				allowed = append(allowed, account)
			}
		}
		return allowed
	}
	if got := readers(); !slices.Equal(got, []string{dev, staging}) {
		t.Errorf("%v may read", got)
	}
	cloud.SetOrganization("o-a1b2c3d4e5", dev, prod)
	install("OrganizationId=o-a1b2c3d4e5")
	if got := readers(); !slices.Equal(got, []string{dev, prod}) {
		t.Errorf("after the update, %v may read", got)
	}
}
