package access

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/iam"
)

const (
	devAccount, stagingAccount, prodAccount = "111111111111", "222222222222", "333333333333"
	stranger                                = "999999999999"
	organization                            = "o-a1b2c3d4e5"
	backend                                 = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
)

// example returns an environment of examples/, such as "centralized-dev-ecr/prod".
func example(t *testing.T, name string) *environment.Environment {
	t.Helper()
	env, err := environment.Load(filepath.Join("..", "..", "examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// file returns the environment of a file: project, and the rest.
func file(t *testing.T, rest string) *environment.Environment {
	t.Helper()
	env, err := environment.Parse("x.yaml", []byte("project: myproject\n"+rest))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// parse parses a policy, or the member of a JSON object that is one.
func parse(t *testing.T, text, member string) *iam.Document {
	t.Helper()
	if member != "" {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			t.Fatal(err)
		}
		text = string(members[member])
	}
	d, err := iam.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// TestPartitions checks the ARNs in policies for a region in China.
func TestPartitions(t *testing.T) {
	t.Parallel()
	env := file(t, "env: dev\nregion: cn-north-1\naccount_id: \"012345670123\"\n")
	repo, err := Repository(env, Callers{Accounts: []string{devAccount}})
	must(t, err)
	bus, err := Bus(env, Callers{Accounts: []string{devAccount}})
	must(t, err)
	github, err := GitHub(env, Source{Owner: "octocat", Name: "shop"})
	must(t, err)
	for want, p := range map[string]Policy{
		`"arn:aws-cn:iam::111111111111:root"`:                                              repo,
		`"arn:aws-cn:events:cn-north-1:012345670123:event-bus/default"`:                    bus,
		`"arn:aws-cn:ecr:cn-north-1:012345670123:repository/myproject_backend"`:            github,
		`"arn:aws-cn:iam::012345670123:oidc-provider/token.actions.githubusercontent.com"`: github,
	} {
		if !strings.Contains(p.JSON, want) || strings.Contains(p.JSON, `"arn:aws:`) {
			t.Errorf("want %s and no other partition in\n%s", want, p.JSON)
		}
	}
}

// TestManualRepositories checks the policies for repositories in other registries.
func TestManualRepositories(t *testing.T) {
	t.Parallel()
	env := file(t, `env: dev
region: us-east-1
account_id: "111111111111"
services:
  - {name: a, ecr_config: {mode: manual_repo, repository_uri: "444444444444.dkr.ecr.eu-west-1.amazonaws.com/team/app"}}
  - {name: b, ecr_config: {mode: use_existing, source_service_name: a}}
  - {name: c, ecr_config: {mode: manual_repo, repository_uri: "555555555555.dkr.ecr.eu-west-1.amazonaws.com/team.app"}}
  - {name: d, ecr_config: {mode: manual_repo, repository_uri: "555555555555.dkr.ecr.eu-west-1.amazonaws.com/team/app"}}
  - {name: hub, docker_image: "nginx:1.29"}
`)
	p, err := Repository(env, Callers{})
	must(t, err)
	want := []string{
		"aws ecr set-repository-policy --region eu-west-1 --repository-name team/app --policy-text file://policy.json",
		"aws ecr set-repository-policy --region eu-west-1 --repository-name team.app --policy-text file://policy.json",
		"aws ecr set-repository-policy --region eu-west-1 --repository-name team/app --policy-text file://policy.json",
	}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{`"team_app"`, `"team_app_2"`, `"team_app_3"`} {
		if !strings.Contains(p.Terraform, `resource "aws_ecr_repository_policy" `+name+" {") {
			t.Errorf("no resource is called %s in\n%s", name, p.Terraform)
		}
	}
	bus, err := Bus(env, Callers{})
	must(t, err)
	if !strings.Contains(bus.JSON, "444444444444") || !strings.Contains(bus.JSON, "555555555555") {
		t.Errorf("the pushes of both registries deploy:\n%s", bus.JSON)
	}
	role, err := GitHub(env, Source{Owner: "octocat", Name: "shop"})
	must(t, err)
	const theirs = "arn:aws:ecr:eu-west-1:444444444444:repository/team/app"
	ask(t, parse(t, role.JSON, "PolicyDocument"), []question{
		{"checks a tag of another registry", caller(devAccount, "", "ecr:BatchGetImage", theirs), iam.Allow},
		{"pushes to another registry", caller(devAccount, "", "ecr:PutImage", theirs), iam.NoMatch},
	})
}

// TestTerraform checks that the Terraform resources have the same policies.
func TestTerraform(t *testing.T) {
	t.Parallel()
	env := file(t,
		"env: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n"+
			"deployer: {deploy_sources: ['a${b}%{c}', 'x\": <&>']}\n")
	p, err := Bus(env, Callers{Accounts: []string{devAccount}})
	must(t, err)
	_, body, _ := strings.Cut(p.Terraform, "jsonencode(")
	body = strings.TrimSuffix(body, ")\n}\n")
	body = strings.NewReplacer("$${", "${", "%%{", "%{", `" : `, `": `).Replace(body)
	var got, want any
	must(t, json.Unmarshal([]byte(body), &got))
	must(t, json.Unmarshal([]byte(p.JSON), &want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Count(p.Terraform, "$${b}%%{c}") != 1 || !strings.Contains(p.Terraform, `"x\": <&>"`) {
		t.Errorf("Terraform would read templates in\n%s", p.Terraform)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTrustedAccounts checks that the repository policy allows the accounts that the
// file trusts, unless others are named.
func TestTrustedAccounts(t *testing.T) {
	t.Parallel()
	env, err := environment.Load("../environment/testdata/trusted-accounts.yaml")
	must(t, err)
	for _, tt := range []struct {
		name    string
		callers Callers
		want    []string
	}{
		{"those of the file", Callers{}, []string{"444455556666", "777788889999"}},
		{"others", Callers{Accounts: []string{"123456789012"}}, []string{"123456789012"}},
	} {
		p, err := Repository(env, tt.callers)
		must(t, err)
		var got []string
		for _, id := range []string{"111122223333", "123456789012", "444455556666", "777788889999"} {
			if strings.Contains(p.JSON, "arn:aws:iam::"+id+":root") {
				got = append(got, id)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
