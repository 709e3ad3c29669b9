package action_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A repository has the scripts of a release, and a Makefile whose archives take a moment. They have what a build sees.
type repository struct {
	t   *testing.T
	dir string
}

const makefile = `.PHONY: dist
name = dist/release/deployer_$(patsubst v%,%,$(version))_
dist:
	mkdir -p dist/release
	for f in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip \
		windows_arm64.zip; do \
		echo $$f $(version) $$(git rev-parse HEAD) $$(git tag) $$(go env GOVERSION GOTOOLCHAIN GOAMD64 GOFLAGS) \
			> $(name)$$f; done
	echo function > dist/release/deployer-function_1_arm64.zip
	cd dist/release && sha256sum * > ../SHA256SUMS && mv ../SHA256SUMS .
`

const changes = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-27\n\n- See [all\n  of it](docs/all.md#new), " +
	"[here](https://example.com/x).\n\n[0.2.0]: https://example.com\n"

func newRepository(t *testing.T) *repository {
	t.Helper()
	needs(t, "make")
	r := &repository{t: t, dir: t.TempDir()}
	for _, name := range []string{"build-release", "check-release", "pin-release", "release-notes"} {
		text, err := os.ReadFile("../scripts/" + name)
		must(t, err)
		r.write("scripts/"+name, string(text))
		must(t, os.Chmod(filepath.Join(r.dir, "scripts", name), 0o755))
	}
	r.write("Makefile", makefile)
	r.write("go.mod", "module deployer\n\ngo 1.26.0\n")
	r.write("CHANGELOG.md", changes)
	r.write("action/release", "# Comment.\nversion none\n")
	r.git("init", "-q", "-b", "main")
	r.commit("first")
	return r
}

func (r *repository) write(name, text string) {
	r.t.Helper()
	must(r.t, os.MkdirAll(filepath.Dir(filepath.Join(r.dir, name)), 0o755))
	must(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
}

func (r *repository) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	must(r.t, err)
	return string(text)
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	args = append([]string{"-C", r.dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)
	out, err := exec.CommandContext(r.t.Context(), "git", args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits everything and returns the commit.
func (r *repository) commit(subject string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", subject)
	return r.git("rev-parse", "HEAD")
}

// run runs a script in a directory that is not the repository's.
func (r *repository) run(script string, args ...string) (out string, ok bool) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.dir, "scripts", script), args...)
	cmd.Dir = r.t.TempDir()
	cmd.Env = append(os.Environ(), "GOAMD64=v3", "GOFLAGS=-mod=mod")
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// fails runs a script that must fail with a part of its output.
func (r *repository) fails(want, script string, args ...string) {
	r.t.Helper()
	if out, ok := r.run(script, args...); ok || !strings.Contains(out, want) {
		r.t.Errorf("%s %q: succeeded %t, want %q in:\n%s", script, args, ok, want, out)
	}
}

// passes runs a script that must succeed with a part of its output.
func (r *repository) passes(want, script string, args ...string) {
	r.t.Helper()
	if out, ok := r.run(script, args...); !ok || !strings.Contains(out, want) {
		r.t.Errorf("%s %q: succeeded %t, want %q in:\n%s", script, args, ok, want, out)
	}
}

// pinned returns a repository whose newest commit pins the one before, and that one.
func pinned(t *testing.T) (*repository, string) {
	t.Helper()
	r := newRepository(t)
	first := r.git("rev-parse", "HEAD")
	r.passes("", "pin-release", "0.2.0")
	r.commit("pin")
	return r, first
}

func goVersion(t *testing.T) string {
	t.Helper()
	version, err := exec.CommandContext(t.Context(), "go", "env", "GOVERSION").Output()
	must(t, err)
	return strings.TrimSpace(string(version))
}
