package doctor

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// fixture is the pattern of a centralized dev registry on emulated AWS, without problems.
type fixture struct {
	aws      *emulator.Emulator
	accounts map[string]*accounts.Account
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	x := &fixture{}
	var url string
	x.aws, url = emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	var err error
	x.accounts, err = cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.InstallStacks(t.Context(), "../..", x.aws, x.accounts))
	return x
}

func load(t *testing.T, env string) *environment.Environment {
	t.Helper()
	e, err := environment.Load("../../examples/centralized-dev-ecr/" + env + ".yaml")
	must(t, err)
	e.File = env + ".yaml"
	return e
}

// allow sets the policy of a role to these statements.
func (x *fixture) allow(t *testing.T, account, role, statements string) {
	t.Helper()
	document, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	must(t, err)
	x.aws.SetRolePolicy(account, role, document)
}

// repositoryPolicy sets the policy of dev's backend repository to one statement.
func (x *fixture) repositoryPolicy(t *testing.T, statement string) {
	t.Helper()
	_, err := x.accounts["dev"].ECR.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String("myproject_backend"),
		PolicyText:     aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)})
	must(t, err)
}

// lifecycle sets the lifecycle policy of dev's backend repository.
func (x *fixture) lifecycle(t *testing.T, text string) {
	t.Helper()
	_, err := x.accounts["dev"].ECR.PutLifecyclePolicy(t.Context(),
		&ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("myproject_backend"),
			LifecyclePolicyText: aws.String(text)})
	must(t, err)
}

// recreate deletes dev's backend service and creates it again, with a change.
func (x *fixture) recreate(t *testing.T, change func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) {
	t.Helper()
	dev := x.accounts["dev"]
	_, err := dev.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("myproject_cluster_dev"),
		Service: aws.String("myproject_service_dev"), Force: aws.Bool(true)})
	must(t, err)
	role := "arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev"
	_, err = dev.Service(t.Context(), "myproject_cluster_dev", "myproject_service_dev",
		"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
		func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) { in.ExecutionRoleArn = &role }, change)
	must(t, err)
}

// examine checks an environment's backend with the access key id key, by default the
// administrator's.
func (x *fixture) examine(t *testing.T, env *environment.Environment, key string) *Report {
	t.Helper()
	config := x.accounts[env.Name].With(func(c *aws.Config) {
		c.RetryMaxAttempts = 1
		if key != "" {
			c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: key, SecretAccessKey: "any"}, nil
			})
		}
	}).Config
	report, err := Examine(t.Context(), env, config, []string{"backend"})
	must(t, err)
	return report
}

// lines returns the findings of a report, except those of a level.
func (r *Report) lines(but Level) (all []string) {
	for _, f := range r.Findings {
		if f.Level == but {
			continue
		}
		line := fmt.Sprintf("%s %s: %s", f.Level, f.Check, f.Seen)
		if f.Fix != "" {
			line += " → " + f.Fix
		}
		all = append(all, line)
	}
	return all
}

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
			"ok outcome rule: myproject_deployer_outcome_dev matches, and its target is " +
				"arn:aws:sqs:us-east-1:111111111111:myproject_deployer_failed_dev",
			"ok broken rule: myproject_deployer_broken_dev matches, and its target is " +
				"arn:aws:sqs:us-east-1:111111111111:myproject_deployer_failed_dev",
			"ok forwarding: none: pushes are not forwarded to other accounts (stack parameter ForwardPushesTo)",
			"ok deployer's role: arn:aws:iam::111111111111:role/myproject_deployer_dev allows its own calls",
			"ok failed queue: myproject_deployer_failed_dev is empty",
			"ok undelivered queue: myproject_deployer_undelivered_dev is empty",
			"ok other rules: no other rule of the default bus matches the DEPLOY and push events of dev",
			`ok service: service "myproject_service_dev" in cluster "myproject_cluster_dev" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok last rollout: revision 1 is rolled out",
			"ok deployer's role: arn:aws:iam::111111111111:role/myproject_deployer_dev allows deployments of backend",
			"ok family: myproject_service_dev: runs revision 1, the newest",
			"ok container: myproject_service_dev runs " +
				"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy local",
			"ok pull: ecr:BatchGetImage is allowed on myproject_backend of account 111111111111 in us-east-1",
			"ok repository policy: not public",
			"ok execution role: arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev may pull from " +
				"account 111111111111 in us-east-1",
			"ok image: the running image is in the registry and not archived: " + digest,
			"ok platform: the image is built for linux/amd64, the platform of its tasks",
			"ok lifecycle: the repository has no lifecycle policy, and keeps every image",
		},
		"staging": {
			"ok file: staging.yaml is valid: project myproject, environment staging",
			"ok strategy: cross_account (set by ecr_strategy): images come from account 111111111111 in us-east-1",
			"ok account: the credentials are arn:aws:iam::222222222222:root",
			"ok function: arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging exists",
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
			"ok outcome rule: myproject_deployer_outcome_staging matches, and its target is " +
				"arn:aws:sqs:us-east-1:222222222222:myproject_deployer_failed_staging",
			"ok broken rule: myproject_deployer_broken_staging matches, and its target is " +
				"arn:aws:sqs:us-east-1:222222222222:myproject_deployer_failed_staging",
			"unknown forwarding: whether account 111111111111 forwards its pushes here is seen only there → with " +
				"credentials of account 111111111111, look for a target " +
				"arn:aws:events:us-east-1:222222222222:event-bus/default: run the doctor with its environment " +
				"file, or aws " +
				"events list-rules --region us-east-1 --name-prefix myproject_deployer_forward_",
			"ok deployer's role: arn:aws:iam::222222222222:role/myproject_deployer_staging allows its own calls",
			"ok failed queue: myproject_deployer_failed_staging is empty",
			"ok undelivered queue: myproject_deployer_undelivered_staging is empty",
			"ok other rules: no other rule of the default bus matches the DEPLOY and push events of staging",
			`ok service: service "myproject_service_staging" in cluster "myproject_cluster_staging" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok last rollout: revision 1 is rolled out",
			"ok deployer's role: arn:aws:iam::222222222222:role/myproject_deployer_staging allows " +
				"deployments of backend",
			"ok family: myproject_service_staging: runs revision 1, the newest",
			"ok container: myproject_service_staging runs " +
				"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy cross_account",
			"ok pull: ecr:BatchGetImage is allowed on myproject_backend of account 111111111111 in us-east-1",
			denied("repository policy", "222222222222", "ecr:GetRepositoryPolicy"),
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

// TestDenied denies each call that the doctor makes: a finding becomes unknown then,
// and none becomes ok that was not before.
func TestDenied(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	docs, err := os.ReadFile("../../docs/how-to/troubleshooting.md")
	must(t, err)
	for _, env := range []string{"dev", "staging"} {
		x.aws.ResetCalls()
		before := x.examine(t, load(t, env), "")
		denied := map[string]bool{}
		for _, call := range x.aws.Calls() {
			if name := call.Service + ":" + call.Operation; name != "sts:GetCallerIdentity" {
				denied[name] = true
			}
		}
		if len(denied) < 12 {
			t.Errorf("%s: only %v were called", env, denied)
		}
		for name := range denied {
			if !strings.Contains(string(docs), "`"+name+"`") && name != "s3:GetObject" {
				t.Errorf("docs/how-to/troubleshooting.md does not say that the doctor needs %s", name)
			}
			x.aws.Inject(emulator.Fault{Operation: name,
				Error: emulator.AccessDenied("User: u is not authorized to perform: " + name)})
			after := x.examine(t, load(t, env), "")
			x.aws.ClearFaults()
			seen := slices.ContainsFunc(after.Findings,
				func(f Finding) bool { return f.Level == Unknown && strings.Contains(f.Seen, name) })
			if name == "s3:GetObject" { // read by a URL, and denied without a message
				seen = slices.ContainsFunc(after.Findings,
					func(f Finding) bool { return f.Level == Unknown && f.Check == "platform" })
			}
			if !seen || after.Count(Problem) > 0 {
				t.Errorf("%s without %s:\n%s", env, name, strings.Join(after.lines(""), "\n"))
			}
			for _, f := range after.Findings {
				if f.Level == OK && !slices.Contains(before.Findings, f) {
					t.Errorf("%s without %s is ok: %+v", env, name, f)
				}
			}
		}
	}
}

// TestTasks checks the findings for a task: its repository only.
func TestTasks(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	tasks := func() (all []Finding) {
		report, err := Examine(t.Context(), env, x.accounts["dev"].Config, nil)
		must(t, err)
		for _, f := range report.Findings {
			if f.Service == "nightly-report" {
				all = append(all, f)
			}
		}
		return all
	}
	want := []Finding{{"repository", "nightly-report", Problem,
		"No ECR repository found: 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report does " +
			"not exist (strategy local: set by ecr_strategy)",
		"create it with the infrastructure, or set ecr_strategy in dev.yaml to the account that has the images"}}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
	_, err := x.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "report", "v1")
	must(t, err)
	want = []Finding{
		{"pull", "nightly-report", OK,
			"ecr:BatchGetImage is allowed on myproject_task_nightly-report of account 111111111111 in us-east-1", ""},
		{"repository policy", "nightly-report", OK, "none: only account 111111111111 has access", ""},
	}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
}

// denied returns the finding of a check that dev's repository policy does not allow
// another account's administrator to make.
func denied(check, account, action string) string {
	const repository = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
	root := "arn:aws:iam::" + account + ":root"
	return "unknown " + check + ": not checked, access denied: User: " + root + " is not authorized to perform: " +
		action + " on resource: " + repository +
		" because no resource-based policy allows the " + action +
		" action → to have it checked, in account 111111111111, add to the policy of repository myproject_backend " +
		"in us-east-1: " +
		`{"Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":["` + action + `"]}`
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
