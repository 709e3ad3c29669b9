package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
)

// TestCommandless checks that GitHub's runner finds no command in a text, and that nothing else is changed.
func TestCommandless(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		parts []string
		want  string
	}{
		{[]string{"deployer: error: no\n"}, "deployer: error: no\n"},
		{[]string{"::error::a\n \t::warning::b\r::debug::c\u2003::x\n"},
			":\\:error::a\n \t:\\:warning::b\r:\\:debug::c\u2003::x\n"},
		{[]string{"\u00a0\u2003::error::a\n"}, "\u00a0\u2003:\\:error::a\n"},
		{[]string{"  11:31:09  ##[set-output name=status]deployed ###[error]#[x]# #[y]\n"},
			"  11:31:09  ##\\[set-output name=status]deployed ###\\[error]#[x]# #[y]\n"},
		{[]string{"a", "\n", " :", ":stop-commands::x\n#", "#", "[error]\n"},
			"a\n :\\:stop-commands::x\n##\\[error]\n"},
		{[]string{"a::b:: Zoë \xff ", ": :\n: :a\n"}, "a::b:: Zoë \xff : :\n: :a\n"},
	} {
		var b strings.Builder
		w := &commandless{Writer: &b}
		for _, part := range tt.parts {
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Errorf("%q: wrote %d, %v", part, n, err)
			}
		}
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.parts, diff)
		}
	}
}

// TestSendUnstarted checks that a job has a summary, outputs and an annotation of what ended before anything was sent.
func TestSendUnstarted(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	dir := t.TempDir()
	summary, results := filepath.Join(dir, "summary.md"), filepath.Join(dir, "outputs")
	broken := filepath.Join(dir, "broken.yaml")
	must(t, os.WriteFile(broken, []byte("project: x\n\"##[error]\": 1\n"), 0o644))
	for _, tt := range []struct {
		env              []string
		exit             int
		service, in, tag string
		why, fix         string // parts of the annotation
	}{
		{[]string{"INPUT_SERVICE=typo"}, 2, "typo", "prod", "v1", `service "typo" is not in the prod environment`,
			"deployer help send"},
		{[]string{"INPUT_SERVICE=backend,typo"}, 2, "backend, typo", "prod", "v1", `service "typo" is not in the `, ""},
		{[]string{"INPUT_TASK=typo", "INPUT_SERVICE="}, 2, "task:typo", "prod", "v1", `task "task:typo" is not in the `,
			"deployer help send"},
		{[]string{"INPUT_TAG=a/b"}, 2, "backend", "prod", "a/b", `tag "a/b" has a "/" or ":"`, "deployer help send"},
		{[]string{"INPUT_TIMEOUT=abc\n::error::x"}, 2, "backend", "prod", "v1", `--timeout "abc\n::error::x" is not a `,
			"deployer help send"},
		{[]string{"INPUT_TAG=##[error]x"}, 2, "backend", "prod", "##[error]x", "##[error]x", "deployer help send"},
		{[]string{"INPUT_TIMEOUT=-1m"}, 2, "backend", "prod", "v1", "--timeout -1m0s is no time", ""},
		{[]string{"INPUT_ENVIRONMENT_FILE=" + broken}, 1, "backend", broken, "v1", "broken.yaml:", ""},
	} {
		os.Remove(summary)
		os.Remove(results)
		out, exit := runAction(t, s, accounts.Prod, append([]string{"INPUT_ENVIRONMENT_FILE=prod.yaml",
			"INPUT_SERVICE=backend", "INPUT_TAG=v1", "INPUT_FOLLOW=true", "GITHUB_STEP_SUMMARY=" + summary,
			"GITHUB_OUTPUT=" + results}, tt.env...)...)
		text, _ := os.ReadFile(summary)
		values, _ := os.ReadFile(results)
		title := "### ❌ " + inCell(tt.service) + " in " + inCell(tt.in) + ": not sent\n"
		if exit != tt.exit || !strings.HasPrefix(string(text), title) ||
			!strings.Contains(string(text), "\n| tag | "+code(tt.tag)+" |\n| why | ") {
			t.Errorf("%q: exit %d, want %d and %q:\n%s", tt.env, exit, tt.exit, title, text)
		}
		var each []string
		for name := range strings.SplitSeq(tt.service, ", ") {
			each = append(each, `{"service":"`+name+`","status":"not sent","outcome":"","event-id":"","revision":"",`+
				`"previous-tag":"","digest":""}`)
		}
		want := "status=not sent\noutcome=\nevent-id=\nrevision=\nprevious-tag=\ndigest=\nservices=[" +
			strings.Join(each, ",") + "]\n"
		if diff := cmp.Diff(want, string(values)); diff != "" {
			t.Errorf("%q: outputs (-want +got):\n%s", tt.env, diff)
		}
		var commands []string
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				commands = append(commands, line)
			}
		}
		if len(commands) != 1 || !strings.Contains(commands[0], " was not deployed to ") ||
			!strings.Contains(commands[0], tt.why) || !strings.Contains(commands[0], tt.fix) {
			t.Errorf("%q: commands %q, want one with %q and %q:\n%s", tt.env, commands, tt.why, tt.fix, out)
		}
	}
}

// TestDeployUnstarted checks the same of a command that needs no event. A dry run has no report.
func TestDeployUnstarted(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	summary := filepath.Join(t.TempDir(), "summary.md")
	args := []string{"deploy", "-f", "prod.yaml", "typo", "v1", "--summary", summary}
	if _, _, exit := run(t, s, accounts.Prod, append(args, "--dry-run")...); exit != 2 {
		t.Errorf("a dry run: exit %d", exit)
	}
	if text, err := os.ReadFile(summary); err == nil {
		t.Errorf("a dry run has the summary\n%s", text)
	}
	_, _, exit := run(t, s, accounts.Prod, args...)
	text, err := os.ReadFile(summary)
	must(t, err)
	if exit != 2 || !strings.HasPrefix(string(text), "### ❌ typo in prod: not deployed\n") {
		t.Errorf("exit %d\n%s", exit, text)
	}
}
