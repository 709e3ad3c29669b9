package main

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackage builds the function's zip and checks its content and its size, which
// every cold start downloads and loads.
func TestPackage(t *testing.T) {
	t.Parallel()
	const maxBootstrap, maxZip = 14_500_000, 5_400_000
	dist := t.TempDir()
	const file = "examples/centralized-dev-ecr/prod.yaml"
	command := exec.Command("make", "-C", "../..", "package", "dist="+dist, "file="+file)
	if out, err := command.CombinedOutput(); err != nil {
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
		default:
			t.Errorf("the zip contains %s", f.Name)
		}
	}
	if len(archive.File) != 2 {
		t.Errorf("the zip has %d files, want 2", len(archive.File))
	}
}

// TestMakeDeploy checks the SAM commands that `make deploy` runs. A script that prints
// its command line replaces SAM.
func TestMakeDeploy(t *testing.T) {
	t.Parallel()
	bin, dist := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "sam"), []byte("#!/bin/sh\necho \"sam $* with file=$file\"\n"), 0o755))
	run := func(args ...string) (string, error) {
		command := exec.Command("make", append([]string{"-s", "-C", "../..", "deploy", "dist=" + dist}, args...)...)
		command.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := command.CombinedOutput()
		return string(out), err
	}
	const file = "examples/centralized-dev-ecr/prod.yaml"
	got, err := run("env=prod", "env_file="+file, "set=AlarmTopicArn=arn:aws:sns:us-east-1:333333333333:t")
	must(t, err)
	want := "sam build --template-file deploy/template.yaml with file=" + file + "\n" +
		"sam deploy --config-file " + dist + "/samconfig.toml --config-env prod with file=\n"
	if got != want {
		t.Errorf("make deploy runs\n%s\nwant\n%s", got, want)
	}
	config, err := os.ReadFile(filepath.Join(dist, "samconfig.toml"))
	must(t, err)
	if !strings.Contains(string(config), "[prod.deploy.parameters]\n") ||
		!strings.Contains(string(config), `"AlarmTopicArn=arn:aws:sns:us-east-1:333333333333:t",`) {
		t.Errorf("the configuration is\n%s", config)
	}
	for _, wrong := range [][]string{nil, {"env=nowhere"}, {"env=prod", "env_file=" + file, "set=Env=dev"}} {
		if got, err := run(wrong...); err == nil || strings.Contains(got, "sam ") {
			t.Errorf("make deploy %v does not stop: %s", wrong, got)
		}
	}
}
