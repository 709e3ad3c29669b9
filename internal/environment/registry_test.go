package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// refused returns the end of the fault of a name whose repository ECR refuses.
func refused(repository string) string {
	return ", so its repository would be \"" + repository +
		"\", which ECR refuses (write lower-case letters and digits, " +
		"with single ., - or _ between them)"
}

// TestRegistriesOfECR checks registries of other partitions, and names that are those of no registry though they look
// like it.
func TestRegistriesOfECR(t *testing.T) {
	t.Parallel()
	const crosses = ", which is in the partition aws-cn, and the environment in aws: neither images nor " +
		"permissions cross " +
		"partitions (name a registry in aws)"
	const china = "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn/app"
	const form = "write it like 111111111111.dkr.ecr.us-east-1.amazonaws.com/name"
	const looks = ", which looks like an image of ECR, but "
	const host = "its host is not 12 digits, .dkr.ecr., a region and the suffix of its partition (" +
		form + ":v1)"
	image := func(image string) string { return head + "services: [{name: a, docker_image: '" + image + "'}]\n" }
	const at = "x.yaml:5:36: `services[0].docker_image` is "
	tests := []struct{ name, file, want string }{
		{"strategy", head + "ecr_strategy: cross_account\necr_account_id: '111111111111'\necr_account_region: " +
			"cn-north-1\n",
			"x.yaml:7:21: `ecr_account_region` is in cn-north-1" + crosses},
		{"trusted account", head + "ecr_trusted_accounts: [{account_id: '111111111111', region: cn-north-1}]\n",
			"x.yaml:5:61: `ecr_trusted_accounts[0].region` is in cn-north-1" + crosses},
		{"image", image(china + ":v1"), at + "in cn-north-1" + crosses},
		{"repository", head + "services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: " + china + "}}]\n",
			"x.yaml:5:70: `services[0].ecr_config.repository_uri` is in cn-north-1" + crosses},
		{"upper case", image("111111111111.dkr.ecr.us-east-1.amazonaws.com/Bad:v1"),
			at + `"111111111111.dkr.ecr.us-east-1.amazonaws.com/Bad:v1"` + looks +
				`"Bad" is not a repository (` + form + ":v1)"},
		{"host in upper case", image("111111111111.DKR.ECR.us-east-1.amazonaws.com/app:v1"),
			at + `"111111111111.DKR.ECR.us-east-1.amazonaws.com/app:v1"` + looks + "its host is not in lower case (" +
				form + ":v1)"},
		{"suffix in upper case", image("111111111111.dkr.ecr.us-east-1.AmazonAWS.com/app:v1"),
			at + `"111111111111.dkr.ecr.us-east-1.AmazonAWS.com/app:v1"` + looks + "its host is not in lower case (" +
				form + ":v1)"},
		{"repository, upper case", head + "services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: " +
			"111111111111.DKR.ECR.us-east-1.amazonaws.com/app}}]\n", "x.yaml:5:70: " +
			"`services[0].ecr_config.repository_uri` is \"111111111111.DKR.ECR.us-east-1.amazonaws.com/app\", which " +
			"looks like a repository of ECR, and is none (" + form + ")"},
		{"11 digits", image("11111111111.dkr.ecr.us-east-1.amazonaws.com/app:v1"),
			at + `"11111111111.dkr.ecr.us-east-1.amazonaws.com/app:v1"` + looks + host},
		{"11 digits, dual-stack in China", image("11111111111.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/app:v1"),
			at + `"11111111111.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/app:v1"` + looks + host},
		{"11 digits, isolated", image("11111111111.dkr.ecr.us-iso-east-1.c2s.ic.gov/app:v1"),
			at + `"11111111111.dkr.ecr.us-iso-east-1.c2s.ic.gov/app:v1"` + looks + host},
		{"no tag", image("111111111111.dkr.ecr.us-east-1.amazonaws.com/a:"),
			at + `"111111111111.dkr.ecr.us-east-1.amazonaws.com/a:"` + looks +
				`"" is not a tag (` + form + ":v1)"},
		{"another suffix", image("111111111111.dkr.ecr.us-east-1.amazonaws.com.cn/a:v1"),
			at + `"111111111111.dkr.ecr.us-east-1.amazonaws.com.cn/a:v1"` + looks + host},
		{"repository, 11 digits", head + "services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: " +
			"11111111111.dkr.ecr.us-east-1.amazonaws.com/app}}]\n", "x.yaml:5:70: " +
			"`services[0].ecr_config.repository_uri` " +
			`is "11111111111.dkr.ecr.us-east-1.amazonaws.com/app", which looks like a repository of ECR, and ` +
			"is none (" +
			form + ")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x.yaml", []byte(tt.file))
			if err == nil {
				t.Fatal("no fault")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := Parse("x.yaml", []byte(image("ghcr.io/dkr/app:v1"))); err != nil {
		t.Error(err)
	}
}

// TestECSNames checks names that are given as ARNs or with a revision.
func TestECSNames(t *testing.T) {
	t.Parallel()
	const at = "arn:aws:ecs:us-east-1:222222222222:"
	backend := func(keys string) string { return "deployer: {cluster: apps, workloads: {backend: {" + keys + "}}}\n" }
	tests := []struct {
		name, file string
		want       string // CLUSTER/SERVICE of FAMILY, or the fault
	}{
		{"names", head + backend("service: api, family: app"), "apps/api of app"},
		{"cluster", head + "deployer: {cluster: '" + at + "cluster/apps'}\n",
			"apps/myproject_service_staging of myproject_service_staging"},
		{"service", head + backend("service: '"+at+"service/apps/api'"), "apps/api of myproject_service_staging"},
		{"service, old form", head + backend("service: '"+at+"service/api'"), "apps/api of myproject_service_staging"},
		{"family", head + backend("family: '"+at+"task-definition/app'"), "apps/myproject_service_staging of app"},
		{"China", strings.Replace(head, "us-east-1", "cn-north-1", 1) +
			"deployer: {cluster: 'arn:aws-cn:ecs:cn-north-1:222222222222:cluster/apps'}\n",
			"apps/myproject_service_staging of myproject_service_staging"},
		{"GovCloud", strings.Replace(head, "us-east-1", "us-gov-west-1", 1) +
			"deployer: {cluster: 'arn:aws-us-gov:ecs:us-gov-west-1:222222222222:cluster/apps'}\n",
			"apps/myproject_service_staging of myproject_service_staging"},
		{"another region", head + "deployer: {cluster: 'arn:aws:ecs:eu-west-1:222222222222:cluster/apps'}\n",
			"x.yaml:5:21: `deployer.cluster` is in partition aws and region eu-west-1, and the environment in aws " +
				"and " +
				"us-east-1 (name one of the environment's own region)"},
		{"another partition", head + "deployer: {cluster: 'arn:aws-cn:ecs:us-east-1:222222222222:cluster/apps'}\n",
			"x.yaml:5:21: `deployer.cluster` is in partition aws-cn and region us-east-1, and the environment in " +
				"aws and " +
				"us-east-1 (name one of the environment's own region)"},
		{"another account", head + backend("service: 'arn:aws:ecs:us-east-1:333333333333:service/apps/api'"),
			"x.yaml:5:58: `deployer.workloads.backend.service` is in account 333333333333, and the environment in " +
				"222222222222 (name one of the environment's own account)"},
		{"another cluster", head + backend("service: '"+at+"service/tools/api'"),
			"x.yaml:5:58: `deployer.workloads.backend.service` is in cluster \"tools\", and the environment's is " +
				"\"apps\" (an environment has one cluster: set deployer.cluster, or name a service of that cluster)"},
		{"another kind", head + backend("service: '"+at+"cluster/apps'"),
			"x.yaml:5:58: `deployer.workloads.backend.service` is \"" + at +
				"cluster/apps\", which is not the ARN of an " +
				"ECS service (write its name alone)"},
		{"revision", head + backend("family: 'app:7'"),
			"x.yaml:5:57: `deployer.workloads.backend.family` is \"app:7\", which names revision 7: each deployment " +
				"registers a new one (write the family alone: app)"},
		{"ARN with revision", head + backend("family: '"+at+"task-definition/app:7'"),
			"x.yaml:5:57: `deployer.workloads.backend.family` is \"" + at +
				"task-definition/app:7\", which names revision " +
				"7: each deployment registers a new one (write the family alone: app)"},
		{"half an ARN", head + backend("service: service/apps/api"),
			"x.yaml:5:58: `deployer.workloads.backend.service` is \"service/apps/api\", which is not the name of an " +
				"ECS " +
				"service (write the name alone: letters, digits, - and _)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.file))
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				w := e.Workloads[0]
				got = e.Cluster + "/" + w.Pointer.Name() + " of " + w.Family
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
