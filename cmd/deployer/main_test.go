package main

import (
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asDeployer is an environment variable that makes the test binary be the deployer.
const asDeployer = "BE_DEPLOYER"

func TestMain(m *testing.M) {
	if os.Getenv(asDeployer) != "" {
		main()
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the pipeline in faketime_test.go logs to it
	exit := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(exit)
}

// TestCommandLine checks when the binary is the command line and when the
// function: it is the function only where Lambda's variable is set and there are
// no arguments.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	path, err := bootstrap()
	must(t, err)
	const functionOnly = "deployer: error: this binary is the Lambda function"
	for _, tt := range []struct {
		name, binary, api string
		args              []string
		exit              int
		stdout, stderr    string // prefixes
	}{
		{"command line", os.Args[0], "", []string{"version"}, 0, "deployer ", ""},
		{"arguments under Lambda", os.Args[0], "127.0.0.1:1", []string{"version"}, 0, "deployer ", ""},
		{"function", os.Args[0], "127.0.0.1:1", nil, 1, `timestamp=`, ""},
		{"function's build, by hand", path, "", nil, 2, "",
			functionOnly + "; make build builds the command line, bin/deployer\n"},
		{"function's build with arguments", path, "127.0.0.1:1", []string{"version"}, 2, "", functionOnly},
	} {
		command := exec.CommandContext(t.Context(), tt.binary, tt.args...)
		command.Env = append(os.Environ(), asDeployer+"=1", "AWS_LAMBDA_RUNTIME_API="+tt.api,
			"LAMBDA_TASK_ROOT="+t.TempDir())
		var out, errs strings.Builder
		command.Stdout, command.Stderr = &out, &errs
		_ = command.Run() // the exit code says it
		matches := func(got, prefix string) bool {
			return strings.HasPrefix(got, prefix) && (got == "") == (prefix == "")
		}
		exit := command.ProcessState.ExitCode()
		if exit != tt.exit || !matches(out.String(), tt.stdout) || !matches(errs.String(), tt.stderr) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", tt.name, exit, out.String(), errs.String())
		}
	}
}
