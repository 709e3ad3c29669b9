package environment

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"strategy without id and region", head + "ecr_strategy: cross_account\n",
			"x.yaml:5:15: No ECR repository found: the strategy is cross_account, but `ecr_account_id` is not set " +
				"(add the line: ecr_account_id: \"123456789012\"  # the account that owns the images)\n" +
				"x.yaml:5:15: No ECR repository found: the strategy is cross_account, but `ecr_account_region` is " +
				"not set (add the line: ecr_account_region: \"us-east-1\"  # the region of that account's registry)"},
		{"derived, without region", head + "ecr_account_id: \"111111111111\"\n",
			"x.yaml:5:17: No ECR repository found: the strategy is cross_account, but `ecr_account_region` is not " +
				"set (add the line: ecr_account_region: \"us-east-1\"  # the region of that account's registry)"},
		{"unknown strategy", head + "ecr_strategy: crossaccount\n",
			"x.yaml:5:15: `ecr_strategy` is \"crossaccount\" (write \"local\" or \"cross_account\")"},
		{"account id of 11 digits", head + "ecr_account_id: \"11111111111\"\n",
			"x.yaml:5:17: `ecr_account_id` is \"11111111111\", not an AWS account id (write its 12 digits in " +
				"quotes, like \"123456789012\")"},
		{"more than 1 MiB", head + strings.Repeat("# more\n", 1<<18),
			"x.yaml: the file has more than 1048576 bytes, and is no environment file (is it the right file?)"},
		{"merged twice", head + "services:\n  - &w {name: web}\n  - {<<: *w}\n  - *w\n",
			"x.yaml:7:5: `services[1].name` is \"web\" a second time, after line 6 (give each workload a name of its " +
				"own)\nx.yaml:8:5: `services[2].name` is \"web\" a second time, after line 6 (give each workload a " +
				"name of its own)"},
		{"value of an alias", "x: &x Dev!\n" + strings.Replace(head, "staging", "*x", 1),
			"x.yaml:3:6: `env` is \"Dev!\", which cannot be part of an AWS name (write it like dev)"},
		{"an empty item", head + "deployer: {auto_deploy: [1.0, ~]}\n",
			"x.yaml:5:31: `deployer.auto_deploy` has an item that is not a plain value (write each item as text)"},
		{"a container twice", head + "deployer: {workloads: {backend: {container: [a, b, a]}}}\n",
			"x.yaml:5:45: `deployer.workloads.backend.container` names \"a\" twice (name each container once)"},
		{"services without keys", head + "services: [web, ~]\n",
			"x.yaml:5:12: `services[0]` is a single value, not keys and values\n" +
				"x.yaml:5:17: `services[1].name` is not set (add the line: name: web)"},
		{"merge of text", head + "<<: x\n",
			"x.yaml:5:5: `<<` merges a single value, not keys and values (name a mapping that has an anchor: <<: " +
				"*name)"},
		{"address as a source", head + "deployer: {deploy_sources: ['https://example.com/x']}\n",
			"x.yaml:5:28: `deployer.deploy_sources` has an address, which is not the source of an event (write the " +
				"source that senders name, like action.staging)"},
		{"not the URI of a repository", head +
			"services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: 'example.com/A?'}}]\n",
			"x.yaml:5:70: `services[0].ecr_config.repository_uri` is \"example.com/A?\", not the URI of a " +
				"repository (write it like 111111111111.dkr.ecr.us-east-1.amazonaws.com/name)"},
		{"region", strings.Replace(head, "us-east-1", "virginia", 1),
			"x.yaml:3:9: `region` is \"virginia\", not an AWS region (write it like \"us-east-1\")"},
		{"ecr region", head + "ecr_account_region: us_east_1\n",
			"x.yaml:5:21: `ecr_account_region` is \"us_east_1\", not an AWS region (write it like \"us-east-1\")"},
		{"all at once", "env: Dev!\nproject: My Project\nschema_version: seven\n",
			"x.yaml:1:1: `region` is not set (add the line: region: us-east-1)\n" +
				"x.yaml:1:6: `env` is \"Dev!\", which cannot be part of an AWS name (write it like dev)\n" +
				"x.yaml:2:10: `project` is \"My Project\", which cannot be part of an AWS name (write it like " +
				"myproject)\n" +
				"x.yaml:3:17: `schema_version` is \"seven\", not a whole number (write it like 7)"},
		{"twice", head + "env: prod\n", "x.yaml:5:1: `env` is set a second time, after line 2 (remove one of the two)"},
		{"not plain", "project: [a]\nenv: {a: b}\nregion: !Ref region\n",
			"x.yaml:1:10: `project` is a list, not a plain value\nx.yaml:2:6: `env` is a mapping, not a plain value\n" +
				"x.yaml:3:9: `region` has the tag !Ref (write the value itself: the deployer does not evaluate tags)"},
		{"services not a list", head + "services: {web: {}}\n",
			"x.yaml:5:11: `services` is a mapping, not a list (write it as: services: [...])"},
		{"service without a name", head + "services:\n  - docker_image: nginx\n",
			"x.yaml:6:5: `services[0].name` is not set (add the line: name: web)"},
		{"service twice", head + "services:\n  - name: web\n  - name: web\n",
			"x.yaml:7:11: `services[1].name` is \"web\" a second time, after line 6 (give each workload a name of " +
				"its own)"},
		{"service called backend twice", head + "services: [{name: backend}, {name: backend}]\n",
			"x.yaml:5:36: `services[1].name` is \"backend\" a second time, after line 5 (give each workload a name " +
				"of " +
				"its own)"},
		{"names that ECR refuses", head + "services: [{name: Web}, {name: web_}, {name: a___b}, " +
			"{name: Own, ecr_config: {mode: manual_repo, repository_uri: ghcr.io/own/x}}, {name: Hub, docker_image: " +
			"nginx}, " +
			"{name: Gone, enabled: false}]\nscheduled_tasks: [{name: Nightly}]\n",
			"x.yaml:5:19: `services[0].name` is \"Web\"" + refused("myproject_service_Web") +
				"\nx.yaml:5:32: `services[1].name` is \"web_\"" + refused("myproject_service_web_") +
				"\nx.yaml:5:46: `services[2].name` is \"a___b\"" + refused("myproject_service_a___b") +
				"\nx.yaml:6:26: `scheduled_tasks[0].name` is \"Nightly\"" + refused("myproject_task_Nightly")},
		{"a name too long for ECS", head + "services: [{name: " + strings.Repeat("a", 230) + "}, {name: " +
			strings.Repeat("b", 230) + "}, {name: " + strings.Repeat("c", 230) + ", enabled: false}]\n" +
			"deployer: {workloads: {" + strings.Repeat("b", 230) + ": {service: b, family: b}}}\n",
			"x.yaml:6:23: `deployer.workloads` names no service for \"" + strings.Repeat("a", 230) + "\", whose ECS " +
				"service would have a name of 256 characters, and ECS allows 255 (write the service's name there: " +
				strings.Repeat("a", 230) + ": {service: NAME, family: NAME})"},
		{"project that ECR refuses", strings.Replace(head, "myproject", "my_-project", 1) + "services: [{name: web}]\n",
			"x.yaml:1:10: `project` is \"my_-project\", so its repositories would be called like " +
				"\"my_-project_backend\", which ECR refuses (write lower-case letters and digits, with single ., - " +
				"or _ between them)"},
		{"not a boolean", head + "is_prod: maybe\nservices: [{name: web, enabled: [], auto_deploy: 0}]\n",
			"x.yaml:5:10: `is_prod` is \"maybe\" (write true or false)\n" +
				"x.yaml:6:33: `services[0].enabled` is a list, not a plain value\n" +
				"x.yaml:6:50: `services[0].auto_deploy` is \"0\" (write true or false)"},
		{"trusted accounts",
			head + "ecr_trusted_accounts: [{account_id: '123'}, {account_id: '333333333333', region: eu}]\n",
			"x.yaml:5:37: `ecr_trusted_accounts[0].account_id` is \"123\", not an AWS account id (write its 12 " +
				"digits " +
				"in quotes, like \"123456789012\")\n" +
				"x.yaml:5:82: `ecr_trusted_accounts[1].region` is \"eu\", not an AWS region (write it like " +
				"\"us-east-1\")"},
		{"ecr_config mode", head + "services: [{name: web, ecr_config: {mode: own}}]\n",
			"x.yaml:5:43: `services[0].ecr_config.mode` is \"own\" (write create_ecr or manual_repo or use_existing)"},
		{"manual repository with a tag", head +
			"services: [{name: web, ecr_config: {mode: manual_repo, repository_uri: 'nginx:1'}}]\n",
			"x.yaml:5:72: `services[0].ecr_config.repository_uri` is \"nginx:1\", with a tag (name the repository " +
				"alone, without a tag)"},
		{"unknown source", head +
			"services: [{name: web, ecr_config: {mode: use_existing, source_service_name: api}}]\n",
			"x.yaml:5:78: `services[0].ecr_config.source_service_name` is \"api\", but `services` has no such name " +
				"(the names are web)"},
		{"sources in a circle", head +
			"services:\n- {name: a, ecr_config: {mode: use_existing, source_service_name: b}}\n" +
			"- {name: b, ecr_config: {mode: use_existing, source_service_name: a}}\n",
			"x.yaml:7:25: `services[1].ecr_config.source_service_name` leads back to \"b\" (name a workload that " +
				"has a repository of its own)"},
		{"setting misspelt", head + "deployer: {auto_deply: []}\n",
			"x.yaml:5:12: `deployer.auto_deply` is not a setting of the deployer (did you mean `auto_deploy`?)"},
		{"setting unknown", head + "deployer: {speed: 1}\n",
			"x.yaml:5:12: `deployer.speed` is not a setting of the deployer (the keys are cluster, image, base, " +
				"auto_deploy, deploy_sources, replicated, redeploy_on, role_patterns, notify, workloads)"},
		{"setting's values", head +
			"deployer: {image: both, base: newest, auto_deploy: ['['], deploy_sources: [aws.ecr]}\n",
			"x.yaml:5:19: `deployer.image` is \"both\" (write digest or tag)\n" +
				"x.yaml:5:31: `deployer.base` is \"newest\" (write latest or service)\n" +
				"x.yaml:5:52: `deployer.auto_deploy` has \"[\", which is not a pattern of tags (write " +
				"tags or globs, like latest or env-staging-*)\n" +
				"x.yaml:5:75: `deployer.deploy_sources` has \"aws.ecr\": only AWS can send events from such a " +
				"source (write a source of your own, like action.staging)"},
		{"webhook in the file", head + "deployer: {notify: {slack: 'https://hooks.example/x', topic: topic}}\n",
			"x.yaml:5:28: `deployer.notify.slack` is a webhook's address, which is a secret: anyone who has it can " +
				"write to the channel (store it in an SSM parameter of type SecureString, and write its " +
				"name here, like /myproject/slack)\n" +
				"x.yaml:5:62: `deployer.notify.topic` is not the ARN of an SNS topic (write it like " +
				"arn:aws:sns:us-east-1:333333333333:deployments)"},
		{"parameter's name", head + "deployer: {notify: {slack: 'my slack', email: a}}\n",
			"x.yaml:5:28: `deployer.notify.slack` is not the name of an SSM parameter (write it like " +
				"/myproject/slack, or /aws/reference/secretsmanager/NAME for a secret)\n" +
				"x.yaml:5:40: `deployer.notify.email` is not a setting of the deployer (the keys are slack, topic)"},
		{"override of nothing", head + "deployer: {workloads: {backnd: {service: a}}}\n",
			"x.yaml:5:24: `deployer.workloads.backnd` is not a setting of the deployer (did you mean `backend`?)"},
		{"two with one service", head +
			"services: [{name: web}]\ndeployer: {workloads: {web: {service: myproject_service_staging}}}\n",
			"x.yaml:6:29: `deployer.workloads.web.service` makes \"web\" and \"backend\" the same ECS service " +
				"\"myproject_service_staging\" (give each a service of its own)"},
		{"containers", head + "deployer: {workloads: {backend: {container: [app, 'a,b']}}}\n",
			"x.yaml:5:45: `deployer.workloads.backend.container` is \"a,b\", which is not the name of a container " +
				"(write a name in the task definition, or a list of names)"},
		{"two documents", head + "---\nenv: prod\n",
			"x.yaml:6:1: a second YAML document begins here (keep one document, and one environment, per file)"},
		{"syntax", "env: [dev\nproject: p\n",
			"x.yaml:2:8: reading YAML: did not find expected ',' or ']', while parsing a flow sequence that starts " +
				"in line 1"},
		{"tab", "env: dev\n\tproject: p\n",
			"x.yaml:2:1: reading YAML: found a tab character that violates indentation, while scanning a plain " +
				"scalar that starts in line 1 (the line begins with a tab: indent with spaces)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.in))
			if err == nil {
				t.Fatalf("got %+v, want the faults\n%s", e, tt.want)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if errors.Is(err, ErrNotEnvironment) {
				t.Error("the error wraps ErrNotEnvironment")
			}
		})
	}
}

// TestParentheses checks that what is wrong and what to write have no parentheses of their own:
// a fault's text has the latter in parentheses.
func TestParentheses(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`"[^"\n]* \([^"\n]*"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		product := file != "fault.go" && !strings.HasSuffix(file, "_test.go")
		if found := literal.FindAllString(string(text), -1); product &&
			found != nil {
			t.Errorf("%s has parentheses in %s", file, found)
		}
	}
}

func TestNotEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "",
			"x.yaml: the file is empty: it has no `env` key (describe the environment: project, env, region, " +
				"ecr_strategy)"},
		{"comment", "# nothing\n",
			"x.yaml: the file is empty: it has no `env` key (describe the environment: project, env, region, " +
				"ecr_strategy)"},
		{"null", "---\n...\n",
			"x.yaml: the file is empty: it has no `env` key (describe the environment: project, env, region, " +
				"ecr_strategy)"},
		{"list", "- a\n", "x.yaml:1:1: the file is a list, not keys and values: it has no `env` key"},
		{"dns.yaml", "project: p\nregion: us-east-1\nzones: []\n",
			"x.yaml:1:1: the file has no `env` key (add the line: env: dev)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x.yaml", []byte(tt.in))
			if !errors.Is(err, ErrNotEnvironment) || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"ecr_strategy", "env"}
	for s, want := range map[string]string{
		"ecr_stategy": "ecr_strategy", "ecr_strategyy": "ecr_strategy", "ecr_strategi": "ecr_strategy",
		"ecr_strtaegy": "ecr_strategy",
		"ecr_strategy": "", "ecr_stratgi": "", "en": "env", "nev": "env", "": "", "e": "",
	} {
		if got := Nearest(s, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
}
