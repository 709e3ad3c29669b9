package deploy_test

import (
	"fmt"
	"strings"
	"testing"
)

// trustedAccounts returns n accounts that run images of the environment's registry.
func trustedAccounts(n int) (lines string) {
	for i := range n {
		lines += fmt.Sprintf("  - account_id: \"2222222222%02d\"\n", i)
	}
	return lines
}

// TestModuleErrors checks what the module refuses.
func TestModuleErrors(t *testing.T) {
	t.Parallel()
	const head = "env: dev\nregion: us-east-1\n"
	const quote = "An account id of FILE is not a text of 12 digits: quote it, as in account_id: " +
		"\"012345670123\". YAML " +
		"takes digits without quotes for a number, which has no leading zeros. The ids are account_id, " +
		"ecr_account_id, " +
		"and account_id in ecr_trusted_accounts."
	const merges = "In FILE, write each merge key (<<) as the first key of its mapping, with a single alias: " +
		"Terraform lets what is merged replace the keys before it, and the deployer does not."
	notText := func(keys string) string {
		return "Quote " + keys + " in FILE: YAML takes it for a number, a boolean or a date, which Terraform " +
			"writes in another way."
	}
	for _, tt := range []struct {
		name, file string
		variables  map[string]any
		want       string
	}{
		{"an account id without quotes", head + "account_id: 012345670123\n", nil, quote},
		{"another without quotes", head + "ecr_account_id: 123456789012\n", nil, quote},
		{"one in a list", head + "ecr_trusted_accounts: [{account_id: \"222222222222\"}, {account_id: " +
			"333333333333}]\n",
			nil, quote},
		{"an account id of 11 digits", head + "account_id: \"12345678901\"\n", nil, quote},
		{"an unknown strategy", head + "ecr_strategy: remote\n", nil,
			"ecr_strategy of FILE is neither local nor cross_account: write one of them, or leave the key out."},
		{"no registry", "env: qa\nregion: us-east-1\necr_strategy: cross_account\n", nil,
			"No ECR repository found: the strategy of FILE is cross_account, but ecr_account_id is not set " +
				"(add the line: " +
				"ecr_account_id: \"123456789012\", the account that owns the images)."},
		{"no region of the registry", "env: qa\nregion: us-east-1\necr_account_id: \"222222222222\"\n", nil,
			"No ECR repository found: the strategy of FILE is cross_account, but ecr_account_region is not set " +
				"(add the " +
				"line: ecr_account_region: \"us-east-1\", the region of that account's registry)."},
		{"another account", head + "account_id: \"222222222222\"\n", nil, "The credentials are of account " +
			"111111111111, " +
			"and FILE is of account 222222222222: use credentials of the environment's own account."},
		{"another region", "env: dev\nregion: eu-west-1\n", nil, "The provider's region is us-east-1, and FILE " +
			"is of " +
			"eu-west-1: set region in provider \"aws\" to it."},
		{"no env", "region: us-east-1\n", nil, "The environment file FILE needs project, env and region, each " +
			"a text: " +
			"quote what YAML takes for a number or a boolean (deployer validate FILE)."},
		{"a number as env", "env: 1\nregion: us-east-1\n", nil, "The environment file FILE needs project, env " +
			"and region, " +
			"each a text: quote what YAML takes for a number or a boolean (deployer validate FILE)."},
		{"a long env", "env: a-long-env-name\nregion: us-east-1\n", nil, "project of FILE may have 30 " +
			"characters and env " +
			"14, because names of rules and roles contain both: choose shorter ones."},
		{"no YAML", "env: [\n", nil, "The environment file FILE is not YAML with keys and values: deployer " +
			"validate FILE"},
		{"no file", "", map[string]any{"environment_file": "dev.yaml"}, "There is no environment file " +
			"dev.yaml: name it " +
			"from the directory in which terraform runs, or with ${path.root}."},
		{"no package", head, map[string]any{"package": "dist/deployer.zip"}, "There is no package " +
			"dist/deployer.zip: name " +
			"a zip (make package file=project/dev.yaml writes dist/deployer.zip), or an object as s3://BUCKET/KEY."},
		{"no key", head, map[string]any{"package": "s3://bucket"}, "There is no package s3://bucket: name a " +
			"zip (make " +
			"package file=project/dev.yaml writes dist/deployer.zip), or an object as s3://BUCKET/KEY."},
		{"a number as sender", head, map[string]any{"sender_accounts": []int{12345670123}}, "sender_accounts " +
			"must have " +
			"account ids of 12 digits, each in quotes: quote it, as in \"012345670123\"."},
		{"minutes", head, map[string]any{"reconcile_minutes": 7}, "reconcile_minutes must be 0, 5, 10, 15, 30 " +
			"or 60."},
		{"16 buses", head, map[string]any{"forward_pushes_to": buses(16)}, "forward_pushes_to has more than 15 " +
			"buses: " +
			"pushes are forwarded by three rules of at most five targets."},
		{"16 trusted accounts", head + "ecr_trusted_accounts:\n" + trustedAccounts(16), nil,
			"Pushes would be forwarded to 16 event buses, and the rules forward to 15 at most: name those where " +
				"pushes deploy in forward_pushes_to."},
		{"no bus", head, map[string]any{"forward_pushes_to": []string{"default"}}, "forward_pushes_to must " +
			"have ARNs of " +
			"event buses, as in arn:aws:events:us-east-1:222222222222:event-bus/default: the output " +
			"default_bus_arn of the " +
			"other environment."},
		{"a number as a name", head + "services: [{name: 007}, {name: \"a\"}, {name: yes}]\n", nil, notText(
			"services[0].name, services[2].name")},
		{"a date as a name", head + "scheduled_tasks: [{name: 2020-01-01}]\n", nil, notText("scheduled_tasks[0].name")},
		{"other names", head + "event_processor_tasks: [{name: a, rules: [{name: b}, {name: y}], rule_name: 1.10, " +
			"ecr_config: {source_service_name: on}}]\nworkload: {backend_external_docker_image: off}\n", nil, notText(
			"event_processor_tasks[0].rule_name, event_processor_tasks[0].ecr_config.source_service_name, " +
				"event_processor_tasks[0].rules[1].name, workload.backend_external_docker_image")},
		{"names of the deployer's own", head + "services: [{name: a}]\ndeployer: {cluster: no, deploy_sources: " +
			"[a, 1], workloads: {a: {family: y, schedule: [g/n, 1]}}}\n", nil, notText(
			"deployer.workloads.a.family, deployer.workloads.a.schedule, deployer.deploy_sources, deployer.cluster")},
		{"a merge after another key", "x: &x {env: qa}\n" + head + "<<: *x\n", nil, merges},
		{"one in a list of services", head + "x: &x {enabled: false}\nservices:\n  - name: a\n    # off\n    <<: *x\n",
			nil, merges},
		{"one within braces", head + "x: &x {enabled: false}\nservices: [{name: a, <<: *x}]\n", nil, merges},
		{"one in the next line", head + "x: &x {enabled: false}\nservices:\n- {name: a,\n   <<: *x}\n", nil, merges},
		{"several mappings that are merged", head + "x: &x {a: 1}\ny: &y {a: 2}\nz: {<<: [*x, *y]}\n", nil, merges},
		{"several in lines", head + "x: &x {a: 1}\nz:\n  <<:\n    - *x\n", nil, merges},
		{"a circle", head + "services: [{name: a, ecr_config: {mode: use_existing, source_service_name: b}}, " +
			"{name: b, " +
			"ecr_config: {mode: use_existing, source_service_name: a}}]\n", nil, "ecr_config of services/a, " +
			"services/b in " +
			"FILE names no workload with a repository of its own: deployer validate FILE"},
		{"a source that is not there", head + "services: [{name: a, ecr_config: {mode: use_existing, " +
			"source_service_name: b}}]\n", nil, "ecr_config of services/a in FILE names no workload with a " +
			"repository of " +
			"its own: deployer validate FILE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := written(t, tt.file)
			_, err := loadModule(t, file, dev, region, tt.variables)
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), file, "FILE")
				got = got[strings.LastIndex(got, "}: ")+1:]
			}
			if !strings.HasSuffix(got, ": "+tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
