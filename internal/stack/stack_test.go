package stack

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
)

const odd = `project: my_project
env: prod
region: eu-west-1
account_id: "012345670123"
ecr_strategy: cross_account
ecr_account_id: "026148122259"
ecr_account_region: us-east-1
services:
  - name: web
  - name: old
    ecr_config: {mode: manual_repo, repository_uri: 026148122259.dkr.ecr.us-east-1.amazonaws.com/legacy/old}
  - name: same
    ecr_config: {mode: use_existing, source_service_name: old, source_service_type: services}
  - name: outside
    docker_image: nginx:1
scheduled_tasks:
  - name: nightly
deployer:
  cluster: main
  auto_deploy: ["env-prod-*"]
  deploy_sources: [action.production, release.tool]
  notify: {slack: /my_project/slack, topic: "arn:aws:sns:eu-west-1:012345670123:deployments"}
  workloads:
    web: {family: web-v2}
    same: {family: my_project_service_same-v2_prod}
`

func TestParameters(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		more       []string
		want       []Parameter
	}{
		{"local", "project: p\nenv: dev\nregion: us-east-1\n", nil, []Parameter{
			{"Project", "p"}, {"Env", "dev"}, {"DeploySources", "action.dev"}, {"AutoDeploy", "enabled"},
			{"ClusterName", "p_cluster_dev"}}},
		{"prod", "project: p\nenv: prod\nregion: us-east-1\n",
			[]string{"ReconcileMinutes=0", "AlarmTopicArn=arn:aws:sns:us-east-1:111111111111:t"}, []Parameter{
				{"Project", "p"}, {"Env", "prod"}, {"DeploySources", "action.prod,action.production"},
				{"AutoDeploy", "disabled"}, {"ClusterName", "p_cluster_prod"},
				{"ReconcileMinutes", "0"}, {"AlarmTopicArn", "arn:aws:sns:us-east-1:111111111111:t"}}},
		{"local by env, with an id for others",
			"project: p\nenv: dev\nregion: us-east-1\necr_account_id: \"111111111111\"\n", nil, []Parameter{
				{"Project", "p"}, {"Env", "dev"}, {"DeploySources", "action.dev"}, {"AutoDeploy", "enabled"},
				{"ClusterName", "p_cluster_dev"}}},
		{"odd", odd, nil, []Parameter{
			{"Project", "my_project"}, {"Env", "prod"}, {"EcrAccountId", "026148122259"},
			{"EcrAccountRegion", "us-east-1"},
			{"DeploySources", "action.production,release.tool"}, {"AutoDeploy", "enabled"}, {"ClusterName", "main"},
			{"ExtraFamilyArns", "arn:aws:ecs:eu-west-1:012345670123:task-definition/web-v2:*"},
			{"ExtraRepositoryArns", "arn:aws:ecr:us-east-1:026148122259:repository/legacy/old"},
			{"SlackParameter", "/my_project/slack"},
			{"NotifyTopicArn", "arn:aws:sns:eu-west-1:012345670123:deployments"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parameters(parse(t, tt.file), tt.more...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			accepted(t, got)
		})
	}
}

func TestParametersRefuses(t *testing.T) {
	t.Parallel()
	const file = "project: p\nenv: dev\nregion: us-east-1\n"
	const setting = `: not NAME=VALUE for one of ReconcileMinutes, ForwardPushesTo, ExtraRoleArns, AlarmTopicArn; ` +
		`the others follow from dev.yaml`
	for _, tt := range []struct{ name, file, more, want string }{
		{"no account", strings.Replace(odd, `account_id: "012345670123"`, "", 1), "", errNoAccount.Error()},
		{"what the file says", file, "Env=prod", `reading "Env=prod"` + setting},
		{"no value", file, "AlarmTopicArn", `reading "AlarmTopicArn"` + setting},
		{"a shell's", file, "AlarmTopicArn=$(id)", `reading "AlarmTopicArn=$(id)"` + setting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var more []string
			if tt.more != "" {
				more = []string{tt.more}
			}
			if _, err := Parameters(parse(t, tt.file), more...); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func parse(t *testing.T, file string) *environment.Environment {
	t.Helper()
	env, err := environment.Parse("dev.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// declaration is the declaration of a parameter in the template.
type declaration struct {
	Type           string   `yaml:"Type"`
	AllowedPattern string   `yaml:"AllowedPattern"`
	AllowedValues  []string `yaml:"AllowedValues"`
}

// declared returns the template's parameters, by name.
func declared(t *testing.T) map[string]declaration {
	t.Helper()
	text, err := os.ReadFile("../../deploy/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]declaration `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template.Parameters
}

// accepted checks that the template has the parameters and allows their values.
func accepted(t *testing.T, parameters []Parameter) {
	t.Helper()
	template := declared(t)
	for _, p := range parameters {
		d, ok := template[p.Name]
		if !ok {
			t.Errorf("the template has no parameter %s", p.Name)
		}
		values := []string{p.Value}
		if d.Type == "CommaDelimitedList" {
			values = strings.Split(p.Value, ",")
		}
		for _, value := range values {
			if d.AllowedPattern != "" && !regexp.MustCompile("^(?:"+d.AllowedPattern+")$").MatchString(value) {
				t.Errorf("the template does not take %q for %s: %s", value, p.Name, d.AllowedPattern)
			}
			if d.AllowedValues != nil && !slices.Contains(d.AllowedValues, value) {
				t.Errorf("the template does not take %q for %s: %v", value, p.Name, d.AllowedValues)
			}
		}
	}
}

// TestEveryParameter checks that the environment file decides every parameter of the
// template, or that it is one of those that are chosen at installation.
func TestEveryParameter(t *testing.T) {
	t.Parallel()
	got, err := Parameters(parse(t, odd))
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Clone(chosen)
	for _, p := range got {
		known = append(known, p.Name)
	}
	var names []string
	for name := range declared(t) {
		names = append(names, name)
	}
	slices.Sort(known)
	slices.Sort(names)
	if diff := cmp.Diff(names, known); diff != "" {
		t.Errorf("the template's parameters and those known here (-template +known):\n%s", diff)
	}
}
