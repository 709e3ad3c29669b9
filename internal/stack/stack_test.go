package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			{"ClusterName", "p_cluster_dev"},
			{"FamilyArns", "arn:aws:ecs:us-east-1:*:task-definition/p_service_dev:*"},
			{"RoleArns", "arn:aws:iam::*:role/p_backend_task_dev,arn:aws:iam::*:role/p_backend_task_execution_dev"},
			{"RepositoryArns", "arn:aws:ecr:us-east-1:*:repository/p_backend"}, {"ReconcileMinutes", "15"},
			{"FollowFirstRuns", "false"}}},
		{"prod", "project: p\nenv: prod\nregion: us-east-1\n",
			[]string{"ReconcileMinutes=0", "AlarmTopicArn=arn:aws:sns:us-east-1:111111111111:t"}, []Parameter{
				{"Project", "p"}, {"Env", "prod"}, {"DeploySources", "action.prod,action.production"},
				{"AutoDeploy", "disabled"}, {"ClusterName", "p_cluster_prod"},
				{"FamilyArns", "arn:aws:ecs:us-east-1:*:task-definition/p_service_prod:*"},
				{"RoleArns", list("arn:aws:iam::*:role/p_backend_%s_prod", "task", "task_execution")},
				{"RepositoryArns", "arn:aws:ecr:us-east-1:*:repository/p_backend"},
				{"ReconcileMinutes", "0"}, {"AlarmTopicArn", "arn:aws:sns:us-east-1:111111111111:t"},
				{"FollowFirstRuns", "false"}}},
		{"local by env, with an id for others",
			"project: p\nenv: dev\nregion: us-east-1\necr_account_id: \"111111111111\"\n", nil, []Parameter{
				{"Project", "p"}, {"Env", "dev"}, {"DeploySources", "action.dev"}, {"AutoDeploy", "enabled"},
				{"ClusterName", "p_cluster_dev"},
				{"FamilyArns", "arn:aws:ecs:us-east-1:*:task-definition/p_service_dev:*"},
				{"RoleArns", "arn:aws:iam::*:role/p_backend_task_dev,arn:aws:iam::*:role/p_backend_task_execution_dev"},
				{"RepositoryArns", "arn:aws:ecr:us-east-1:*:repository/p_backend"}, {"ReconcileMinutes", "15"},
				{"FollowFirstRuns", "false"}}},
		{"odd", odd, nil, []Parameter{
			{"Project", "my_project"}, {"Env", "prod"}, {"EcrAccountId", "026148122259"},
			{"EcrAccountRegion", "us-east-1"},
			{"DeploySources", "action.production,release.tool"}, {"AutoDeploy", "enabled"}, {"ClusterName", "main"},
			{"FamilyArns", list("arn:aws:ecs:eu-west-1:012345670123:task-definition/my_project_service_%s:*",
				"prod", "old_prod", "same-v2_prod", "outside_prod")},
			{"RoleArns", list("arn:aws:iam::012345670123:role/my_project_%s_prod", "backend_task",
				"backend_task_execution", "service_web_task", "service_web_task_execution", "service_old_task",
				"service_old_task_execution", "service_same_task", "service_same_task_execution",
				"service_outside_task", "service_outside_task_execution", "nightly_task",
				"scheduler_nightly_task_execution")},
			{"RepositoryArns", list("arn:aws:ecr:us-east-1:026148122259:repository/my_project_%s",
				"backend", "service_web", "task_nightly")},
			{"ExtraFamilyArns", list("arn:aws:ecs:eu-west-1:012345670123:task-definition/%s:*", "web-v2", "nightly")},
			{"ExtraRepositoryArns", "arn:aws:ecr:us-east-1:026148122259:repository/legacy/old"},
			{"ScheduleArns", "arn:aws:scheduler:eu-west-1:012345670123:schedule/my_project-schedule-group-prod-" +
				"nightly/my_project-scheduler-nightly-prod"},
			{"ScheduleRoleArns", "arn:aws:iam::012345670123:role/my_project_scheduler_nightly_role_prod"},
			{"SlackParameter", "/my_project/slack"},
			{"NotifyTopicArn", "arn:aws:sns:eu-west-1:012345670123:deployments"},
			{"ReconcileMinutes", "15"}, {"FollowFirstRuns", "false"}}},
		{"the last setting counts, and an empty one is the default", "project: p\nenv: dev\nregion: us-east-1\n",
			[]string{"ReconcileMinutes=0", "ReconcileMinutes=", "AlarmTopicArn=arn:aws:sns:us-east-1:111111111111:t",
				"AlarmTopicArn=", "ForwardPushesTo=arn:aws:events:us-east-1:222222222222:event-bus/a",
				"ForwardPushesTo=arn:aws:events:us-east-1:222222222222:event-bus/b", "ExtraRoleArns="}, []Parameter{
				{"Project", "p"}, {"Env", "dev"}, {"DeploySources", "action.dev"}, {"AutoDeploy", "enabled"},
				{"ClusterName", "p_cluster_dev"},
				{"FamilyArns", "arn:aws:ecs:us-east-1:*:task-definition/p_service_dev:*"},
				{"RoleArns", "arn:aws:iam::*:role/p_backend_task_dev,arn:aws:iam::*:role/p_backend_task_execution_dev"},
				{"RepositoryArns", "arn:aws:ecr:us-east-1:*:repository/p_backend"}, {"ReconcileMinutes", "15"},
				{"ForwardPushesTo", "arn:aws:events:us-east-1:222222222222:event-bus/b"},
				{"FollowFirstRuns", "false"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parameters(parse(t, tt.file), tt.more...)
			if err != nil {
				t.Fatal(err)
			}
			complete(t, got)
			accepted(t, got)
			got = slices.DeleteFunc(got, func(p Parameter) bool { return p.Value == "" })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// list returns ARNs with the names in the place of %s, separated by commas.
func list(arn string, names ...string) string {
	arns := make([]string, len(names))
	for i, name := range names {
		arns[i] = strings.Replace(arn, "%s", name, 1)
	}
	return strings.Join(arns, ",")
}

func TestParametersRefuses(t *testing.T) {
	t.Parallel()
	const file = "project: p\nenv: dev\nregion: us-east-1\n"
	const setting = `: not NAME=VALUE for one of SenderAccounts, ReconcileMinutes, ForwardPushesTo, ExtraRoleArns, ` +
		`KmsKeyArns, ReservedConcurrency, AlarmTopicArn, FollowFirstRuns; the others follow from dev.yaml`
	longest := "project: " + strings.Repeat("p", 30) + "\nenv: " + strings.Repeat("e", 14) + "\nregion: us-east-1\n"
	if _, err := Parameters(parse(t, longest)); err != nil {
		t.Error(err)
	}
	const long = "the names of the stack's rules and roles allow 30 and 14 (choose shorter ones)"
	for _, tt := range []struct{ name, file, more, want string }{
		{"a long project", strings.Replace(longest, ": p", ": pp", 1), "",
			"`project` of dev.yaml has 31 characters and `env` 14: " + long},
		{"a long environment", strings.Replace(longest, "env: e", "env: ee", 1), "",
			"`project` of dev.yaml has 30 characters and `env` 15: " + long},
		{"no account", strings.Replace(odd, `account_id: "012345670123"`, "", 1), "", errNoAccount.Error()},
		{"what the file says", file, "Env=prod", `reading "Env=prod"` + setting},
		{"no value", file, "AlarmTopicArn", `reading "AlarmTopicArn"` + setting},
		{"unknown and empty", file, "Unknown=", `reading "Unknown="` + setting},
		{"empty, but the file says it", file, "AutoDeploy=", `reading "AutoDeploy="` + setting},
		{"an account too short", file, "SenderAccounts=12", `SenderAccounts=12: the template accepts only what ` +
			`matches ([0-9]{12})?, and "12" does not`},
		{"a number that is not offered", file, "ReconcileMinutes=7",
			"ReconcileMinutes=7: the template accepts only 0, 5, 10, 15, 30, 60"},
		{"no bus", file, "ForwardPushesTo=foo", "ForwardPushesTo=foo: the template accepts only what matches " +
			forms["ForwardPushesTo"].pattern + `, and "foo" does not`},
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
