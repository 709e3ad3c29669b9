package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// asDeployer is an environment variable that makes the test binary be the command line.
const asDeployer = "BE_DEPLOYER"

// main is the command line.
func main() {
	os.Setenv("AWS_SDK_UA_APP_ID", commandOf(os.Args[1:]))
	os.Exit(Run(os.Args[1:], os.Stdout, os.Stderr))
}

// commandOf returns the command of a command line. Its calls of AWS name it, for checkPermissions.
func commandOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func TestMain(m *testing.M) {
	switch os.Getenv(asDeployer) {
	case "":
		os.Setenv("GOGC", cmp.Or(os.Getenv("GOGC"), "400")) // else two fifths of a short command's time collect garbage
	case inTurn:
		runInTurn(os.Stdin, os.Stdout)
		os.Exit(0)
	default:
		main()
	}
	os.Exit(runTests(m))
}

// runTests runs the tests, and removes what they have built when the last has run.
func runTests(m *testing.M) (exit int) {
	defer func() { os.RemoveAll(buildDir) }()
	defer endProcesses()
	waitTogether()
	exit = m.Run()
	if wrong := wrongPermissions(); len(wrong) > 0 {
		fmt.Fprintf(os.Stderr, "the permissions in the commands' help are wrong:\n%s\n", strings.Join(wrong, "\n"))
		return 1
	}
	return exit
}

// waitTogether lets more tests run at the same time than there are processors, because most of them wait for rollouts.
func waitTogether() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", fmt.Sprint(4*runtime.GOMAXPROCS(0)))
	}
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

// newCloud starts emulated AWS with a stack of deploy/template.yaml and the function's
// real bootstrap for each environment, in which rollouts advance. Only the functions of prod and of the environments in
// also get their events: the others would start processes for each image that a test pushes, to ignore it.
//
// A rollout takes minutes in AWS and a second here. So that a follower never reads a
// state that the function has yet to report, which in AWS lasts a moment, the clock
// advances only after every event is handled.
func newCloud(t *testing.T, also ...string) (*cloud.Cloud, *emulator.Clock) {
	t.Helper()
	path, err := bootstrap()
	must(t, err)
	const step = 100 * time.Millisecond
	clock := emulator.NewClock(time.Now())
	c, err := cloud.New(t.Context(), cloud.Options{
		Root: "../..", Bootstrap: path, RolloutStep: step, Clock: clock.Now, RetryWaits: []time.Duration{0, 0},
	})
	must(t, err)
	for env, a := range c.Accounts {
		if env != "prod" && !slices.Contains(also, env) {
			arn := "arn:aws:lambda:us-east-1:" + a.ID + ":function:myproject_deployer_" + env
			c.AWS.HandleLambda(arn, func(context.Context, []byte) error { return nil })
		}
	}
	var advancing sync.WaitGroup
	advancing.Go(func() {
		for t.Context().Err() == nil {
			time.Sleep(step / 2)
			clock.Advance(step / 2)
			c.AWS.Tick()
			if err := c.Settle(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() {
		advancing.Wait()
		c.Close()
	})
	return c, clock
}

// run runs the command line with an account's credentials, and returns what it
// printed and its exit code.
func run(t *testing.T, s *cloud.Cloud, account string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	checked := httptest.NewServer(checkPermissions(s.AWS))
	defer checked.Close()
	dir, err := filepath.Abs("../../examples/centralized-dev-ecr")
	must(t, err)
	a, err := typed(typedLine{Dir: dir, Args: args, Env: deployerEnv(checked.URL, account)})
	must(t, err)
	return a.Stdout, a.Stderr, a.Exit
}

// deployerEnv returns the environment variables for the test binary to be the command line, with an account's
// credentials, against AWS at url. It has none of the AWS variables of the person who runs the tests.
func deployerEnv(url, account string) []string {
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(environ, asDeployer+"=1", "AWS_ENDPOINT_URL="+url, "AWS_ACCESS_KEY_ID="+account,
		"AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true")
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
