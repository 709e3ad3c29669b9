package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// newTheatre sets up the guide's first pattern with everything that
// deploy/template.yaml makes, and the function's real bootstrap.
func newTheatre(t *testing.T, change func(*cloud.Options)) *cloud.Stage {
	t.Helper()
	path, err := bootstrap()
	must(t, err)
	o := cloud.Options{Root: "../..", Bootstrap: path, RolloutStep: 100 * time.Millisecond, RetryWaits: []time.Duration{0, 0}}
	if change != nil {
		change(&o)
	}
	s, err := cloud.New(t.Context(), o)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

// run runs the command line with an account's credentials, and returns what it
// printed and its exit code.
func run(t *testing.T, s *cloud.Stage, account string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Dir = "../../examples/centralized-dev-ecr"
	command.Env = append(os.Environ(), asDeployer+"=1", "AWS_ENDPOINT_URL="+s.URL, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true")
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	_ = command.Run() // the exit code says it
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// TestSendFollow sends events and follows what becomes of them, through the
// rules, the function and ECS.
func TestSendFollow(t *testing.T) {
	t.Parallel()
	s := newTheatre(t, nil)
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
		{"deployed", "v2", 0, `backend: (rolling out|succeeded): \d of 2 tasks run, \d pending, 0 failed`, `backend runs ` + arn + `2`},
		{"the same image under another tag", "v2-again", 0, `backend ran this image already`, `backend ran this image already`},
		{"deployed next", "v3", 0, `backend: (rolling out|succeeded): .*`, `backend runs ` + arn + `4`},
	} {
		stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", tt.tag, "-follow")
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		first, last := lines[0], lines[len(lines)-1]
		if exit != tt.exit || !regexp.MustCompile(`^[0-9a-f-]{36}\n$`).MatchString(stdout) ||
			!regexp.MustCompile(`^deployer: (error: )?`+tt.first+`$`).MatchString(first) || !regexp.MustCompile(`^deployer: `+tt.after+`$`).MatchString(last) {
			t.Errorf("%s: exit %d, stdout %q, stderr:\n%s", tt.name, exit, stdout, stderr)
		}
	}
}

// TestSendFollowFailure follows a rollout whose tasks do not stay up, until ECS
// has gone back.
func TestSendFollowFailure(t *testing.T) {
	t.Parallel()
	s := newTheatre(t, nil)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "broken", "broken")
	must(t, err)
	s.AWS.FailImage(digest)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "broken", "-follow")
	if exit != 1 || len(stdout) != 37 || !strings.Contains(stderr, "deployer: error: the rollout of arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:2 failed: ECS deployment circuit breaker: ") {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", exit, stdout, stderr)
	}
}

// TestSendFollowImpaired follows a rollout that fails and that nothing ends: the
// function says so once ECS has.
func TestSendFollowImpaired(t *testing.T) {
	t.Parallel()
	s := newTheatre(t, nil)
	_, err := s.Accounts["prod"].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend),
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{}}})
	must(t, err)
	digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "broken", "broken")
	must(t, err)
	s.AWS.FailImage(digest)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "broken", "-follow")
	const want = "deployer: error: the rollout of arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:2 failed: its tasks do not stay up and the service has no circuit breaker "
	if exit != 1 || len(stdout) != 37 || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", exit, stdout, stderr)
	}
}
