package environment

import (
	"strings"
	"testing"
)

// TestMalformed reads texts that AWS would refuse: each is a fault at its line, with what to write. Those that are only
// unusual are accepted.
func TestMalformed(t *testing.T) {
	t.Parallel()
	const (
		write  = " (write it like nginx:1.29, or ghcr.io/owner/name@sha256: and 64 hex digits)"
		topics = " (write it like arn:aws:sns:us-east-1:333333333333:deployments)"
		slacks = " (write it like /myproject/slack, or /aws/reference/secretsmanager/NAME for a secret)"
		rules  = ", which cannot be part of a rule's name (write letters, digits, ., - and _, like up)"
		source = " (write a source like action.staging)"
		digest = "not an image: the digest is not sha256: and 64 hex digits"
	)
	a := func(n int) string { return strings.Repeat("a", n) }
	image := func(text string) string { return head + "services: [{name: a, docker_image: '" + text + "'}]\n" }
	of := func(key, text string) string { return head + "deployer: {" + key + ": " + text + "}\n" }
	notify := func(key, text string) string { return of("notify", "{"+key+": '"+text+"'}") }
	task := func(more string) string { return head + "event_processor_tasks: [{name: up, " + more + "}]\n" }
	const at, to, slack = "x.yaml:5:36: `services[0].docker_image` is ", "x.yaml:5:28: `deployer.notify.topic` ",
		"x.yaml:5:28: `deployer.notify.slack` "
	const sources = "x.yaml:5:28: `deployer.deploy_sources` has "
	for _, tt := range []struct{ name, file, want string }{
		{"short digest", image("ghcr.io/o/app@sha256:abc"), at + `"ghcr.io/o/app@sha256:abc", ` + digest + write},
		{"digest in upper case", image("app@sha256:" + strings.Repeat("A", 64)), at + `"app@sha256:` +
			strings.Repeat("A", 64) + `", ` + digest + write},
		{"no digest", image("app@"), at + `"app@", ` + digest + write},
		{"another algorithm, short", image("app@sha512:abc"), at + `"app@sha512:abc", ` + digest + write},
		{"another algorithm", image("app@sha512:" + a(128)), ""},
		{"tag and digest", image("app:v1@sha256:" + a(64)), ""},
		{"bad tag", image("nginx:-x"), at + `"nginx:-x", not an image: "-x" is not a tag` + write},
		{"empty tag", image("nginx:"), at + `"nginx:", not an image: "" is not a tag` + write},
		{"long tag", image("nginx:" + a(129)), at + `"nginx:` + a(122) + `…", not an image: "` + a(128) +
			`…" is not a tag` + write},
		{"upper case", image("Nginx:1"), at + `"Nginx:1", not an image: "Nginx" is not a repository` + write},
		{"host in upper case", image("GHCR.io/o/app:1"), ""},
		{"port", image("registry.example.com:5000/o/app:1"), ""},
		{"IPv6", image("[::1]:5000/o/app:1"), ""},
		{"space", image("nginx latest"), at + `"nginx latest", not an image: "nginx latest" is not a repository` +
			write},
		{"variable", image("${IMAGE}"), at + `"${IMAGE}", not an image: "${IMAGE}" is not a repository` + write},
		{"address", image("http://example.com/x"), at + `"http://example.com/***", not an image: it is an address` +
			write},
		{"too long", image("ghcr.io/" + a(248)), at + `"ghcr.io/` + a(120) + `…", not an image: it has 256 ` +
			"characters, and ECS allows 255 before the digest" + write},
		{"as long as it may be", image("ghcr.io/" + a(245) + ":1"), ""},
		{"backend", head + "workload: {backend_external_docker_image: 'nginx@sha256:1'}\n",
			"x.yaml:5:43: `workload.backend_external_docker_image` is " + `"nginx@sha256:1", ` + digest + write},
		{"task", task("docker_image: 'nginx@sha256:1'"),
			"x.yaml:5:50: `event_processor_tasks[0].docker_image` is " + `"nginx@sha256:1", ` + digest + write},

		{"rule", task("rule_name: 'u p'"), "x.yaml:5:47: `event_processor_tasks[0].rule_name` is \"u p\"" + rules},
		{"rules", task("rules: [{name: 'a,b'}]"), "x.yaml:5:51: `event_processor_tasks[0].rules[0].name` is " +
			"\"a,b\"" + rules},
		{"schedule in another partition", head + "scheduled_tasks: [{name: run}]\ndeployer: {workloads: {run: " +
			"{schedule: 'arn:aws-cn:scheduler:us-east-1:222222222222:schedule/a/b'}}}\n", "x.yaml:6:40: " +
			"`deployer.workloads.run.schedule` is in the partition \"aws-cn\", and the environment in aws (name " +
			"one of the environment's own)"},

		{"topic without a region", notify("topic", "arn:aws:sns:mars:111111111111:t"),
			to + "is not the ARN of an SNS topic" + topics},
		{"topic of two partitions", notify("topic", "arn:aws-cn:sns:us-east-1:111111111111:t"),
			to + "is in the partition aws-cn, and its region us-east-1 in aws" + topics},
		{"topic in another partition", notify("topic", "arn:aws-cn:sns:cn-north-1:111111111111:t"),
			to + "is in the partition aws-cn, and the environment in aws: permissions do not cross partitions" +
				topics},
		{"long topic", notify("topic", "arn:aws:sns:us-east-1:111111111111:"+a(257)), to +
			"is not the ARN of an SNS topic" + topics},
		{"topic", notify("topic", "arn:aws:sns:eu-west-1:111111111111:"+a(256)), ""},

		{"levels", notify("slack", strings.Repeat("/a", 16)), slack + "has 16 levels, and SSM allows 15" + slacks},
		{"long parameter", notify("slack", "/"+a(1011)), slack + "has 1012 characters, and SSM allows 1011" + slacks},
		{"parameter", notify("slack", strings.Repeat("/a", 15)), ""},
		{"empty part", notify("slack", "/a//b"), slack + "is not the name of an SSM parameter" + slacks},
		{"slash at the end", notify("slack", "/a/"), slack + "is not the name of an SSM parameter" + slacks},
		{"AWS's own", notify("slack", "/AWS/x"), slack + "begins with /AWS, which SSM reserves: it is not the " +
			"name of a parameter of your own" + slacks},
		{"long secret", notify("slack", secrets+a(513)), slack + "has a secret's name of 513 characters, and " +
			"Secrets Manager allows 512" + slacks},
		{"secret", notify("slack", secrets+"a/b+=@"), ""},

		{"source with a comma", of("deploy_sources", "['a,b']"), sources + `"a,b", which has a comma: the stack ` +
			"would take it for two" + source},
		{"source with a space", of("deploy_sources", "['a ']"), sources + `"a ", which begins or ends with a space` +
			source},
		{"source with a newline", of("deploy_sources", `["a\nb"]`), sources + `"a\nb", which has a character that no ` +
			"policy of IAM may have" + source},
		{"source", of("deploy_sources", "['a b/c']"), ""},

		{"long project", strings.Replace(head, "myproject", a(240), 1), "x.yaml:1:10: `project` gives the cluster a " +
			"name of 256 characters, and ECS allows 255 (choose a shorter one, or name the cluster in " +
			"deployer.cluster)"},
	} {
		_, err := Parse("x.yaml", []byte(tt.file))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
