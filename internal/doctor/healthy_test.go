package doctor

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHealthy checks every finding in an environment without problems. The
// registry's policy allows other accounts to pull, and nothing else.
func TestHealthy(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	const digest = "sha256:9d4acd316cad1769c70109be9528ed029c665604d9f55a122d7aed759cf18159"
	tests := map[string][]string{
		"dev": {
			"ok file: dev.yaml is valid: project myproject, environment dev",
			"ok strategy: local (set by ecr_strategy): images come from account 111111111111 in us-east-1",
			"ok account: the credentials are arn:aws:iam::111111111111:root",
			"ok function: arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev exists",
			"ok function's file: dev.yaml, SHA-256 " + load(t, "dev").SHA256,
			"ok deploy rule: myproject_deployer_deploy_dev matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok push rule: myproject_deployer_push_dev matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok bus policy: not needed: pushes happen in this account",
			"ok reconcile rule: myproject_deployer_reconcile_dev matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok rollout rule: myproject_deployer_rollout_dev matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok hook rule: myproject_deployer_hook_dev matches, and its target is " +
				"arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok run rule: none: the ends of tasks' first runs are not reported (stack parameter FollowFirstRuns)",
			"ok forwarding: none: pushes are not forwarded to other accounts (stack parameter ForwardPushesTo)",
			"ok deployer's role: arn:aws:iam::111111111111:role/myproject_deployer_dev allows its own calls",
			"ok retry role: arn:aws:iam::111111111111:role/myproject_deployer_retry_dev allows trying events again " +
				"that wait for their image",
			"ok failed queue: myproject_deployer_failed_dev is empty",
			"ok undelivered queue: myproject_deployer_undelivered_dev is empty",
			"ok other rules: no other rule of the default bus matches the DEPLOY and push events of dev",
			`ok service: service "myproject_service_dev" in cluster "myproject_cluster_dev" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok last rollout: revision 1 is rolled out",
			"ok family: myproject_service_dev: runs revision 1, the newest",
			"ok deployer's role: arn:aws:iam::111111111111:role/myproject_deployer_dev allows deployments of backend",
			"ok container: myproject_service_dev runs " +
				"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy local",
			"ok pull: ecr:BatchGetImage is allowed on myproject_backend of account 111111111111 in us-east-1",
			"ok repository policy: not open to every AWS account",
			"ok scanning: images are scanned when they are pushed",
			"ok execution role: arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev may pull from " +
				"account 111111111111 in us-east-1",
			"ok image: the running image is in the registry and not archived: " + digest,
			"ok platform: the image is built for linux/amd64, the platform of its tasks",
			`ok lifecycle: rule 3 of the lifecycle policy ("Keep v*") keeps the running image`,
		},
		"staging": {
			"ok file: staging.yaml is valid: project myproject, environment staging",
			"ok strategy: cross_account (set by ecr_strategy): images come from account 111111111111 in us-east-1",
			"ok account: the credentials are arn:aws:iam::222222222222:root",
			"ok function: arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging exists",
			"ok function's file: staging.yaml, SHA-256 " + load(t, "staging").SHA256,
			"ok deploy rule: myproject_deployer_deploy_staging matches, and its target is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok push rule: myproject_deployer_push_staging matches, and its target is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok bus policy: the default bus accepts push events from account 111111111111",
			"ok reconcile rule: myproject_deployer_reconcile_staging matches, and its target is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok rollout rule: myproject_deployer_rollout_staging matches, and its target is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok hook rule: myproject_deployer_hook_staging matches, and its target is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok run rule: none: the ends of tasks' first runs are not reported (stack parameter FollowFirstRuns)",
			"unknown forwarding: whether account 111111111111 forwards its pushes in us-east-1 here is seen " +
				"only there → with " +
				"credentials of account 111111111111, look for a target " +
				"arn:aws:events:us-east-1:222222222222:event-bus/default: run the doctor with its environment " +
				"file, or aws " +
				"events list-rules --region us-east-1 --name-prefix myproject_deployer_forward",
			"ok deployer's role: arn:aws:iam::222222222222:role/myproject_deployer_staging allows its own calls",
			"ok retry role: arn:aws:iam::222222222222:role/myproject_deployer_retry_staging allows trying events " +
				"again that wait for their image",
			"ok failed queue: myproject_deployer_failed_staging is empty",
			"ok undelivered queue: myproject_deployer_undelivered_staging is empty",
			"ok other rules: no other rule of the default bus matches the DEPLOY and push events of staging",
			`ok service: service "myproject_service_staging" in cluster "myproject_cluster_staging" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok last rollout: revision 1 is rolled out",
			"ok family: myproject_service_staging: runs revision 1, the newest",
			"ok deployer's role: arn:aws:iam::222222222222:role/myproject_deployer_staging allows " +
				"deployments of backend",
			"ok container: myproject_service_staging runs " +
				"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy cross_account",
			"ok pull: ecr:BatchGetImage is allowed on myproject_backend of account 111111111111 in us-east-1",
			denied("repository policy", "222222222222", "ecr:GetRepositoryPolicy"),
			"unknown scanning: whether the images of myproject_backend are scanned is seen only in account " +
				"111111111111 → with credentials of account 111111111111, run the doctor with its environment file, " +
				"or aws ecr batch-get-repository-scanning-configuration --region us-east-1 --repository-names " +
				"myproject_backend",
			denied("lifecycle", "222222222222", "ecr:GetLifecyclePolicy"),
			"unknown execution role: arn:aws:iam::222222222222:role/myproject_backend_task_execution_staging may " +
				"pull by its own policies; whether the repository's policy allows it is unknown: it could not be " +
				"read → read the repository's policy in account 111111111111",
			"ok image: the running image is in the registry and not archived: " + digest,
			"ok platform: the image is built for linux/amd64, the platform of its tasks",
			denied("lifecycle", "222222222222", "ecr:DescribeImages"),
			"warning lost pushes: pushes to myproject_backend whose events were lost are not found: its policy does " +
				"not allow ecr:DescribeImages → in account 111111111111, add to the policy of repository " +
				`myproject_backend in us-east-1: {"Effect":"Allow","Principal":{"AWS":` +
				`"arn:aws:iam::222222222222:root"},"Action":["ecr:DescribeImages"]}`,
		},
	}
	for env, want := range tests {
		x.aws.ResetCalls()
		got := x.examine(t, load(t, env), "").lines("")
		for _, c := range x.aws.Calls() {
			if !regexp.MustCompile(`^(Describe|Get|List|BatchGet|Simulate|TestEventPattern)`).MatchString(c.Operation) {
				t.Errorf("%s: it called %s, and should only read", env, c.Operation)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
}
