package stack

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/access"
	"deployer/internal/environment"
)

// ecr returns an environment with its own registry: the services, and further lines.
func ecr(t *testing.T, services, rest string) *environment.Environment {
	t.Helper()
	env, err := environment.Parse("dev.yaml", []byte("project: myproject\nenv: dev\nregion: us-east-1\n"+
		"account_id: \"111111111111\"\necr_strategy: local\nservices: ["+services+"]\n"+rest))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// value returns the value of a parameter.
func value(parameters []Parameter, name string) string {
	for _, p := range parameters {
		if p.Name == name {
			return p.Value
		}
	}
	return "(missing)"
}

func TestRegistryParameters(t *testing.T) {
	t.Parallel()
	const trusted = "ecr_trusted_accounts: [{account_id: \"222222222222\"}, {account_id: \"333333333333\"}]\n"
	tests := []struct {
		name, services, rest string
		more                 []string
		want                 map[string]string
	}{
		{"the defaults", "{name: web-api}", "scheduled_tasks: [{name: report}]\n", nil, map[string]string{
			"Repositories":     "myproject_backend,myproject_service_web-api,myproject_task_report",
			"ReaderAccountIds": "", "OrganizationId": "", "MutableTags": "latest,stable,env-*", "KmsKeyArn": ""}},
		{"trusted accounts read", "", trusted, nil, map[string]string{
			"ReaderAccountIds": "222222222222,333333333333", "OrganizationId": ""}},
		{"an organization instead", "", trusted, []string{"OrganizationId=o-a1b2c3d4e5"}, map[string]string{
			"ReaderAccountIds": "", "OrganizationId": "o-a1b2c3d4e5"}},
		{"other accounts instead", "", trusted, []string{"ReaderAccountIds=012345670123"}, map[string]string{
			"ReaderAccountIds": "012345670123"}},
		{"the default again", "", trusted, []string{"ReaderAccountIds=012345670123", "ReaderAccountIds="},
			map[string]string{"ReaderAccountIds": "222222222222,333333333333"}},
		{"tags that deploy when they move", "", "deployer: {auto_deploy: [latest, main, 'v*', env-dev-1]}\n", nil,
			map[string]string{"MutableTags": "latest,stable,env-*,main"}},
		{"tags", "", "", []string{"MutableTags=a,b,c,d,e*f*"}, map[string]string{"MutableTags": "a,b,c,d,e*f*"}},
		{"some repositories", "{name: web-api}", "", []string{"Repositories=myproject_service_web-api"},
			map[string]string{"Repositories": "myproject_service_web-api"}},
		{"a key", "", "", []string{"KmsKeyArn=arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab"},
			map[string]string{"KmsKeyArn": "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab"}},
		{"repositories by hand are managed elsewhere", "{name: a, ecr_config: {mode: manual_repo, repository_uri: " +
			"\"111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app\"}}, {name: b, ecr_config: {mode: use_existing, " +
			"source_service_name: c, source_service_type: services}}, {name: c}, {name: d, docker_image: " +
			"\"nginx:1\"}", "", nil,
			map[string]string{"Repositories": "myproject_backend,myproject_service_c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parameters, err := RegistryParameters(ecr(t, tt.services, tt.rest), false, tt.more...)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name := range tt.want {
				got[name] = value(parameters, name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRegistryLifecycle checks that the parameter is the policy that the command policy prints.
func TestRegistryLifecycle(t *testing.T) {
	t.Parallel()
	env := ecr(t, "", "deployer: {auto_deploy: [main, 'rel-*']}\n")
	for archive, policy := range map[bool]func(*environment.Environment) (access.Policy, error){
		false: access.Lifecycle, true: access.ArchivingLifecycle,
	} {
		printed, err := policy(env)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := RegistryParameters(env, archive)
		if err != nil {
			t.Fatal(err)
		}
		text := value(parameters, "LifecyclePolicy")
		spaceless := strings.NewReplacer(" ", "", "\n", "").Replace
		if diff := cmp.Diff(spaceless(printed.JSON), spaceless(text)); diff != "" || strings.Contains(text, "\n") {
			t.Errorf("archive %t:\n%s", archive, diff)
		}
	}
}

func TestRegistryErrors(t *testing.T) {
	t.Parallel()
	many := make([]string, 120)
	for i := range many {
		many[i] = "{name: a-service-with-a-long-name-" + strings.Repeat("a", i%10) + strings.Repeat("b", i/10) + "c}"
	}
	tests := []struct {
		name, services, rest string
		more                 []string
		want                 string
	}{
		{"names with one logical id", "{name: web-api}, {name: webapi}", "", nil,
			"CloudFormation would give the repositories myproject_service_web-api and myproject_service_webapi one " +
				"logical id, Repositorymyprojectservicewebapi: make 2 stacks, each with some of the names " +
				"(Repositories=NAMES)"},
		{"too many tags that move", "", "deployer: {auto_deploy: [main, next, dev]}\n", nil,
			"6 tags would be mutable (latest, stable, env-*, main, next, dev), and ECR accepts at most 5: name " +
				"those that move, or patterns of them, such as deployer params -f dev.yaml --registry " +
				"'MutableTags=latest,env-*,main,next,dev'"},
		{"more tags that move than fit without the usual ones", "", "", []string{"MutableTags=latest,a,b,c,d,e,f"},
			"7 tags would be mutable (latest, a, b, c, d, e, f), and ECR accepts at most 5: name those that move, or " +
				"patterns of them, such as deployer params -f dev.yaml --registry MutableTags=a,b,c,d,e"},
		{"too many wildcards", "", "", []string{"MutableTags=a*b*c*"},
			`MutableTags has "a*b*c*", which ECR does not accept: a tag of at most 128 letters, digits, ".", "_" ` +
				`and "-", ` +
				`with at most 2 wildcards (*)`},
		{"no tag", "", "", []string{"MutableTags=latest,"},
			`MutableTags has "", which ECR does not accept: a tag of at most 128 letters, digits, ".", "_" and "-", ` +
				`with at ` +
				`most 2 wildcards (*)`},
		{"an organization and accounts", "", "",
			[]string{"OrganizationId=o-a1b2c3d4e5", "ReaderAccountIds=222222222222"},
			"OrganizationId and ReaderAccountIds exclude each other: give one of them"},
		{"not an organization", "", "", []string{"OrganizationId=r-a1b2"}, "OrganizationId=r-a1b2 is not the id of " +
			"an " +
			"organization: write it like o-a1b2c3d4e5 (aws organizations describe-organization)"},
		{"not an account", "", "", []string{"ReaderAccountIds=12345670123"}, `ReaderAccountIds has "12345670123", ` +
			`which is ` +
			`not an account id: write 12 digits, leading zeros too, and commas between the ids`},
		{"a key elsewhere", "", "", []string{"KmsKeyArn=arn:aws:kms:eu-west-1:111111111111:key/1"},
			"KmsKeyArn=arn:aws:kms:eu-west-1:111111111111:key/1 is not the ARN of a KMS key in us-east-1: write it " +
				"like " +
				"arn:aws:kms:us-east-1:111111111111:key/ID (aws kms describe-key)"},
		{"another's repository", "", "", []string{"Repositories=web"}, `Repositories has "web", which is no ` +
			`repository of ` +
			`dev.yaml: choose from myproject_backend`},
		{"twice", "", "", []string{"Repositories=myproject_backend,myproject_backend"},
			"Repositories has myproject_backend twice"},
		{"what follows from the file", "", "", []string{"LifecyclePolicy=x"}, `reading "LifecyclePolicy=x": not ` +
			`NAME=VALUE ` +
			`for one of Repositories, ReaderAccountIds, OrganizationId, MutableTags, KmsKeyArn; LifecyclePolicy ` +
			`follows ` +
			`from dev.yaml`},
		{"more than a parameter holds", strings.Join(many, ", "), "", nil,
			"the names of 121 repositories have 6857 characters, and a parameter of CloudFormation at most 4096: " +
				"make 2 stacks, each with some of the names (Repositories=NAMES)"},
		{"no repository", "", "workload: {backend_external_docker_image: \"nginx:1\"}\n", nil,
			"no workload of dev.yaml runs an image from a repository named myproject_…, so there is none to create"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := RegistryParameters(ecr(t, tt.services, tt.rest), false, tt.more...)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	env, err := environment.Load("../../examples/centralized-dev-ecr/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const want = "prod runs images of account 111111111111 in us-east-1 (cross_account: set by ecr_strategy): " +
		"create the " +
		"repositories with the file of that account's environment"
	if _, err := RegistryParameters(env, false); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
