package cli

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/journal"
	"deployer/internal/rollout"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// TestMarkdown checks the summary of a deployment, and that texts of senders are no markup in it.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	good := deployed{Service: "backend", Environment: "prod", Tag: "git-abc123f", Digest: "sha256:9c9b",
		Previous: "v1", Revision: "myproject_service_prod:7", Actor: "ada", Reason: "fix the login", EventID: "e-1",
		Status: started, Result: "succeeded", Duration: 83*time.Second + time.Millisecond,
		Console: "https://us-east-1.console.aws.amazon.com/ecs/v2/clusters/c/services/s/deployments?region=us-east-1"}
	hostile := deployed{Service: "worker", Environment: "prod", Tag: "v2", Actor: "@octocat | <b>x</b>\n# title",
		Reason: "[click](https://evil.example) `code` #1 https://evil.example", Status: unknown, Result: unknown,
		Why: "a|b\n::error::c", Fix: "deployer status -f 'a|b.yaml' `x`"}
	tests := []struct {
		name string
		deployed
		want string
	}{
		{"succeeded", good, `### ✅ backend in prod: succeeded

| | |
|---|---|
| tag | <code>git-abc123f</code> |
| digest | <code>sha256&#58;9c9b</code> |
| from → to | <code>v1</code> → <code>git-abc123f</code> |
| revision | <code>myproject&#95;service&#95;prod&#58;7</code> |
| by | ada |
| reason | fix the login |
| took | 1m23s |
| event | <code>e-1</code> |
| console | [deployments](` + good.Console + `) |

`},
		{"hostile", hostile, `### ❌ worker in prod: unknown

| | |
|---|---|
| tag | <code>v2</code> |
| by | &#64;octocat \| &lt;b&gt;x&lt;/b&gt; &#35; title |
| reason | \[click\]\(https&#58;//evil\.example\) ` + "\\`code\\`" + ` &#35;1 https&#58;//evil\.example |
| why | a\|b &#58;&#58;error&#58;&#58;c |
| next | <code>deployer status -f &#39;a&#124;b.yaml&#39; &#96;x&#96;</code> |

`},
		{"sent", deployed{Service: "backend", Environment: "prod", Tag: "v1", EventID: "e-2", Status: sent},
			`### 📨 backend in prod: sent

| | |
|---|---|
| tag | <code>v1</code> |
| event | <code>e-2</code> |

`},
	}
	for _, tt := range tests {
		var b strings.Builder
		markdown(&b, []deployed{tt.deployed})
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestOutputs checks the outputs of an action: those of the first deployment that did not succeed, each on one line.
func TestOutputs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	outputs(&b, []deployed{{Service: "web", Status: started, Result: "succeeded", EventID: "e-1"},
		{Service: "backend", Status: started, Result: "failed", EventID: "e-1", Revision: "web:2",
			Previous: "v1\nstatus=deployed", Digest: "sha256:9c9b", Why: "no"}, {Service: "api", Status: unchanged}})
	want := "status=deployed\noutcome=failed\nevent-id=e-1\nrevision=web:2\nprevious-tag=v1 status=deployed\n" +
		"digest=sha256:9c9b\n" +
		`services=[{"service":"api","status":"unchanged","outcome":"","event-id":"","revision":"",` +
		`"previous-tag":"","digest":""},{"service":"backend","status":"deployed",` +
		`"outcome":"failed","event-id":"e-1","revision":` +
		`"web:2","previous-tag":"v1 status=deployed","digest":"sha256:9c9b"},{"service":"web","status":"deployed",` +
		`"outcome":"succeeded","event-id":"e-1","revision":"","previous-tag":"","digest":""}]` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	outputs(&b, []deployed{{Service: "backend, web", Status: notSent, Why: "no"}}) // none was deployed
	want = "status=not sent\noutcome=\nevent-id=\nrevision=\nprevious-tag=\ndigest=\n" +
		`services=[{"service":"backend","status":"not sent","outcome":"","event-id":"","revision":"",` +
		`"previous-tag":"","digest":""},{"service":"web","status":"not sent","outcome":"","event-id":"",` +
		`"revision":"","previous-tag":"","digest":""}]` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	outputs(&b, []deployed{{Status: unchanged, EventID: "e-1"}, {Status: started, EventID: "e-2"}, {Status: started}})
	if want := "status=deployed\noutcome=\nevent-id=e-2\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("of one that changed: %q", b.String())
	}
	b.Reset()
	if outputs(&b, nil); b.Len() > 0 {
		t.Errorf("without a deployment: %q", b.String())
	}
}

// TestAnnotations checks GitHub's commands: a text of another cannot begin one.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	annotations(&b, []deployed{{Service: "ok"}, {Service: "a,b", Environment: "prod",
		Why: "100% of tasks\n::set-output name=x::y", Fix: "deployer history -f prod.yaml"}})
	want := "::error title=a%2Cb was not deployed to prod::100%25 of tasks ::set-output name=x::y%0Anext: deployer " +
		"history -f prod.yaml\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestResultOf names the end of a rollout.
func TestResultOf(t *testing.T) {
	t.Parallel()
	failed := error(&rolloutError{rollout.Progress{Phase: journal.Failed, Reason: "no task started.",
		Stopped: "out of memory"}, nil, hinted("fix", "it failed")})
	if got := resultOf(errors.Join(failed)); got != "failed" {
		t.Errorf("a failed rollout is %q", got)
	}
	if got := resultOf(errors.New("no answer")); got != unknown {
		t.Errorf("another error is %q", got)
	}
	if what, fix := partsOf(failed); what != "no task started. Stopped tasks: out of memory" || fix != "fix" {
		t.Errorf("parts %q, %q", what, fix)
	}
}

// runAction runs the script of the GitHub action with the command line in PATH, in a job of an environment's account.
// It returns what the script printed and its exit code.
func runAction(t *testing.T, s *cloud.Cloud, account string, env ...string) (out string, exit int) {
	t.Helper()
	checked := httptest.NewServer(checkPermissions(s.AWS))
	defer checked.Close()
	program, err := os.Executable()
	must(t, err)
	bin := t.TempDir()
	must(t, os.Symlink(program, filepath.Join(bin, "deployer")))
	script, err := filepath.Abs("../../action/send")
	must(t, err)
	_, err = os.ReadFile(script) // so that go test runs again when it has changed
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "bash", script)
	cmd.Dir = "../../examples/centralized-dev-ecr"
	cmd.Env = slices.Concat(deployerEnv(checked.URL, account), env,
		[]string{"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "GITHUB_ACTIONS=true"})
	text, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// TestSendSummary follows, with the script of the action, a deployment that succeeds, one of the same image, one that
// fails, and an event that cannot be sent, and reads the files of a job.
func TestSendSummary(t *testing.T) {
	t.Parallel()
	s, clock := newCloud(t)
	for _, version := range []string{"v2", "broken"} {
		digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", version, version)
		must(t, err)
		if version == "broken" {
			s.AWS.FailImage(digest)
		}
	}
	dir := t.TempDir()
	summary, results := filepath.Join(dir, "summary.md"), filepath.Join(dir, "outputs")
	for _, tt := range []struct {
		tag, title string
		outputs    string // a pattern
		exit       int
	}{
		{"v2", "### ✅ backend in prod: succeeded",
			`status=deployed\noutcome=succeeded\nevent-id=[0-9a-f-]{36}\nrevision=myproject_service_prod:2\n` +
				`previous-tag=v1\ndigest=sha256:[0-9a-f]{64}\nservices=\[\{"service":"backend",.*\}\]\n`, 0},
		{"v2", "### ✅ backend in prod: unchanged", `status=unchanged\noutcome=\nevent-id=[0-9a-f-]{36}\n.*`, 0},
		{"broken", "### ❌ backend in prod: failed",
			`status=deployed\noutcome=failed\nevent-id=[0-9a-f-]{36}\nrevision=myproject_service_prod:\d\n` +
				`previous-tag=v2\ndigest=sha256:[0-9a-f]{64}\nservices=\[\{"service":"backend",.*\}\]\n`, 4},
		{"none", "### ❌ backend in prod: not sent", `status=not sent\noutcome=\nevent-id=\n.*`, 3},
	} {
		clock.Advance(time.Second) // events of the same second have no order
		os.Remove(summary)
		os.Remove(results)
		out, exit := runAction(t, s, accounts.Prod, "INPUT_ENVIRONMENT_FILE=prod.yaml", "INPUT_SERVICE=backend",
			"INPUT_TAG="+tt.tag, "INPUT_FOLLOW=true", "INPUT_REASON=try it", "INPUT_ACTOR=ada",
			"GITHUB_STEP_SUMMARY="+summary, "GITHUB_OUTPUT="+results)
		text, err := os.ReadFile(summary)
		must(t, err)
		values, err := os.ReadFile(results)
		must(t, err)
		if exit != tt.exit || !strings.HasPrefix(string(text), tt.title+"\n") {
			t.Errorf("%s: exit %d, want %d and %q:\n%s\n%s", tt.tag, exit, tt.exit, tt.title, text, out)
		}
		const annotation = "::error title=backend was not deployed to prod::"
		if annotated := strings.Contains(out, annotation); annotated != (exit != 0) {
			t.Errorf("%s: exit %d, an annotation: %t\n%s", tt.tag, exit, annotated, out)
		}
		if !regexp.MustCompile("^(?s:" + tt.outputs + ")$").Match(values) {
			t.Errorf("%s: outputs\n%s\nwant %s", tt.tag, values, tt.outputs)
		}
		if tt.tag != "none" && !strings.Contains(string(text), "| reason | try it |") {
			t.Errorf("%s: no reason in\n%s", tt.tag, text)
		}
	}
}

// TestDeploySummary deploys without an event, rolls back, and reads the files of a job.
func TestDeploySummary(t *testing.T) {
	t.Parallel()
	s, clock := newCloud(t)
	for _, version := range []string{"v2", "broken"} {
		digest, err := s.Accounts["dev"].Push(t.Context(), "myproject_backend", version, version)
		must(t, err)
		if version == "broken" {
			s.AWS.FailImage(digest)
		}
	}
	dir := t.TempDir()
	summary, results := filepath.Join(dir, "summary.md"), filepath.Join(dir, "outputs")
	const rest = `\nevent-id=cli-[0-9A-Z]+\nrevision=myproject_service_prod:\d\nprevious-tag=\w+\n` +
		`digest=sha256:[0-9a-f]{64}\nservices=\[\{"service":"backend",.*\}\]\n`
	for _, tt := range []struct {
		args    string
		title   string // "" for no file
		outputs string // a pattern
		exit    int
	}{
		{"deploy backend v2 --dry-run", "", "", 0},
		{"deploy backend v2", "### ✅ backend in prod: deployed", `status=deployed\noutcome=` + rest, 0},
		{"deploy backend v2 --follow", "### ✅ backend in prod: unchanged", `status=unchanged\noutcome=` + rest, 0},
		{"deploy backend broken --follow", "### ❌ backend in prod: " +
			"failed", `status=deployed\noutcome=failed` + rest, 4},
		{"rollback backend --to 1 --follow", "### ✅ backend in prod: succeeded",
			`status=deployed\noutcome=succeeded` + rest, 0},
		{"deploy backend none --follow", "### ❌ backend in prod: rejected",
			`status=rejected\noutcome=\nevent-id=cli-[0-9A-Z]+\nrevision=\nprevious-tag=\ndigest=\n` +
				`services=\[\{"service":"backend",.*\}\]\n`, 3},
	} {
		// The rollouts before are over. The function has the real clock, so that after a longer time it would complete
		// what a command has just registered.
		clock.Advance(time.Second)
		os.Remove(summary)
		os.Remove(results)
		args := append(strings.Fields(tt.args), "-f", "prod.yaml", "--summary", summary, "--outputs", results,
			"--reason", "try it")
		_, stderr, exit := run(t, s, accounts.Prod, args...)
		text, _ := os.ReadFile(summary)
		values, _ := os.ReadFile(results)
		if exit != tt.exit || !strings.HasPrefix(string(text), tt.title) || (tt.title == "") != (len(text) == 0) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s\n%s", tt.args, exit, tt.exit, tt.title, text, stderr)
		}
		if !regexp.MustCompile("^(?s:" + tt.outputs + ")$").Match(values) {
			t.Errorf("%s: outputs\n%s\nwant %s", tt.args, values, tt.outputs)
		}
	}
	_, _, exit := run(t, s, accounts.Dev, "deploy", "-f", "prod.yaml", "backend", "v2", "--summary", summary)
	text, err := os.ReadFile(summary)
	must(t, err)
	if exit != 6 || !strings.Contains(string(text), "### ❌ backend in prod: not deployed\n") {
		t.Errorf("with another account's credentials: exit %d\n%s", exit, text)
	}
}
