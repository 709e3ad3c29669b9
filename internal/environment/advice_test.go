package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	const elsewhere = ", and the cluster is in us-east-1: every start of a task pulls its image from another region, " +
		"which is slower and is charged as data transfer (replicate the images to us-east-1, and name the registry " +
		"there)"
	for _, tt := range []struct{ name, file, want string }{
		{"newer schema", head + "schema_version: 29\n",
			"x.yaml:5:17: note: `schema_version` is 29, and the newest that " +
				"the deployer knows is 28 (keys that it does not know are left alone)"},
		{"newest schema", head + "schema_version: 28\n", ""},
		{"is_prod", strings.Replace(head, "staging", "eu-prod", 1) + "is_prod: false\n",
			"x.yaml:5:10: note: `is_prod` is " +
				"false, but env has the part \"prod\": it counts as production (to let pushes deploy it, name their " +
				"tags in deployer.auto_deploy; to accept no DEPLOY event from action.production, name the sources in " +
				"deployer.deploy_sources)"},
		{"is_prod, and what deploys it is named", strings.Replace(head, "staging", "pre-prod", 1) + "is_prod: false\n" +
			"deployer: {auto_deploy: [latest], deploy_sources: [action.pre-prod]}\n", ""},
		{"is_prod, as YAML 1.1 has it", strings.Replace(head, "staging", "live", 1) + "is_prod: no\n" +
			"deployer: {auto_deploy: [latest], deploy_sources: [action.live]}\n", ""},
		{"is_prod, and one of them is named", strings.Replace(head, "staging", "pre-prod", 1) + "is_prod: false\n" +
			"deployer: {auto_deploy: [latest]}\n", "x.yaml:5:10: note: `is_prod` is false, but env has the part " +
			"\"prod\": it counts as production (to accept no DEPLOY event from action.production, name the sources " +
			"in deployer.deploy_sources)"},
		{"registry elsewhere", head + "ecr_strategy: cross_account\necr_account_id: \"111111111111\"\n" +
			"ecr_account_region: eu-west-1\n", "x.yaml:7:21: warning: `ecr_account_region` is eu-west-1" + elsewhere},
		{"one repository elsewhere", head + "services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: " +
			"111122223333.dkr.ecr.eu-west-1.amazonaws.com/a}}]\n",
			"x.yaml:5:34: warning: `services[0].ecr_config` is in eu-west-1" + elsewhere},
		{"a schedule's name that is too long", head + "scheduled_tasks: [{name: " + strings.Repeat("t", 50) + "}]\n",
			"x.yaml: warning: `deployer.workloads` names no schedule for \"" + strings.Repeat("t", 50) +
				"\", and its conventional name is longer than the 64 characters that AWS accepts: no event can " +
				"deploy the task (write the schedule's name there: " + strings.Repeat("t", 50) + ": " +
				"{schedule: GROUP/NAME})"},
		{"a rule's name that is too long", head + "event_processor_tasks: [{name: x, rules: [{name: " +
			strings.Repeat("r", 60) + "}]}]\ndeployer: {workloads: {}}\n", "x.yaml:6:23: warning: " +
			"`deployer.workloads` names no rule for \"x\", and its conventional name is longer than the 64 " +
			"characters that AWS accepts: no event can deploy the task (write the rule's name there: x: {rule: NAME})"},
		{"names that are too long, but written", head + "scheduled_tasks: [{name: " + strings.Repeat("t", 50) + "}, " +
			"{name: " + strings.Repeat("d", 50) + ", enabled: false}]\ndeployer: {workloads: {" +
			strings.Repeat("t", 50) + ": {schedule: jobs/t}}}\n", ""},
		{"moving tags", head + "services: [{name: a, docker_image: nginx}, {name: b, docker_image: 'nginx:stable'}, " +
			"{name: c, docker_image: 'nginx:1.29'}]\n",
			"x.yaml:5:36: warning: `services[0].docker_image` has no tag, which means latest: a task that starts " +
				"later " +
				"may run another image than the others (write a tag that never moves, or a digest)\n" +
				"x.yaml:5:68: warning: `services[1].docker_image` has the moving tag \"stable\": a task that starts " +
				"later may run another image than the others (write a tag that never moves, or a digest)"},
		{"moving tag by tag", head + "deployer: {image: tag}\n", "x.yaml:5:19: warning: `deployer.image` is tag, and " +
			"pushes of the moving tag latest deploy: a task that starts later may run another image than the one " +
			"that " +
			"was checked (write digest)"},
		{"short ARN", head + shortARN("web"), shortARNWarning},
		{"short ARN that the stack covers", head + shortARN("myproject_service_web"), ""},
		{"short ARN that only begins like those", head + shortARN("myproject_services"),
			strings.ReplaceAll(shortARNWarning, "web", "myproject_services")},
		{"long ARN", head + shortARN("apps/web"), ""},
		{"service by its name", head + "deployer: {workloads: {backend: {service: web}}}\n", ""},
		{"images of services that are disabled", head + "services: [{name: a, docker_image: nginx, enabled: false}, " +
			"{name: b, docker_image: 'nginx:stable', enabled: false}, {name: c, enabled: false, " +
			"docker_image: '111111111111.dkr.ecr.eu-west-1.amazonaws.com/c:v1'}]\n", ""},
		{"short ARN of a service that is disabled", head + "services: [{name: a, enabled: false}]\n" +
			"deployer: {workloads: {a: {service: 'arn:aws:ecs:us-east-1:222222222222:service/web'}}}\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, e.Advice.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// shortARN returns a file's section that gives the backend a service of the account by its ARN.
func shortARN(service string) string {
	return "deployer: {cluster: apps, workloads: {backend: {service: 'arn:aws:ecs:us-east-1:222222222222:service/" +
		service + "'}}}\n"
}

// shortARNWarning is the warning about the service web.
const shortARNWarning = "x.yaml:5:58: warning: `deployer.workloads.backend.service` is " +
	"\"arn:aws:ecs:us-east-1:222222222222:service/web\", a short ARN, without the cluster: the stack's rule " +
	"and role match short ARNs only of services whose names begin with myproject_service_, so no outcome " +
	"would be reported and UpdateService would be denied (write web, and if the service still has that " +
	"ARN, migrate it, which cannot be undone: as the user or role that created the service, aws ecs " +
	"put-account-setting --region us-east-1 --name serviceLongArnFormat --value enabled, then aws ecs " +
	"tag-resource --region us-east-1 --resource-arn arn:aws:ecs:us-east-1:222222222222:service/apps/web " +
	"--tags key=arn,value=long)"
