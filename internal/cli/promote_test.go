package cli

import (
	"regexp"
	"strings"
	"testing"

	"deployer/testbed/accounts"
)

// TestPromoteFollow promotes within one registry, and follows the deployment through the
// rules, the function and ECS. The tag is there, so the role needs no rights to put it.
func TestPromoteFollow(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	_, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
	must(t, err)
	stdout, stderr, exit := run(t, s, accounts.Prod, "promote", "--from", "dev.yaml", "--to", "prod.yaml", "backend",
		"v2", "--deploy", "--follow")
	want := regexp.MustCompile(`^backend: unchanged: from dev to prod
  image  111111111111\.dkr\.ecr\.us-east-1\.amazonaws\.com/myproject_backend
  tag    v2
  digest sha256:[0-9a-f]{64}
[0-9a-f-]{36}
$`)
	if exit != 0 || !want.MatchString(stdout) || !strings.HasSuffix(stderr, "deployer: backend runs "+revision2+"\n") {
		t.Errorf("exit %d, stdout:\n%sstderr:\n%s", exit, stdout, stderr)
	}
}
