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

// patient is the guide's first pattern in good health, on emulated AWS.
type patient struct {
	*emulator.Emulator
	accounts map[string]*accounts.Account
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{}
	var url string
	p.Emulator, url = emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	var err error
	p.accounts, err = cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.InstallStacks(t.Context(), "../..", p.Emulator, p.accounts))
	return p
}

func load(t *testing.T, env string) *environment.Environment {
	t.Helper()
	e, err := environment.Load("../../examples/centralized-dev-ecr/" + env + ".yaml")
	must(t, err)
	e.File = env + ".yaml"
	return e
}

// allow gives a role a policy of these statements.
func (p *patient) allow(t *testing.T, account, role, statements string) {
	t.Helper()
	document, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	must(t, err)
	p.SetRolePolicy(account, role, document)
}

// repositoryPolicy puts a policy of one statement on dev's backend repository.
func (p *patient) repositoryPolicy(t *testing.T, statement string) {
	t.Helper()
	_, err := p.accounts["dev"].ECR.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String("myproject_backend"), PolicyText: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)})
	must(t, err)
}

// lifecycle puts a lifecycle policy on dev's backend repository.
func (p *patient) lifecycle(t *testing.T, text string) {
	t.Helper()
	_, err := p.accounts["dev"].ECR.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("myproject_backend"), LifecyclePolicyText: aws.String(text)})
	must(t, err)
}

// recreate makes dev's backend service once more, changed.
func (p *patient) recreate(t *testing.T, change func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) {
	t.Helper()
	dev := p.accounts["dev"]
	_, err := dev.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("myproject_cluster_dev"), Service: aws.String("myproject_service_dev"), Force: aws.Bool(true)})
	must(t, err)
	role := "arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev"
	_, err = dev.Service(t.Context(), "myproject_cluster_dev", "myproject_service_dev", "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
		func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) { in.ExecutionRoleArn = &role }, change)
	must(t, err)
}

// examine looks at an environment's backend with the credentials of key, those
// of the environment's administrator if it is "".
func (p *patient) examine(t *testing.T, env *environment.Environment, key string) *Report {
	t.Helper()
	config := p.accounts[env.Name].With(func(c *aws.Config) {
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

// lines returns the findings of a report, but for those of a level.
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

// TestHealthy holds every check of an environment in which all is well, as far
// as its own account can see: the guide's manual policy lets others pull, and no more.
func TestHealthy(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	const digest = "sha256:9d4acd316cad1769c70109be9528ed029c665604d9f55a122d7aed759cf18159"
	tests := map[string][]string{
		"dev": {
			"ok file: dev.yaml is valid: project myproject, environment dev",
			"ok strategy: local (set by ecr_strategy): images come from account 111111111111 in us-east-1",
			"ok account: the credentials are arn:aws:iam::111111111111:root",
			"ok deploy rule: myproject_deployer_deploy_dev matches, and its target is arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok push rule: myproject_deployer_push_dev matches, and its target is arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			"ok bus policy: not needed: pushes happen in this account",
			`ok service: service "myproject_service_dev" in cluster "myproject_cluster_dev" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok family: myproject_service_dev: runs revision 1, the newest",
			"ok container: myproject_service_dev runs 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy local",
			"ok pull: ecr:BatchGetImage is allowed from here on myproject_backend of account 111111111111 in us-east-1",
			"ok repository policy: closed to strangers",
			"ok execution role: arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev may pull from account 111111111111 in us-east-1",
			"ok image: what runs is in the registry, and not archived: " + digest,
			"ok platform: the image is made for linux/amd64, on which its tasks run",
			"ok lifecycle: the repository has no lifecycle policy, and keeps every image",
		},
		"staging": {
			"ok file: staging.yaml is valid: project myproject, environment staging",
			"ok strategy: cross_account (set by ecr_strategy): images come from account 111111111111 in us-east-1",
			"ok account: the credentials are arn:aws:iam::222222222222:root",
			"ok deploy rule: myproject_deployer_deploy_staging matches, and its target is arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok push rule: myproject_deployer_push_staging matches, and its target is arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging",
			"ok bus policy: the default bus takes push events of account 111111111111",
			`ok service: service "myproject_service_staging" in cluster "myproject_cluster_staging" runs 2 of 2 tasks`,
			"ok controller: ECS",
			"ok circuit breaker: on, with rollback",
			"ok family: myproject_service_staging: runs revision 1, the newest",
			"ok container: myproject_service_staging runs 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
			"ok origin: myproject_backend of account 111111111111 in us-east-1, by strategy cross_account",
			"ok pull: ecr:BatchGetImage is allowed from here on myproject_backend of account 111111111111 in us-east-1",
			unseen("repository policy", "222222222222", "ecr:GetRepositoryPolicy"),
			"unknown execution role: arn:aws:iam::222222222222:role/myproject_backend_task_execution_staging may pull by its own policies; whether the repository's policy lets it is not known: it could not be read → let the repository's policy be read, or look at it in account 111111111111",
			"ok image: what runs is in the registry, and not archived: " + digest,
			"ok platform: the image is made for linux/amd64, on which its tasks run",
			unseen("lifecycle", "222222222222", "ecr:DescribeImages"),
		},
	}
	for env, want := range tests {
		p.ResetCalls()
		got := p.examine(t, load(t, env), "").lines("")
		for _, c := range p.Calls() {
			if !regexp.MustCompile(`^(Describe|Get|List|BatchGet|Simulate|TestEventPattern)`).MatchString(c.Operation) {
				t.Errorf("%s: it called %s, and should only read", env, c.Operation)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
}

// TestDenied denies every call that the doctor makes, one at a time: something is
// unknown then, and nothing that was not fine before is called fine.
func TestDenied(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	docs, err := os.ReadFile("../../docs/how-to/troubleshooting.md")
	must(t, err)
	for _, env := range []string{"dev", "staging"} {
		p.ResetCalls()
		before := p.examine(t, load(t, env), "")
		denied := map[string]bool{}
		for _, call := range p.Calls() {
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
			p.Inject(emulator.Fault{Operation: name, Error: emulator.AccessDenied("User: u is not authorized to perform: " + name)})
			after := p.examine(t, load(t, env), "")
			p.ClearFaults()
			seen := slices.ContainsFunc(after.Findings, func(f Finding) bool { return f.Level == Unknown && strings.Contains(f.Seen, name) })
			if name == "s3:GetObject" { // is asked for by a URL, and denied without a word
				seen = slices.ContainsFunc(after.Findings, func(f Finding) bool { return f.Level == Unknown && f.Check == "platform" })
			}
			if !seen || after.Count(Problem) > 0 {
				t.Errorf("%s without %s:\n%s", env, name, strings.Join(after.lines(""), "\n"))
			}
			for _, f := range after.Findings {
				if f.Level == OK && !slices.Contains(before.Findings, f) {
					t.Errorf("%s without %s is well: %+v", env, name, f)
				}
			}
		}
	}
}

// TestTasks: of a task, which is not deployed yet, the repository is looked at.
func TestTasks(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	env := load(t, "dev")
	tasks := func() (all []Finding) {
		report, err := Examine(t.Context(), env, p.accounts["dev"].Config, nil)
		must(t, err)
		for _, f := range report.Findings {
			if f.Service == "nightly-report" {
				all = append(all, f)
			}
		}
		return all
	}
	want := []Finding{{"repository", "nightly-report", Problem, "No ECR repository found: 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report does not exist (strategy local: set by ecr_strategy)",
		"create it there, or set ecr_strategy in dev.yaml to where the images are"}}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
	_, err := p.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "report", "v1")
	must(t, err)
	want = []Finding{
		{"pull", "nightly-report", OK, "ecr:BatchGetImage is allowed from here on myproject_task_nightly-report of account 111111111111 in us-east-1", ""},
		{"repository policy", "nightly-report", OK, "none: nobody outside account 111111111111 has access", ""},
	}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
}

// unseen is the finding of a check that dev's repository policy keeps another
// account's administrator from making.
func unseen(check, account, action string) string {
	const repository = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
	root := "arn:aws:iam::" + account + ":root"
	return "unknown " + check + ": not checked, access denied: User: " + root + " is not authorized to perform: " + action + " on resource: " + repository +
		" because no resource-based policy allows the " + action + " action → to let it be checked, in account 111111111111, add to the policy of repository/myproject_backend in us-east-1: " +
		`{"Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":["` + action + `"]}`
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
