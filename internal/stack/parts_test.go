package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitError checks that the parts of repositories that one stack cannot have are accepted, have all names, and get
// stacks of their own.
func TestSplitError(t *testing.T) {
	t.Parallel()
	many := make([]string, 120)
	for i := range many {
		many[i] = fmt.Sprintf("{name: a-service-with-a-long-name-of-its-team-%03d}", i)
	}
	for _, tt := range []struct {
		name, services string
		want           []string // nil if it is not compared
		stacks         string
	}{
		{"two pairs", "{name: web-api}, {name: a_b}, {name: ab}, {name: webapi}", []string{
			"myproject_backend,myproject_service_web-api,myproject_service_a_b",
			"myproject_service_ab,myproject_service_webapi",
		}, "myproject-registry-dev myproject-registry-dev-2"},
		{"three of one id", "{name: a-b}, {name: a_b}, {name: ab}", []string{
			"myproject_backend,myproject_service_a-b", "myproject_service_a_b", "myproject_service_ab",
		}, "myproject-registry-dev myproject-registry-dev-2 myproject-registry-dev-3"},
		{"more than a parameter holds", strings.Join(many, ", "), nil,
			"myproject-registry-dev myproject-registry-dev-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := ecr(t, tt.services, "")
			_, err := RegistryParameters(env, false)
			var split *SplitError
			if !errors.As(err, &split) {
				t.Fatalf("the error is %v", err)
			}
			if diff := cmp.Diff(tt.want, split.Parts); tt.want != nil && diff != "" {
				t.Error(diff)
			}
			all, err := ownRepositories(env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(all, strings.Split(strings.Join(split.Parts, ","), ",")); tt.want == nil && diff != "" {
				t.Errorf("the parts have other names:\n%s", diff)
			}
			var stacks []string
			for _, part := range split.Parts {
				parameters, err := RegistryParameters(env, false, "Repositories="+part)
				if err != nil {
					t.Fatal(err)
				}
				_, steps := RegistrySteps(env, "json", parameters)
				_, name, _ := strings.Cut(steps[0], " --stack-name ")
				name, _, _ = strings.Cut(name, " ")
				stacks = append(stacks, name)
				if !slices.Contains(Names(env), Made{"stack", name, false}) {
					t.Errorf("the environment's names do not have that of stack %s", name)
				}
			}
			if got := strings.Join(stacks, " "); got != tt.stacks {
				t.Errorf("the stacks are %s, want %s", got, tt.stacks)
			}
		})
	}
}

// TestRegistrySteps checks the commands for repositories whose template is too large to be passed directly.
func TestRegistrySteps(t *testing.T) {
	t.Parallel()
	services := make([]string, 30)
	for i := range services {
		services[i] = fmt.Sprintf("{name: web-%d}", i)
	}
	env := ecr(t, strings.Join(services, ", "), "")
	parameters, err := RegistryParameters(env, false)
	if err != nil {
		t.Fatal(err)
	}
	const in = " --region us-east-1 --stack-name myproject-registry-dev"
	const needs = ", and credentials of account 111111111111, and a bucket of it in us-east-1 (bucket=NAME), because " +
		"the template of 31 repositories is too large to be passed directly:"
	for format, want := range map[string][]string{
		"json": {checkout + "with the parameters in registry.json" + needs,
			"aws cloudformation deploy" + in + ` --template-file deploy/registry.yaml --s3-bucket "$bucket" ` +
				"--parameter-overrides file://registry.json --capabilities CAPABILITY_AUTO_EXPAND " +
				"--no-fail-on-empty-changeset"},
		"import": {checkout + "with the resources in import.json, the parameters (--format change-set) of these " +
			"repositories " +
			"and of those that the stack has in change-set.json" + needs,
			`aws s3 cp --region us-east-1 deploy/registry.yaml "s3://$bucket/registry.yaml"`,
			"aws cloudformation create-change-set" + in + " --change-set-name import --change-set-type IMPORT " +
				`--template-url "https://$bucket.s3.us-east-1.amazonaws.com/registry.yaml" ` +
				"--parameters file://change-set.json --resources-to-import file://import.json " +
				"--capabilities CAPABILITY_AUTO_EXPAND",
			"aws cloudformation wait change-set-create-complete" + in + " --change-set-name import",
			"aws cloudformation execute-change-set" + in + " --change-set-name import",
			"aws cloudformation wait stack-import-complete" + in},
	} {
		intro, steps := RegistrySteps(env, format, parameters)
		if diff := cmp.Diff(want, append([]string{intro}, steps...)); diff != "" {
			t.Errorf("%s:\n%s", format, diff)
		}
	}
}
