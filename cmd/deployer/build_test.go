//go:build slow

package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// building is held while make builds the function. Two builds at the same time would
// each compile everything for arm64; one after the other, the second uses the cache.
var building sync.Mutex

// build runs a command that builds the function.
func build(command *exec.Cmd) (output string, err error) {
	building.Lock()
	defer building.Unlock()
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestPackage builds the function's zip and checks its content and its size, which
// every cold start downloads and loads.
func TestPackage(t *testing.T) {
	t.Parallel()
	const maxBootstrap, maxZip = 14_500_000, 5_400_000
	dist := t.TempDir()
	const file = "examples/centralized-dev-ecr/prod.yaml"
	command := exec.Command("make", "-C", "../..", "package", "dist="+dist, "file="+file)
	if out, err := build(command); err != nil {
		t.Fatalf("make package: %v\n%s", err, out)
	}
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(dist, name))
		must(t, err)
		return info.Size()
	}
	t.Logf("bootstrap %d bytes, zip %d bytes", size("bootstrap"), size("deployer.zip"))
	if size("bootstrap") > maxBootstrap || size("deployer.zip") > maxZip {
		t.Errorf("bootstrap %d bytes (at most %d), zip %d bytes (at most %d)",
			size("bootstrap"), maxBootstrap, size("deployer.zip"), maxZip)
	}
	archive, err := zip.OpenReader(filepath.Join(dist, "deployer.zip"))
	must(t, err)
	defer archive.Close()
	want, err := os.ReadFile("../../" + file)
	must(t, err)
	bootstrap, err := os.ReadFile(filepath.Join(dist, "bootstrap"))
	must(t, err)
	for _, f := range archive.File {
		switch f.Name {
		case "bootstrap":
			if f.Mode().Perm()&0o111 != 0o111 {
				t.Errorf("the bootstrap's mode is %v", f.Mode())
			}
		case "environment.yaml":
			r, err := f.Open()
			must(t, err)
			if got, err := io.ReadAll(r); err != nil || string(got) != string(want) {
				t.Errorf("environment.yaml is %q, %v", got, err)
			}
		case "version":
			r, err := f.Open()
			must(t, err)
			version, err := io.ReadAll(r)
			must(t, err)
			if text := bytes.TrimSpace(version); len(text) == 0 || !bytes.Contains(bootstrap, text) {
				t.Errorf("the file version has %q, which is not the bootstrap's", version)
			}
		default:
			t.Errorf("the zip contains %s", f.Name)
		}
	}
	if len(archive.File) != 3 {
		t.Errorf("the zip has %d files, want 3", len(archive.File))
	}
}

// makeAsSAM runs the target that builds the function as SAM does: with the absolute
// path of the Makefile, in a copy of the checkout without .git (aws-lambda-builders,
// workflows/custom_make/actions.py). The caller's directory is given, and that of the
// artifacts is returned.
func makeAsSAM(t *testing.T, caller, file string) (artifacts, output string, err error) {
	t.Helper()
	checkout, err := filepath.Abs("../..")
	must(t, err)
	scratch, artifacts := t.TempDir(), t.TempDir()
	for _, part := range []string{"cmd", "internal", "go.mod", "go.sum", "Makefile"} {
		must(t, exec.Command("cp", "-R", filepath.Join(checkout, part), scratch).Run())
	}
	command := exec.Command("make", "--makefile", filepath.Join(checkout, "Makefile"), "build-DeployerFunction")
	command.Dir = scratch
	command.Env = append(os.Environ(), "PWD="+caller, "file="+file, "ARTIFACTS_DIR="+artifacts)
	output, err = build(command)
	return artifacts, output, err
}

// TestBuildAsSAM checks which environment file SAM packs, and that the version is that of the checkout.
func TestBuildAsSAM(t *testing.T) {
	t.Parallel()
	prod, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	caller := filepath.Join(t.TempDir(), "my project")
	must(t, os.MkdirAll(filepath.Join(caller, "files"), 0o755))
	own := append(prod, "# the caller's\n"...)
	must(t, os.WriteFile(filepath.Join(caller, "files", "my prod.yaml"), own, 0o644))
	const bad = "project: p\nenv: dev\nregion: nowhere\n"
	must(t, os.WriteFile(filepath.Join(caller, "bad.yaml"), []byte(bad), 0o644))
	for _, tt := range []struct {
		name, file string
		want       []byte // the packed file; nil if the build stops
		output     string
	}{
		{"of the caller, with spaces", "files/my prod.yaml", own, caller + "/files/my prod.yaml: ok: prod"},
		{"absolute", filepath.Join(caller, "files", "my prod.yaml"), own, ": ok: prod"},
		{"of the checkout", "examples/centralized-dev-ecr/prod.yaml", prod, ": ok: prod"},
		{"missing", "prod.yaml", nil, "sam build: there is no prod.yaml in " + caller + " or "},
		{"with a fault", "bad.yaml", nil, "bad.yaml:3:9: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			artifacts, output, err := makeAsSAM(t, caller, tt.file)
			if (err == nil) != (tt.want != nil) || !strings.Contains(output, tt.output) {
				t.Errorf("%v, want %q in\n%s", err, tt.output, output)
			}
			got, err := os.ReadFile(filepath.Join(artifacts, "environment.yaml"))
			if string(got) != string(tt.want) {
				t.Errorf("environment.yaml is %q, %v", got, err)
			}
			bootstrap, err := os.ReadFile(filepath.Join(artifacts, "bootstrap"))
			if (err == nil) != (tt.want != nil) {
				t.Fatal(err)
			}
			version, err := exec.Command("git", "-C", "../..", "describe", "--tags", "--always", "--dirty").Output()
			if err == nil && tt.want != nil && !bytes.Contains(bootstrap, bytes.TrimSpace(version)) {
				t.Errorf("the bootstrap's version is not %s", version)
			}
		})
	}
}
