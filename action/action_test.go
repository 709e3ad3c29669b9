// Package action_test runs the scripts of the GitHub action with a download that needs no network.
package action_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// action is what the tests need of an action.yml.
type action struct {
	Inputs  map[string]struct{ Required bool }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			Uses, Run, Shell string
			Env              map[string]string
		}
	}
}

// TestDefinition checks that no expression is inside a script, that other actions are pinned, and that every input
// reaches the script.
func TestDefinition(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	for _, file := range []string{"../action.yml", "../setup/action.yml"} {
		a := read(t, file)
		if a.Runs.Using != "composite" {
			t.Errorf("%s runs by %s", file, a.Runs.Using)
		}
		env := map[string]string{}
		for _, s := range a.Runs.Steps {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: the script has an expression: %s", file, s.Run)
			}
			if s.Uses != "" && !pinned.MatchString(s.Uses) {
				t.Errorf("%s: %s is not pinned by its commit", file, s.Uses)
			}
			if s.Run != "" && s.Shell != "bash" {
				t.Errorf("%s: shell %q", file, s.Shell)
			}
			for name, value := range s.Env {
				env[name] = value
			}
		}
		for name := range a.Inputs {
			variable := "INPUT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if env[variable] != "${{ inputs."+name+" }}" {
				t.Errorf("%s: input %s reaches the script as %q", file, name, env[variable])
			}
		}
		for name, o := range a.Outputs {
			if o.Value != "${{ steps.send.outputs."+name+" }}" {
				t.Errorf("%s: output %s is %q", file, name, o.Value)
			}
		}
	}
}

// TestInstall checks that only what is pinned is run.
func TestInstall(t *testing.T) {
	t.Parallel()
	evil := archiveOf(t, "#!/usr/bin/env bash\ntouch \""+filepath.Join(t.TempDir(), "pwned")+"\"\n")
	two := strings.Repeat(strings.Repeat("0", 64)+"  "+linux+"\n", 2)
	for _, tt := range []struct {
		name    string
		content []byte
		release string // "" for one with the archive's sum
		env     []string
		want    string // a part of the output
		ok      bool
	}{
		{"pinned", nil, "", nil, "deployer 0.1.0\n", true},
		{"another archive", evil, "", nil, "and the action pins", false},
		{"an empty download", []byte{}, "", nil, "and the action pins", false},
		{"no network", nil, "", []string{"OFFLINE=1"}, "::error title=deployer::downloading https://github.example/" +
			"octocat/deployer/releases/download/v0.1.0/deployer_0.1.0_linux_amd64.tar.gz failed\n", false},
		{"no release yet", nil, "version none\n", nil, "::error title=deployer::this commit of the action pins no " +
			"release: use the commit that a release's tag names", false},
		{"a version that is a path", nil, "version ../../x\n", nil, "pins no release", false},
		{"no sum", nil, "version 0.1.0\n", nil, "has no SHA-256 of deployer_0.1.0_linux_amd64.tar.gz", false},
		{"no archive", nil, "version 0.1.0\ncommit 0123\n", nil, "has no SHA-256 of " + linux, false},
		{"two sums", nil, "version 0.1.0\n" + two, nil, "has no SHA-256 of " + linux, false},
		{"a short sum", nil, "version 0.1.0\nabc  deployer_0.1.0_linux_amd64.tar.gz\n", nil, "has no SHA-256", false},
		{"another platform", nil, "", []string{"RUNNER_ARCH=ARM64"},
			"has no SHA-256 of deployer_0.1.0_linux_arm64.tar.gz", false},
		{"an unknown platform", nil, "", []string{"RUNNER_ARCH=X86"}, "there is no release for X86", false},
		{"an unknown system", nil, "", []string{"RUNNER_OS=Plan9"}, "there is no release for Plan9", false},
		{"used without an action's repository", nil, "",
			[]string{"ACTION_REPOSITORY=", "GITHUB_REPOSITORY=octocat/shop"}, "deployer 0.1.0\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, tt.content)
			if tt.release != "" {
				r.write("action/release", tt.release)
			}
			out, ok := r.run("install", tt.env...)
			if ok != tt.ok || !strings.Contains(out, tt.want) {
				t.Errorf("succeeded %t, output:\n%s\nwant %t and %q", ok, out, tt.ok, tt.want)
			}
			if added := r.read("path") != ""; added != tt.ok {
				t.Errorf("added to PATH: %t", added)
			}
		})
	}
}

// TestInstallRepository checks that the release is that of the action's repository, whatever the runner says.
func TestInstallRepository(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ directory, variable, want string }{
		{"_actions/octocat/deployer/0123abc", "aws-actions/configure-aws-credentials", "octocat/deployer"},
		{"_actions/octocat/deployer/releases/v1", "", "octocat/deployer"},
		{"checkout", "octocat/deployer", "octocat/deployer"},
		{"checkout", "", "octocat/shop"},
	} {
		r := newRunner(t, nil)
		must(t, os.MkdirAll(filepath.Join(r.dir, tt.directory), 0o755))
		must(t, os.Rename(filepath.Join(r.dir, "action"), filepath.Join(r.dir, tt.directory, "action")))
		out, ok := r.run("../"+tt.directory+"/action/install", "ACTION_REPOSITORY="+tt.variable,
			"GITHUB_REPOSITORY=octocat/shop")
		want := "https://github.example/" + tt.want + "/releases/"
		if !ok || !strings.Contains(r.read("temp/urls"), want) {
			t.Errorf("%+v: %s\n%s", tt, r.read("temp/urls"), out)
		}
	}
}

// TestInstallCache checks that the cache saves the download, and that what someone else wrote into it is not run.
func TestInstallCache(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	const archive = "cache/deployer-archives/deployer_0.1.0_linux_amd64.tar.gz"
	for _, tt := range []struct {
		name      string
		change    func()
		downloads int
	}{
		{"first", func() {}, 1},
		{"again", func() {}, 1},
		{"tampered", func() { r.write(archive, "evil") }, 2},
	} {
		tt.change()
		out, ok := r.run("install")
		downloads := strings.Count(r.read("temp/urls"), "\n")
		if !ok || downloads != tt.downloads {
			t.Errorf("%s: %d downloads, want %d:\n%s", tt.name, downloads, tt.downloads, out)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(r.read(archive)))); sum != r.sums {
			t.Errorf("%s: the cache holds %s", tt.name, sum)
		}
	}
}

// TestSend checks what the deployer is called with, whatever the inputs are.
func TestSend(t *testing.T) {
	t.Parallel()
	right := []string{"INPUT_SERVICE=backend", "INPUT_TAG=git-abc123f", "INPUT_ENVIRONMENT_FILE=prod.yaml",
		"INPUT_FOLLOW=true", "INPUT_TIMEOUT=20m", "INPUT_ACTOR=octocat"}
	for _, tt := range []struct {
		name string
		env  []string // in place of, and in addition to, the right ones
		want []string // the arguments besides those that are always the same
		fail string   // a part of the output, if it is not called
	}{
		{"follow", nil, []string{"[--reason=]", "[--actor=octocat]", "[--follow]", "[--timeout=20m]", "[--]",
			"[backend]", "[git-abc123f]"}, ""},
		{"not follow", []string{"INPUT_FOLLOW=false"}, []string{"[--reason=]", "[--actor=octocat]", "[--]", "[backend]",
			"[git-abc123f]"}, ""},
		{"a task", []string{"INPUT_SERVICE=", "INPUT_TASK=nightly-report"}, []string{"[--reason=]",
			"[--actor=octocat]", "[--follow]", "[--timeout=20m]", "[--]", "[task:nightly-report]",
			"[git-abc123f]"}, ""},
		{"shell in every input", []string{"INPUT_SERVICE=a; touch pwned", "INPUT_TAG=$(touch pwned)",
			"INPUT_REASON=`touch pwned` \" ' \\ * ~", "INPUT_ACTOR=x && touch pwned", "INPUT_TIMEOUT=1m; touch pwned"},
			[]string{"[--reason=`touch pwned` \" ' \\ * ~]", "[--actor=x && touch pwned]", "[--follow]",
				"[--timeout=1m; touch pwned]", "[--]", "[a; touch pwned]", "[$(touch pwned)]"}, ""},
		{"flags in every input", []string{"INPUT_SERVICE=--bus=arn", "INPUT_TAG=--dry-run", "INPUT_REASON=--force"},
			[]string{"[--reason=--force]", "[--actor=octocat]", "[--follow]", "[--timeout=20m]", "[--]", "[--bus=arn]",
				"[--dry-run]"}, ""},
		{"lines in an input", []string{"INPUT_REASON=a\n::error::b"}, []string{"[--reason=a\n::error::b]",
			"[--actor=octocat]", "[--follow]", "[--timeout=20m]", "[--]", "[backend]", "[git-abc123f]"}, ""},
		{"service and task", []string{"INPUT_TASK=x"}, nil, "the inputs service and task exclude each other"},
		{"neither", []string{"INPUT_SERVICE="}, nil, "did an expression expand to nothing?"},
		{"no tag", []string{"INPUT_TAG="}, nil, "the input tag is empty: did an expression expand to nothing?"},
		{"no file", []string{"INPUT_ENVIRONMENT_FILE="}, nil, "the input environment-file is empty"},
		{"another file", []string{"INPUT_ENVIRONMENT_FILE=x.yaml\n::error::y"}, nil,
			"there is no environment-file of that name"},
		{"a role without a region", []string{"INPUT_ROLE=arn"}, nil, "the input role needs the input region"},
		{"perhaps follow", []string{"INPUT_FOLLOW=yes"}, nil, "the input follow is neither true nor false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, nil)
			if out, ok := r.run("install"); !ok {
				t.Fatal(out)
			}
			out, ok := r.run("send", append(right, tt.env...)...)
			if ok != (tt.fail == "") || !strings.Contains(out, tt.fail) || strings.Contains(out, "\n::error::y") {
				t.Errorf("succeeded %t, output:\n%s", ok, out)
			}
			want := ""
			if tt.want != nil {
				files := []string{"[--summary=" + r.dir + "/summary]", "[--outputs=" + r.dir + "/output]"}
				all := slices.Concat([]string{"[send]", "[--file=prod.yaml]"}, tt.want[:2], files, tt.want[2:])
				want = strings.Join(all, "\n") + "\n"
			}
			status := ""
			if tt.fail != "" {
				status = "status=not sent\n"
			}
			if got := r.read("output"); got != status {
				t.Errorf("outputs %q, want %q", got, status)
			}
			if diff := cmp.Diff(want, r.read("called")); diff != "" {
				t.Errorf("called with (-want +got):\n%s", diff)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "work", "pwned")); err == nil {
				t.Error("the shell ran an input")
			}
		})
	}
}

// TestSendFails checks that a deployment that did not succeed fails the step.
func TestSendFails(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	if out, ok := r.run("install"); !ok {
		t.Fatal(out)
	}
	if out, ok := r.run("send", "INPUT_SERVICE=backend", "INPUT_TAG=v1", "INPUT_ENVIRONMENT_FILE=prod.yaml",
		"INPUT_FOLLOW=true", "EXIT=1"); ok {
		t.Errorf("it succeeded:\n%s", out)
	}
}
