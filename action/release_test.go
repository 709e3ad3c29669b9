package action_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuildRelease checks what the build may depend on.
func TestBuildRelease(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	first := r.git("rev-parse", "HEAD")
	r.git("tag", "v0.1.0")
	r.write("code", "x")
	r.commit("code")
	version := goVersion(t)
	out := filepath.Join(t.TempDir(), "out")
	r.passes("", "build-release", "0.2.0", first, out, version)
	got, err := os.ReadFile(filepath.Join(out, "deployer_0.2.0_linux_amd64.tar.gz"))
	must(t, err)
	want := fmt.Sprintf("linux_amd64.tar.gz v0.2.0 %s %s %s v1 -mod=mod\n", first, version, version)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the archive (-want +got):\n%s", diff)
	}
	r.fails("there is no commit nothing", "build-release", "0.2.0", "nothing", out, version)
	r.fails("v0.2.0 is no version like 0.1.0", "build-release", "v0.2.0", first, out, version)
	r.fails("usage: ", "build-release", "0.2.0", first, out)
}

// TestPinRelease pins a release that is built from the commit.
func TestPinRelease(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	first := r.git("rev-parse", "HEAD")
	r.git("tag", "v0.1.0") // tags do not change the archives
	r.passes("building 0.2.0 from "+first, "pin-release", "0.2.0")
	got := r.read("action/release")
	sum := regexp.MustCompile(`(?m)^[0-9a-f]{64}  `)
	if n := len(sum.FindAllString(got, -1)); n != 6 {
		t.Errorf("%d checksums in:\n%s", n, got)
	}
	want := "# Comment.\nversion 0.2.0\ncommit " + first + "\ngo " + goVersion(t) + "\n" +
		"deployer_0.2.0_darwin_amd64.tar.gz\ndeployer_0.2.0_darwin_arm64.tar.gz\n" +
		"deployer_0.2.0_linux_amd64.tar.gz\ndeployer_0.2.0_linux_arm64.tar.gz\n" +
		"deployer_0.2.0_windows_amd64.zip\ndeployer_0.2.0_windows_arm64.zip\n"
	if diff := cmp.Diff(want, sum.ReplaceAllString(got, "")); diff != "" {
		t.Errorf("action/release (-want +got):\n%s", diff)
	}
	// Again, on top of its own commit, it pins the same.
	r.commit("pin")
	r.git("tag", "-d", "v0.1.0")
	r.passes("", "pin-release", "0.2.0", first)
	if diff := cmp.Diff(got, r.read("action/release")); diff != "" {
		t.Errorf("pinned again (-first +second):\n%s", diff)
	}
}

// TestPinReleaseFrom pins what a file of checksums has, and installs by it.
func TestPinReleaseFrom(t *testing.T) {
	t.Parallel()
	r, job := newRepository(t), newRunner(t, nil)
	var sums strings.Builder
	for _, name := range []string{"deployer-function_0.2.0_arm64.zip", "deployer_0.2.0_linux_amd64.tar.gz",
		"deployer_0.2.0_linux_arm64.tar.gz", "deployer_0.2.0_darwin_amd64.tar.gz", "deployer_0.2.0_darwin_arm64.tar.gz",
		"deployer_0.2.0_windows_amd64.zip", "deployer_0.2.0_windows_arm64.zip"} {
		fmt.Fprintf(&sums, "%s  %s\n", job.sums, name)
	}
	job.write("SHA256SUMS", sums.String())
	first := r.git("rev-parse", "HEAD")
	r.passes("commit "+first, "pin-release", "0.2.0", first, job.dir+"/SHA256SUMS")
	if strings.Contains(r.read("action/release"), "function") {
		t.Errorf("the function's archives are pinned:\n%s", r.read("action/release"))
	}
	job.write("action/release", r.read("action/release"))
	const url = "/v0.2.0/deployer_0.2.0_linux_amd64"
	if out, ok := job.run("install"); !ok || !strings.Contains(job.read("temp/urls"), url) {
		t.Errorf("installing by it:\n%s", out)
	}
	job.write("short", strings.ReplaceAll(sums.String(), job.sums[:10], ""))
	r.fails("has 0 archives of 0.2.0, want 6", "pin-release", "0.2.0", first, job.dir+"/short")
	job.write("five", strings.Replace(sums.String(), "deployer_0.2.0_darwin_arm64", "other", 1))
	r.fails("has 5 archives of 0.2.0, want 6", "pin-release", "0.2.0", first, job.dir+"/five")
}

// TestPinReleaseRefuses checks what is not pinned; action/release stays as it is.
func TestPinReleaseRefuses(t *testing.T) {
	t.Parallel()
	r, first := pinned(t)
	before := r.read("action/release")
	for _, wrong := range []string{"latest", "../0.2.0", "v0.2.0", "0.2"} {
		r.fails(wrong+" is no version like 0.1.0", "pin-release", wrong)
	}
	r.fails("usage: ", "pin-release")
	r.fails("there is no commit nothing", "pin-release", "0.2.0", "nothing")
	r.fails(`has no section "## [0.3.0] - `, "pin-release", "0.3.0")
	r.git("tag", "v0.2.0")
	r.fails("the tag v0.2.0 exists", "pin-release", "0.2.0")
	r.git("tag", "-d", "v0.2.0")
	r.write("code", "x")
	r.commit("code")
	r.fails(first+" is not the newest commit", "pin-release", "0.2.0", first)
	r.write("CHANGELOG.md", strings.Replace(changes, "[Unreleased]\n", "[Unreleased]\n\n- More.\n", 1))
	r.commit("more")
	r.fails("has entries under [Unreleased]: move them to [0.2.0]", "pin-release", "0.2.0")
	r.write("CHANGELOG.md", strings.Replace(changes, "2026-11-27", "unreleased", 1))
	r.commit("no date")
	r.fails(`has no section "## [0.2.0] - `, "pin-release", "0.2.0")
	if diff := cmp.Diff(before, r.read("action/release")); diff != "" {
		t.Errorf("action/release (-before +after):\n%s", diff)
	}
}

// TestCheckRelease checks the pins that are right, later commits included, and what is not compared.
func TestCheckRelease(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.passes("check-release: action/release pins no release: nothing is compared\n", "check-release")
	r, first := pinned(t)
	want := "release 0.2.0 of " + first + " has the archives that action/release pins:\n"
	r.passes(want, "check-release")
	r.git("tag", "v0.2.0")
	out := filepath.Join(t.TempDir(), "out")
	r.passes(want, "check-release", "v0.2.0", out)
	files, err := filepath.Glob(out + "/*")
	if err != nil || len(files) != 8 {
		t.Errorf("the archives to publish are %v", files)
	}
	r.write("code", "x")
	r.commit("code")
	r.passes(want, "check-release")

	shallow := &repository{t: t, dir: t.TempDir()}
	shallow.git("clone", "-q", "--depth=1", "file://"+r.dir, ".")
	shallow.passes("check-release: the history is shallow, without "+first+": nothing is compared\n", "check-release")
	shallow.fails("the history is shallow", "check-release", "v0.2.0", out)

	must(t, os.RemoveAll(filepath.Join(shallow.dir, ".git")))
	shallow.passes("there is no history", "check-release")
	r.write("action/release", strings.Replace(r.read("action/release"), "go "+goVersion(t), "go go1.999.1", 1))
	r.passes("release 0.2.0 is built with go1.999.1; this is go1.", "check-release")
}

// TestCheckReleaseFails checks that nothing that differs from its pins is published.
func TestCheckReleaseFails(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.fails("action/release pins no release", "check-release", "v0.2.0", t.TempDir())
	r, first := pinned(t)
	right := r.read("action/release")
	lines := strings.SplitAfter(right, "\n")
	other, differs := strings.Repeat("0", 64), "pins other archives than "+first
	for _, tt := range []struct{ name, file, want string }{
		{"another sum", strings.Replace(right, lines[4][:64], other, 1), differs},
		{"a missing archive", strings.Replace(right, lines[6], "", 1), differs},
		{"one more archive", right + other + "  deployer_0.2.0_plan9_amd64.tar.gz\n", differs},
		{"another line", right + "x\n", differs},
		{"no commit", strings.Replace(right, lines[2], "", 1), "needs one version, one commit and one go"},
		{"two commits", right + lines[2], "needs one version, one commit and one go"},
		{"no Go version", strings.Replace(right, lines[3], "", 1), "needs one version, one commit and one go"},
		{"no version", strings.Replace(right, lines[1], "", 1), "needs one version, one commit and one go"},
		{"an unknown commit", strings.Replace(right, first, other[:40], 1), "is not in the history of HEAD"},
	} {
		r.write("action/release", tt.file)
		r.fails(tt.want, "check-release")
	}
	r.write("action/release", right)
	out := filepath.Join(t.TempDir(), "out")
	r.fails("the tag v0.3.0 is not that of the release that action/release pins, 0.2.0", "check-release", "v0.3.0", out)
	r.write("code", "x")
	r.commit("code")
	r.fails("the tag v0.2.0 has other sources than "+first+", of which the release is built:\ncode\n", "check-release",
		"v0.2.0", out)
	if _, err := os.Stat(out); err == nil {
		t.Error("archives are left to publish")
	}
}

// TestReleaseNotes checks which part of the changelog is published, and its links.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.passes("- See [all\n  of it](docs/all.md#new), [here](https://example.com/x).\n", "release-notes", "0.2.0")
	const address = "https://github.example/octocat/deployer/blob/v0.2.0"
	got, _ := r.run("release-notes", "0.2.0", address)
	want := "- See [all\n  of it](" + address + "/docs/all.md#new), [here](https://example.com/x).\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with an address (-want +got):\n%s", diff)
	}
	r.fails(`CHANGELOG.md has no section "## [0.3.0]"`, "release-notes", "0.3.0")
}
