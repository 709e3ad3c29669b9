package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"deployer/testbed/cloud"
)

// asDeployer is an environment variable that makes the test binary be the command line.
const asDeployer = "BE_DEPLOYER"

func main() { os.Exit(Run(os.Args[1:], os.Stdout, os.Stderr)) }

func TestMain(m *testing.M) {
	if os.Getenv(asDeployer) != "" {
		main()
	}
	testscript.Main(tests{m}, map[string]func(){"deployer": main})
}

// tests removes what the tests have built when the last has run.
type tests struct{ *testing.M }

func (m tests) Run() int {
	defer func() { os.RemoveAll(buildDir) }()
	return m.M.Run()
}

// buildDir is where bootstrap builds; "" until it does.
var buildDir string

// bootstrap builds the function's real bootstrap once for all tests, and returns its path.
var bootstrap = sync.OnceValues(func() (path string, err error) {
	if buildDir, err = os.MkdirTemp("", "deployer-bootstrap-"); err != nil {
		return "", err
	}
	path = filepath.Join(buildDir, "bootstrap")
	return path, cloud.BuildBootstrap(context.Background(), "../..", path)
})

// newTheatre sets up the guide's first pattern with everything that
// deploy/template.yaml makes, and the function's real bootstrap.
func newTheatre(t *testing.T, change func(*cloud.Options)) *cloud.Cloud {
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
func run(t *testing.T, s *cloud.Cloud, account string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Dir = "../../examples/centralized-dev-ecr"
	command.Env = append(os.Environ(), asDeployer+"=1", "AWS_ENDPOINT_URL="+s.URL, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true")
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	_ = command.Run() // the exit code says it
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
