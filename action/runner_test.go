package action_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func read(t *testing.T, file string) action {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var a action
	must(t, yaml.Unmarshal(text, &a))
	return a
}

// A runner is a job's machine, with a fake release.
type runner struct {
	t    *testing.T
	dir  string // with action/, bin/, temp/, cache/ and work/
	sums string // the SHA-256 that the action pins
}

// deployer is the program in the release: it writes its arguments, one a line.
const deployer = `#!/usr/bin/env bash
if [ "$1" = version ]; then echo "deployer 0.1.0"; exit; fi
for a in "$@"; do printf '[%s]\n' "$a"; done > "$CALLED"
exit "${EXIT:-0}"
`

// newRunner pins the release, and serves content in its place if there is any.
func newRunner(t *testing.T, content []byte) *runner {
	t.Helper()
	r := &runner{t: t, dir: t.TempDir()}
	for _, name := range []string{"action", "bin", "temp", "cache", "work"} {
		must(t, os.Mkdir(filepath.Join(r.dir, name), 0o755))
	}
	for _, name := range []string{"install", "send"} {
		text, err := os.ReadFile(name)
		must(t, err)
		r.write("action/"+name, string(text))
	}
	archive := archiveOf(t, deployer)
	r.sums = fmt.Sprintf("%x", sha256.Sum256(archive))
	r.write("action/release", "# pinned\nversion 0.1.0\n"+r.sums+"  deployer_0.1.0_linux_amd64.tar.gz\n")
	if content == nil {
		content = archive
	}
	r.write("served", string(content))
	// curl of this runner has no network.
	r.write("bin/curl", `#!/usr/bin/env bash
echo "${@: -1}" >> "$RUNNER_TEMP/urls"
[ -z "${OFFLINE:-}" ] || { echo "curl: (6) Could not resolve host" >&2; exit 6; }
while [ "$1" != --output ]; do shift; done
cp "`+r.dir+`/served" "$2"
`)
	must(t, os.Chmod(filepath.Join(r.dir, "bin", "curl"), 0o755))
	r.write("work/prod.yaml", "env: prod\n")
	return r
}

func (r *runner) write(name, text string) {
	r.t.Helper()
	must(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
}

func (r *runner) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(r.dir, name))
	return string(text)
}

// run runs a script with environment variables, NAME=VALUE, and returns its output and whether it succeeded.
func (r *runner) run(script string, env ...string) (out string, ok bool) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", filepath.Join(r.dir, "action", script))
	cmd.Dir = filepath.Join(r.dir, "work")
	path := filepath.Join(r.dir, "bin") + ":" + strings.TrimSpace(r.read("path")) + ":" + os.Getenv("PATH")
	cmd.Env = append([]string{"PATH=" + path, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
		"RUNNER_TEMP=" + r.dir + "/temp", "RUNNER_TOOL_CACHE=" + r.dir + "/cache", "GITHUB_PATH=" + r.dir + "/path",
		"GITHUB_SERVER_URL=https://github.example", "ACTION_REPOSITORY=octocat/deployer",
		"GITHUB_STEP_SUMMARY=" + r.dir + "/summary", "GITHUB_OUTPUT=" + r.dir + "/output",
		"CALLED=" + r.dir + "/called"}, env...)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// archiveOf returns the archive of a release on Linux.
func archiveOf(t *testing.T, program string) []byte {
	t.Helper()
	return tarOf(t, map[string]string{"deployer": program, "README.md": "read me"})
}

func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	w := tar.NewWriter(compressed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := w.Write([]byte(text))
		must(t, err)
	}
	must(t, w.Close())
	must(t, compressed.Close())
	return b.Bytes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
