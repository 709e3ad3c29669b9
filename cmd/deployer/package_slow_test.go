//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageStops checks that `make package` packs no file that is missing or has a fault.
func TestPackageStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	must(t, os.WriteFile(bad, []byte("project: p\nregion: us-east-1\n"), 0o644))
	for file, want := range map[string]string{
		bad:             "make package: " + bad + " is not packed: correct it first",
		"nowhere.yaml":  "make package: there is no nowhere.yaml in ",
		dir + "/x.yaml": "make package: there is no " + dir + "/x.yaml in ",
	} {
		command := exec.Command("make", "-C", "../..", "package", "dist="+dir, "file="+file)
		if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want %q in\n%s", file, err, want, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "environment.yaml")); err == nil {
			t.Errorf("%s is packed", file)
		}
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
	text, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "my prod.yaml")
	must(t, os.WriteFile(file, text, 0o644))
	got, err := run("env=prod", "env_file="+file, "set=AlarmTopicArn=arn:aws:sns:us-east-1:333333333333:t")
	must(t, err)
	want := `deployer: prod is production (env is "prod"): no push deploys it; DEPLOY events from action.prod, ` +
		"action.production do\nsam build --template-file deploy/template.yaml with file=" + file + "\n" +
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
