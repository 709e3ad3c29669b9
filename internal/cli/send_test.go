package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// revision2 is the first revision that a deployment of prod's backend registers.
const revision2 = "arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:2"

// TestSendFollow sends events and follows their deployments through the rules,
// the function and ECS.
func TestSendFollow(t *testing.T) {
	t.Parallel()
	s, clock := newCloud(t)
	for _, version := range []string{"v2", "v3"} {
		_, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", version, version, version+"-again")
		must(t, err)
	}
	const arn = `arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:`
	for _, tt := range []struct {
		name, tag    string
		exit         int
		first, after string // of standard error: patterns of its first and last line
	}{
		{"deployed", "v2", 0,
			`backend: (rolling out|succeeded): \d of 2 tasks running, \d pending, 0 failed`,
			`backend runs ` + arn + `2`},
		{"the same image under another tag", "v2-again", 0,
			`backend runs this image already: .*`,
			`backend runs this image already: revision 3 is only a record of the event`},
		{"deployed next", "v3", 0, `backend: (rolling out|succeeded): .*`, `backend runs ` + arn + `4`},
	} {
		clock.Advance(time.Second) // events of the same second have no order
		stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", tt.tag, "--follow")
		progress, waits := strings.CutPrefix(stderr, "deployer: backend: waiting for the function\n")
		lines := strings.Split(strings.TrimSpace(progress), "\n")
		if exit != tt.exit || !waits || !regexp.MustCompile(`^[0-9a-f-]{36}\n$`).MatchString(stdout) ||
			!regexp.MustCompile(`^deployer: (error: )?`+tt.first+`$`).MatchString(lines[0]) ||
			!regexp.MustCompile(`^deployer: `+tt.after+`$`).MatchString(lines[len(lines)-1]) {
			t.Errorf("%s: exit %d, stdout %q, stderr:\n%s", tt.name, exit, stdout, stderr)
		}
	}
}

// TestSendFollowFailure follows a rollout whose tasks do not start, until ECS has
// rolled it back.
func TestSendFollowFailure(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "broken", "broken")
	must(t, err)
	s.AWS.FailImage(digest)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "broken", "--follow")
	want := "deployer: error: the rollout of " + revision2 + " failed: ECS deployment circuit breaker: "
	if exit != 4 || len(stdout) != 37 || !strings.Contains(stderr, want) || !strings.Contains(stderr, tasksStopped) {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", exit, stdout, stderr)
	}
}

// tasksStopped is what --follow says of tasks that exit.
const tasksStopped = "deployer: backend: stopped tasks: Essential container in task exited"

// TestSendFollowImpaired follows a rollout that fails and that ECS never ends: the
// function reports it as impaired.
func TestSendFollowImpaired(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	_, err := s.Accounts["prod"].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("myproject_cluster_prod"), Service: aws.String("myproject_service_prod"),
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
			DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{},
		},
	})
	must(t, err)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "broken", "broken")
	must(t, err)
	s.AWS.FailImage(digest)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "broken", "--follow")
	want := "deployer: error: the rollout of " + revision2 +
		" is impaired: its tasks do not start and the service has no circuit breaker "
	if exit != 4 || len(stdout) != 37 || !strings.Contains(stderr, want) || !strings.Contains(stderr, tasksStopped) {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", exit, stdout, stderr)
	}
}

// TestSendFollowSeveral follows the deployments of one event: each to its own end.
func TestSendFollowSeveral(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	_, err := s.Accounts["dev"].Push(t.Context(), "myproject_service_worker", "worker", "v2")
	must(t, err)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_service_web-api", "broken", "v2")
	must(t, err)
	s.AWS.FailImage(digest)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "*", "v2", "--follow")
	const arn = `arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_`
	for _, want := range []string{
		`deployer: the event deploys web-api, worker; the other repositories do not have the tag`,
		`deployer: worker runs ` + arn + `worker_prod:2`,
		`deployer: error: the rollout of ` + arn + `web-api_prod:2 failed: ECS deployment circuit breaker: `,
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("not in stderr: %s", want)
		}
	}
	if exit != 4 || len(stdout) != 37 || strings.Contains(stderr, "backend") {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", exit, stdout, stderr)
	}
}

// onlyLogs lets prod's function do nothing but write its log.
func onlyLogs(t *testing.T, s *cloud.Cloud) {
	t.Helper()
	document, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Action":"logs:PutLogEvents","Resource":"*"}]}`))
	must(t, err)
	s.AWS.SetRolePolicy(accounts.Prod, "myproject_deployer_prod", document)
}

// TestSendFollowDecision checks that a command that follows an event ends at once with the
// reason if the function cannot carry it out, and that deployer events has it.
func TestSendFollowDecision(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	_, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
	must(t, err)
	onlyLogs(t, s)
	begin := time.Now()
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "v2", "--follow")
	id := strings.TrimSpace(stdout)
	for _, want := range []string{
		"deployer: backend: waiting for the function\n",
		"deployer: error: the function failed, and Lambda lets it try again twice: ", "access denied",
		"deployer: hint: deployer events -f prod.yaml " + id + "\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("not in stderr: %s", want)
		}
	}
	if took := time.Since(begin); exit != exitAWS || took > time.Minute {
		t.Errorf("exit %d after %s, stderr:\n%s", exit, took, stderr)
	}
	stdout, stderr, exit = run(t, s, accounts.Prod, "events", "-f", "prod.yaml", id)
	if exit != 0 || !strings.Contains(stdout, "  deployment failed (attempt 1) backend v2: ") {
		t.Errorf("exit %d, stdout:\n%s\nstderr:\n%s", exit, stdout, stderr)
	}
}

// TestSendFollowTask follows the deployment of a task, which ends when its schedule was moved, and one together with a
// service.
func TestSendFollowTask(t *testing.T) {
	t.Parallel()
	s, clock := newCloud(t)
	for _, push := range [][]string{{"task_nightly-report", "v2", "v2", "v2-again"},
		{"task_nightly-report", "v3", "v3"}, {"service_worker", "worker", "v3"}} {
		_, err := s.Accounts["dev"].Push(t.Context(), "myproject_"+push[0], push[1], push[2:]...)
		must(t, err)
	}
	const next = `task:nightly-report: the next run uses arn:aws:ecs:us-east-1:333333333333:task-definition/` +
		`nightly-report:%d, due at \S+T03:00:00\+0\d:00`
	for _, tt := range []struct {
		what, tag string
		lines     []string // of standard error, sorted: patterns
	}{
		{"nightly-report", "v2", []string{fmt.Sprintf(next, 2), `task:nightly-report: waiting for the function`}},
		{"task:nightly-report", "v2-again", []string{
			`task:nightly-report runs this image already: revision 3 is only a record of the event`,
			`task:nightly-report: waiting for the function`}},
		{"worker,task:nightly-report", "v3", []string{fmt.Sprintf(next, 4),
			`task:nightly-report: waiting for the function`, `worker runs arn:\S+_worker_prod:2`,
			`worker: waiting for the function`}},
	} {
		clock.Advance(time.Second) // events of the same second have no order
		stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", tt.what, tt.tag, "--follow")
		got := slices.DeleteFunc(strings.Split(strings.TrimSpace(stderr), "\n"), func(line string) bool {
			return strings.Contains(line, " tasks running, ")
		})
		slices.Sort(got)
		ok := exit == 0 && len(stdout) == 37 && len(got) == len(tt.lines)
		for i, want := range tt.lines {
			ok = ok && regexp.MustCompile(`^deployer: `+want+`$`).MatchString(got[i])
		}
		if !ok {
			t.Errorf("%s %s: exit %d, stdout %q, stderr:\n%s", tt.what, tt.tag, exit, stdout, stderr)
		}
	}
}
