package action_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const linux = "deployer_0.1.0_linux_amd64.tar.gz"

// TestInstallDownload lets the real curl download from a server that is not GitHub.
func TestInstallDownload(t *testing.T) {
	t.Parallel()
	needs(t, "curl")
	const release = "/octocat/deployer/releases/download/v0.1.0/" + linux
	right := archiveOf(t, deployer)
	content := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
	}
	assets := httptest.NewTLSServer(content(right))
	t.Cleanup(assets.Close)
	others := httptest.NewTLSServer(content([]byte("another archive")))
	t.Cleanup(others.Close)
	plain := httptest.NewServer(content(right))
	t.Cleanup(plain.Close)
	for _, tt := range []struct {
		name   string
		answer http.Handler
		want   []string // parts of the output
		ok     bool
	}{
		{"the archive", content(right), []string{"deployer 0.1.0\n"}, true},
		{"a redirect to another host", http.RedirectHandler(assets.URL, http.StatusFound),
			[]string{"deployer 0.1.0\n"}, true},
		{"a redirect to another archive", http.RedirectHandler(others.URL, http.StatusFound),
			[]string{"::error title=deployer::" + linux + " has the SHA-256 ", "it is not run"}, false},
		{"a redirect without TLS", http.RedirectHandler(plain.URL, http.StatusFound), []string{
			"::error title=deployer::downloading ", release + " failed (HTTP 302)"}, false},
		{"a truncated download", truncated(right), []string{"::error title=deployer::downloading ",
			release + " failed (HTTP 200)"}, false},
		{"not published", http.NotFoundHandler(), []string{"::error title=deployer::the release v0.1.0 of " +
			"octocat/deployer is not published, lacks " + linux + ", or is in a private repository: https://",
			release + " is not found (HTTP 404)"}, false},
		{"forbidden", status(http.StatusForbidden), []string{release + " failed (HTTP 403)"}, false},
		{"a page in its place", content([]byte("<html>sign in</html>")), []string{"it is not run"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(tt.answer)
			defer server.Close()
			r := newRunner(t, nil)
			must(t, os.Remove(filepath.Join(r.dir, "bin", "curl")))
			r.write("certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
				Bytes: server.Certificate().Raw})))
			out, ok := r.run("install", "GITHUB_SERVER_URL="+server.URL, "CURL_CA_BUNDLE="+r.dir+"/certificate")
			for _, want := range tt.want {
				if ok != tt.ok || !strings.Contains(out, want) {
					t.Errorf("succeeded %t, output:\n%s\nwant %t and %q", ok, out, tt.ok, want)
				}
			}
			r.installed(tt.ok)
		})
	}
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// truncated sends half of what it says it sends.
func truncated(content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

// installed checks whether the program is in PATH and its archive in the cache, and that a refused archive is nowhere.
func (r *runner) installed(want bool) {
	r.t.Helper()
	for _, name := range []string{"path", "cache/deployer-archives/" + linux, "temp/" + linux} {
		if got := r.read(name) != ""; got != want {
			r.t.Errorf("%s: there %t, want %t", name, got, want)
		}
	}
}

// TestInstallAsReleased installs what tools/dist packs, on each system.
func TestInstallAsReleased(t *testing.T) {
	t.Parallel()
	needs(t, "unzip")
	builds, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"linux_amd64/deployer", "darwin_arm64/deployer", "windows_amd64/deployer.exe",
		"common/README.md", "common/completions/deployer.bash"} {
		must(t, os.MkdirAll(filepath.Join(builds, filepath.Dir(name)), 0o755))
		must(t, os.WriteFile(filepath.Join(builds, name), []byte(deployer), 0o755))
	}
	pack := exec.CommandContext(t.Context(), "go", "-C", "../tools", "run", "./dist", "-builds", builds, "-out", out,
		"-version", "v0.1.0", "-time", "1000000000")
	if text, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	sums, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	must(t, err)
	for _, tt := range []struct{ system, arch, archive, binary string }{
		{"Linux", "X64", linux, "deployer"},
		{"macOS", "ARM64", "deployer_0.1.0_darwin_arm64.tar.gz", "deployer"},
		{"Windows", "X64", "deployer_0.1.0_windows_amd64.zip", "deployer.exe"},
	} {
		content, err := os.ReadFile(filepath.Join(out, tt.archive))
		must(t, err)
		r := newRunner(t, content)
		r.write("action/release", "version 0.1.0\ncommit 0123\ngo go1.26.8\n"+string(sums))
		r.windowsPaths()
		text, ok := r.run("install", "RUNNER_OS="+tt.system, "RUNNER_ARCH="+tt.arch)
		if !ok || !strings.Contains(text, "deployer 0.1.0\n") {
			t.Errorf("%s: %s", tt.system, text)
		}
		files, err := filepath.Glob(strings.TrimSpace(r.read("path")) + "/*")
		if err != nil || len(files) != 1 || filepath.Base(files[0]) != tt.binary {
			t.Errorf("%s: the directory in PATH has %v", tt.system, files)
		}
	}
}

// windowsPaths gives the runner cygpath, which changes nothing here.
func (r *runner) windowsPaths() {
	r.write("bin/cygpath", "#!/usr/bin/env bash\necho \"$2\"\n")
	must(r.t, os.Chmod(filepath.Join(r.dir, "bin", "cygpath"), 0o755))
}

// TestInstallBackslash checks a directory with a backslash, as on Windows: sha256sum escapes such names.
func TestInstallBackslash(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	temp := filepath.Join(r.dir, `a\_temp`)
	must(t, os.Mkdir(temp, 0o755))
	for range 2 { // the second from the cache
		if out, ok := r.run("install", "RUNNER_TEMP="+temp, "RUNNER_TOOL_CACHE="+temp); !ok {
			t.Error(out)
		}
	}
	if urls, err := os.ReadFile(filepath.Join(temp, "urls")); err != nil || strings.Count(string(urls), "\n") != 1 {
		t.Errorf("downloads: %s %v", urls, err)
	}
}

// TestInstallWithoutProgram checks archives that are pinned, and do not have the program at their top.
func TestInstallWithoutProgram(t *testing.T) {
	t.Parallel()
	needs(t, "unzip")
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	f, err := w.Create("deployer_0.1.0_windows_amd64/deployer.exe")
	must(t, err)
	_, err = f.Write([]byte(deployer))
	must(t, err)
	must(t, w.Close())
	for _, tt := range []struct {
		system, archive, want string
		content               []byte
	}{
		{"Linux", linux, linux + " has no deployer\n", tarOf(t, map[string]string{"x/deployer": deployer})},
		{"Linux", linux, linux + " has no deployer\n", []byte("no archive")},
		{"Windows", "deployer_0.1.0_windows_amd64.zip", "deployer_0.1.0_windows_amd64.zip has no deployer.exe\n",
			zipped.Bytes()},
	} {
		r := newRunner(t, tt.content)
		r.windowsPaths()
		r.write("action/release", fmt.Sprintf("version 0.1.0\n%x  %s\n", sha256.Sum256(tt.content), tt.archive))
		out, ok := r.run("install", "RUNNER_OS="+tt.system)
		if ok || !strings.Contains(out, "::error title=deployer::"+tt.want) || r.read("path") != "" {
			t.Errorf("%s: succeeded %t, output:\n%s", tt.want, ok, out)
		}
	}
}

// TestInstallNoCache checks that a cache that cannot be written to does not fail the job.
func TestInstallNoCache(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	r.write("file", "")
	out, ok := r.run("install", "RUNNER_TOOL_CACHE="+r.dir+"/file")
	if !ok || !strings.Contains(out, linux+" is not cached for the next job\n") || r.read("path") == "" {
		t.Errorf("succeeded %t, output:\n%s", ok, out)
	}
}

// needs skips the test where a program that every runner of GitHub has is not installed.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}
