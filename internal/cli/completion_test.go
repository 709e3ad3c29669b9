package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// inBash completes command lines as bash does, which splits words at = and :. The package
// bash-completion is not there.
const inBash = `
compopt() { :; }
source <(deployer completion bash)
try() {
	COMP_LINE=$1 COMP_POINT=${#1}
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	__start_deployer
	echo "$COMP_LINE -> ${COMPREPLY[*]}"
}
try 'deployer stat' deployer stat
try 'deployer deploy --env=sta' deployer deploy --env = sta
try 'deployer deploy -e dev wor' deployer deploy -e dev wor
try 'deployer diff -e dev task:ni' deployer diff -e dev task : ni
try 'deployer diff -e dev tas' deployer diff -e dev tas
try 'deployer deploy --reason "fix it" -e dev web' deployer deploy --reason '"fix it"' -e dev web
try 'deployer send -e dev backend ' deployer send -e dev backend ''
try 'deployer send -e dev backend git-' deployer send -e dev backend git-
try 'deployer send -e nothing backend ' deployer send -e nothing backend ''
try 'deployer frobnicate ' deployer frobnicate ''
try 'deployer -e prod st' deployer -e prod st
try 'deployer --env=prod --json wai' deployer --env = prod --json wai
try 'deployer -e pro' deployer -e pro
try 'deployer --env=pro' deployer --env = pro
try 'deployer -e prod --js' deployer -e prod --js
try 'deployer -e prod status work' deployer -e prod status work
try 'deployer -e prod frobnicate ' deployer -e prod frobnicate ''
`

// TestCompletionInBash runs the script for bash in a real one.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here: ", err)
	}
	_, url := emulatortest.Start(t, emulator.Options{})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	_, err = byName["dev"].Push(t.Context(), "myproject_backend", "v2", "git-abc123f")
	must(t, err)
	bin := t.TempDir()
	must(t, os.Symlink(os.Args[0], filepath.Join(bin, "deployer")))
	c := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", inBash)
	c.Dir = "../../examples/centralized-dev-ecr"
	c.Env = append(deployerEnv(url, accounts.Dev), "PATH="+bin+":"+os.Getenv("PATH"))
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	must(t, c.Run())
	const want = `deployer stat -> status
deployer deploy --env=sta -> staging
deployer deploy -e dev wor -> worker
deployer diff -e dev task:ni -> nightly-report
deployer diff -e dev tas -> task:nightly-report
deployer deploy --reason "fix it" -e dev web -> web-api
deployer send -e dev backend  -> git-abc123f v1
deployer send -e dev backend git- -> git-abc123f
deployer send -e nothing backend  -> 
deployer frobnicate  -> 
deployer -e prod st -> stop status
deployer --env=prod --json wai -> wait
deployer -e pro -> prod
deployer --env=pro -> prod
deployer -e prod --js -> --json
deployer -e prod status work -> worker
deployer -e prod frobnicate  -> 
`
	if diff := cmp.Diff(want, out.String()); diff != "" || errs.String() != "" {
		t.Errorf("completions (-want +got):\n%s\nstderr: %s", diff, errs.String())
	}
}
