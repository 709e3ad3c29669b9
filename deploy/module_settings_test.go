package deploy_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployer/internal/stack"
)

// written writes an environment file of project shop.
func written(t *testing.T, lines string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte("project: shop\n"+lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// buses returns the ARNs of n event buses.
func buses(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("arn:aws:events:us-east-1:2222222222%02d:event-bus/default", i))
	}
	return all
}

// services returns n services of an environment file.
func services(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("{name: service-%02d}", i))
	}
	return all
}

// moduleCase is an environment file of project shop, and variables of the module.
type moduleCase struct {
	name, file string
	chosen     chosenSettings
}

// moduleCases returns a case for each variable of the module, and for files that none of the examples is like.
func moduleCases() []moduleCase {
	const (
		head  = "env: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n"
		topic = "arn:aws:sns:us-east-1:111111111111:alarms"
		role  = "arn:aws:iam::111111111111:role/web"
		key   = "arn:aws:kms:us-east-1:111111111111:key/1234-ab"
	)
	set := func(variable string, value any, setting string) chosenSettings {
		return chosenSettings{map[string]any{variable: value}, []string{setting}}
	}
	return []moduleCase{
		{"senders", head, set("sender_accounts", []string{prod}, "SenderAccounts="+prod)},
		{"no search", head, set("reconcile_minutes", 0, "ReconcileMinutes=0")},
		{"first runs", head + "scheduled_tasks: [{name: report}]\n", set("follow_first_runs", true,
			"FollowFirstRuns=true")},
		{"first runs without tasks", head, set("follow_first_runs", true, "FollowFirstRuns=true")},
		{"hourly search", head, set("reconcile_minutes", 60, "ReconcileMinutes=60")},
		{"roles", head, set("extra_role_arns", []string{role}, "ExtraRoleArns="+role)},
		{"keys", head, set("kms_key_arns", []string{key, key + "2"}, "KmsKeyArns="+key+","+key+"2")},
		{"reserved", head, set("reserved_concurrency", 0, "ReservedConcurrency=0")},
		{"alarm topic", head, set("alarm_topic_arn", topic, "AlarmTopicArn="+topic)},
		{"5 buses", head, set("forward_pushes_to", buses(5), "ForwardPushesTo="+strings.Join(buses(5), ","))},
		{"6 buses", head, set("forward_pushes_to", buses(6), "ForwardPushesTo="+strings.Join(buses(6), ","))},
		{"15 buses", head, set("forward_pushes_to", buses(15), "ForwardPushesTo="+strings.Join(buses(15), ","))},
		{"buses though trusted accounts are named", head + "ecr_trusted_accounts: [{account_id: \"222222222222\"}]\n",
			set("forward_pushes_to", buses(1), "ForwardPushesTo="+buses(1)[0])},
		{"trusted accounts", head + "ecr_trusted_accounts: [{account_id: \"222222222222\", region: eu-west-1}, " +
			"{account_id: \"333333333333\", env: prod}, {account_id: \"111111111111\"}, {env: x}, " +
			"{account_id: \"222222222222\", region: eu-west-1}]\n", chosenSettings{}},
		{"trusted accounts of another's registry", "env: staging\nregion: us-east-1\necr_account_id: " +
			"\"222222222222\"\n" +
			"ecr_account_region: us-east-1\necr_trusted_accounts: [{account_id: " +
			"\"333333333333\"}]\n", chosenSettings{}},
		{"a parameter and a topic", head + "deployer: {notify: {slack: /shop/slack, topic: " + topic + "}}\n",
			chosenSettings{}},
		{"a secret", head + "deployer: {notify: {slack: " +
			"/aws/reference/secretsmanager/shop/slack}}\n", chosenSettings{}},
		{"redeployments", head + "deployer: {redeploy_on: [parameters, secrets, env_files]}\n", chosenSettings{}},
		{"sources", head + "deployer: {deploy_sources: [ci.shop, ci.other]}\n", chosenSettings{}},
		{"no tags", head + "deployer: {auto_deploy: []}\n", chosenSettings{}},
		{"null", head + "deployer: {auto_deploy: null, cluster: null}\nservices: " +
			"null\nworkload:\n", chosenSettings{}},
		{"nothing deploys on push", head + "workload: {backend_auto_deploy: no}\n", chosenSettings{}},
		{"tags in production", "env: eu-live\nregion: us-east-1\ndeployer: {auto_deploy: " +
			"['v*']}\n", chosenSettings{}},
		{"production by a flag", "env: eu\nregion: us-east-1\nis_prod: \"yes\"\n", chosenSettings{}},
		{"env production", "env: production\nregion: us-east-1\n", chosenSettings{}},
		{"dev ignores another registry", head + "ecr_account_id: \"222222222222\"\n", chosenSettings{}},
		{"China", "env: dev\nregion: cn-north-1\ndeployer: {notify: {slack: /a}}\n", chosenSettings{}},
		{"GovCloud", "env: qa\nregion: us-gov-west-1\necr_account_id: \"222222222222\"\n" +
			"ecr_account_region: us-gov-east-1\n", set("kms_key_arns", []string{"arn:aws-us-gov:kms:us-gov-west-1:" +
			"111111111111:key/1"}, "KmsKeyArns=arn:aws-us-gov:kms:us-gov-west-1:111111111111:key/1")},
		{"names of its own", head + "services: [{name: web}, {name: backend}, {name: \"off\", enabled: false}]\n" +
			"deployer: {cluster: apps, workloads: {backend: {family: main}, web: {service: w, family: web-v2}, " +
			"\"service:backend\": {family: other}}}\n", chosenSettings{}},
		{"starting roles", head + "scheduled_tasks: [{name: a}, {name: b}, {name: " + strings.Repeat("n", 40) +
			"}]\nevent_processor_tasks: [{name: c}, {name: d}, {name: e}]\nservices: [{name: c}]\ndeployer: " +
			"{workloads: " +
			"{b: {start_role: [ci, 'arn:aws:iam::111111111111:role/x/events', ci]}, \"task:c\": {start_role: ci, " +
			"schedule: " +
			"g/n}, d: {schedule: g/m, rule: r}}}\n", set("extra_role_arns", []string{role}, "ExtraRoleArns="+role)},
		{"a starting role as a variable only", head + "event_processor_tasks: [{name: " + strings.Repeat("n", 40) +
			", rule_name: r}]\n", set("extra_role_arns", []string{role}, "ExtraRoleArns="+role)},
		{"no role to start with", head + "event_processor_tasks: [{name: " + strings.Repeat("n", 40) +
			", rule_name: r}]\n", chosenSettings{}},
		{"images by hand", head + "services: [{name: a, docker_image: \"nginx:1\"}, {name: b, docker_image: " +
			"\"https://222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/b:1@sha256:" + strings.Repeat("a", 64) +
			"\"}, " +
			"{name: c, docker_image: 111111111111.dkr-ecr-fips.us-east-1.on.aws/shop_other}]\n", chosenSettings{}},
		{"repositories of others", head + "services: [{name: a, ecr_config: {mode: use_existing, " +
			"source_service_name: b, " +
			"source_service_type: scheduled_tasks}}, {name: c, ecr_config: {mode: use_existing, " +
			"source_service_name: a}}, " +
			"{name: d, ecr_config: {mode: manual_repo, repository_uri: " +
			"222222222222.dkr.ecr.eu-west-1.amazonaws.com/x}}, " +
			"{name: e, enabled: false, ecr_config: {mode: manual_repo, repository_uri: quay.io/e}}, " +
			"{name: f, ecr_config: {mode: use_existing, source_service_name: e}}]\n" +
			"scheduled_tasks: [{name: b, ecr_config: {mode: use_existing, source_service_name: " +
			"d}}]\n", chosenSettings{}},
		{"40 services", head + "services: [" + strings.Join(services(40), ", ") + "]\n", chosenSettings{}},
		{"60 services and tasks", head + "services: [" + strings.Join(services(60), ", ") + "]\nscheduled_tasks: " +
			"[{name: a}, {name: b, docker_image: 222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/b:1}]\n" +
			"event_processor_tasks: [{name: c}]\n", set("extra_role_arns", []string{role}, "ExtraRoleArns="+role)},
		{"keys that are merged", "x: &x {enabled: false}\ny: &y\n  <<: *x\n  z: 1\n" + head + "services:\n" +
			"  - <<: *x\n    name: a\n  - {<<: *y, name: b}\n  - {<<: *x, name: c, enabled: true}\n", chosenSettings{}},
		{"booleans as texts", head + "services: [{name: a, enabled: \"off\"}, {name: b, enabled: \"No\"}, " +
			"{name: c, enabled: \"n\"}, {name: d, enabled: \"FALSE\"}, {name: e, enabled: \"on\"}, " +
			"{name: \"yes\"}, {name: \"007\"}]\n", chosenSettings{}},
		{"no sources in production", "env: prod\nregion: us-east-1\ndeployer: {deploy_sources: []}\n",
			chosenSettings{}},
		{"trusted accounts by name", head + "ecr_trusted_accounts: [{account_id: \"222222222222\", env: Live_eu}, " +
			"{account_id: \"333333333333\", env: prd}, {account_id: \"444444444444\", env: eu-production}, " +
			"{account_id: \"555555555555\", env: products}]\n", chosenSettings{}},
	}
}

// TestModuleSettings compares the two descriptions for every case.
func TestModuleSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range moduleCases() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := describe(t, written(t, tt.file), tt.chosen)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range differences(got.template, got.module) {
				t.Error(line)
			}
		})
	}
}

// TestModuleMergesAtTheTop compares the two descriptions for a file that begins with what it merges.
func TestModuleMergesAtTheTop(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	text := "%YAML 1.1\n---\n# Shared.\n<<: {project: shop, env: qa, region: us-east-1}\nenv: dev\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := describe(t, file, chosenSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range differences(got.template, got.module) {
		t.Error(line)
	}
}

// TestModuleRoleFits checks that the module has the policies that the parameters imply, however many services and tasks
// there are, and whatever is in their place from a number of them on.
func TestModuleRoleFits(t *testing.T) {
	t.Parallel()
	for _, tt := range some(3, []struct{ services, scheduled, processors int }{
		{20, 5, 5}, {1, 1, 1}, {44, 0, 0}, {45, 0, 0}, {100, 0, 0}, {0, 100, 0}, {0, 0, 33}, {50, 25, 25},
		{0, 30, 0}, {150, 0, 0},
	}) {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			file := manyWorkloads(tt.services, tt.scheduled, tt.processors)
			got, err := describe(t, written(t, file), chosenSettings{})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range differences(got.template, got.module) {
				t.Error(line)
			}
		})
	}
}

// TestModulePatterns compares the two descriptions where names do not fit: with patterns of the kinds that the file
// accepts, or refused, if these are not enough.
func TestModulePatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range some(4, []struct {
		services, scheduled, processors int
		kinds                           string
		fits                            bool
	}{
		{220, 0, 0, "", false},
		{220, 0, 0, "repositories", true},
		{0, 200, 0, "roles, schedules, repositories", true},
		{300, 0, 0, "schedules, families, repositories", true},
		{600, 0, 0, "schedules, families, repositories", false},
		{300, 0, 0, "roles", true},
		{0, 180, 0, "schedules", true},
		{0, 300, 0, "schedules", false},
		{0, 180, 0, "schedules, repositories", true},
		{150, 0, 0, "repositories, schedules, roles, families", true}, // exact
		{200, 80, 20, "repositories, schedules, roles, families", true},
	}) {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			file := manyWorkloads(tt.services, tt.scheduled, tt.processors) +
				"deployer: {role_patterns: [" + tt.kinds + "]}\n"
			got, err := describe(t, written(t, file), chosenSettings{})
			if !tt.fits {
				if large := new(stack.TooLargeError); !errors.As(err, &large) {
					t.Errorf("params: %v, want a TooLargeError", err)
				}
				const want = " do not fit into the policies of the deployer's role: it would need more than the 10 " +
					"managed policies that IAM accepts. Give some of the workloads an environment of their own, or " +
					"accept name patterns, which also match names of neighbours (deployer validate FILE says which, " +
					"and what to write)."
				path := written(t, file)
				if _, err := loadModule(t, path, dev, region, nil); err == nil ||
					!strings.HasSuffix(strings.ReplaceAll(err.Error(), path, "FILE"), "FILE"+want) {
					t.Errorf("the module: %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range differences(got.template, got.module) {
				t.Error(line)
			}
		})
	}
}

// manyWorkloads returns an environment file of project shop with as many workloads.
func manyWorkloads(services, scheduled, processors int) string {
	file := "env: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n"
	for list, n := range map[string]int{"services": services, "scheduled_tasks": scheduled,
		"event_processor_tasks": processors} {
		file += list + ":\n"
		for i := range n {
			file += fmt.Sprintf("  - name: a-%s-%03d\n", list[:5], i)
		}
	}
	return file
}
