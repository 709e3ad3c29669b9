package function

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

const valid = `schema_version: 7
project: myproject
env: dev
region: us-east-1
account_id: "111111111111"
ecr_strategy: local
`

// captureLog returns the lines that are logged until the test ends.
func captureLog(t *testing.T) func() []map[string]any {
	t.Helper()
	var buf bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&buf, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return func() (lines []map[string]any) {
		for line := range strings.Lines(buf.String()) {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			delete(entry, "time")
			lines = append(lines, entry)
		}
		return lines
	}
}

// TestLoadEnvironment checks what a cold start logs. It changes the default
// logger, so it is not parallel.
func TestLoadEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environment.yaml")
	if err := os.WriteFile(file, []byte(valid), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := captureLog(t)
	if _, err := loadEnvironment(file); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"level": "INFO", "msg": "starting", "version": "devel", "environment_file": file, // the sum is by sha256sum
		"environment_sha256": "edfa70a44b751ebecfd45aee1b2ea669c58659ee046b465c8af19ea81cdebe6c",
		"project":            "myproject", "env": "dev",
	}}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Error(diff)
	}
}

// TestEnvironmentFile checks where the environment file is looked for. It
// changes environment variables, so it is not parallel.
func TestEnvironmentFile(t *testing.T) {
	t.Setenv("LAMBDA_TASK_ROOT", "/var/task")
	for _, tt := range []struct{ variable, want string }{
		{"", "/var/task/environment.yaml"},
		{"project/prod.yaml", "/var/task/project/prod.yaml"},
		{"/opt/prod.yaml", "/opt/prod.yaml"},
	} {
		t.Setenv("DEPLOYER_ENVIRONMENT_FILE", tt.variable)
		if got := environmentFile(); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.variable, got, tt.want)
		}
	}
}

// TestCheckStack checks that the function does not start with the file of another
// project or environment. It changes environment variables, so it is not parallel.
func TestCheckStack(t *testing.T) {
	env, err := environment.Parse("environment.yaml", []byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	const file = `environment.yaml: the file is of project "myproject" and environment "dev", ` +
		`but the function's stack is `
	for _, tt := range []struct{ name, project, env, want string }{
		{"not set", "", "", ""},
		{"the file's", "myproject", "dev", ""},
		{"only the environment is set", "", "dev", ""},
		{"another project", "shop", "dev",
			file + `of project "shop" and environment "dev" (pack the stack's own file: make deploy env=dev)`},
		{"another environment", "myproject", "prod",
			file + `of project "myproject" and environment "prod" (pack the stack's own file: make deploy env=prod)`},
		{"another environment, no project", "", "prod",
			file + `of project "myproject" and environment "prod" (pack the stack's own file: make deploy env=prod)`},
		{"both", "shop", "prod",
			file + `of project "shop" and environment "prod" (pack the stack's own file: make deploy env=prod)`},
		{"another case", "MyProject", "dev",
			file + `of project "MyProject" and environment "dev" (pack the stack's own file: make deploy env=dev)`},
	} {
		t.Setenv("DEPLOYER_PROJECT", tt.project)
		t.Setenv("DEPLOYER_ENV", tt.env)
		got := ""
		if err := checkStack(env); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// TestNameForPeople checks how the function's messages name the environment.
func TestNameForPeople(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"/var/task/environment.yaml": "dev.yaml", "/var/task/live.yml": "live.yml",
	} {
		env, err := environment.Parse(file, []byte(valid))
		if err != nil {
			t.Fatal(err)
		}
		nameForPeople(env)
		if got := env.Command("history", "backend"); env.File != want || got != "deployer history -e dev backend" {
			t.Errorf("%s is %s in messages, and a command is %s", file, env.File, got)
		}
	}
}

// TestInitFailed checks that each fault of the environment file is logged, and
// that Lambda's runtime API gets all of them. It changes the default logger, so
// it is not parallel.
func TestInitFailed(t *testing.T) {
	var path, errorType, message string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ErrorMessage string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		path, errorType, message = r.URL.Path, r.Header.Get("Lambda-Runtime-Function-Error-Type"), body.ErrorMessage
	}))
	defer api.Close()
	file := filepath.Join(t.TempDir(), "environment.yaml")
	if err := os.WriteFile(file, []byte("env: dev\necr_strategy: local\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := captureLog(t)
	_, err := loadEnvironment(file)
	if exit := initFailed(strings.TrimPrefix(api.URL, "http://"), "Deployer.EnvironmentFile", err); exit != 1 {
		t.Errorf("exit %d", exit)
	}
	if path != "/2018-06-01/runtime/init/error" || errorType != "Deployer.EnvironmentFile" {
		t.Errorf("the report went to %s as %s", path, errorType)
	}
	logged := lines()
	if len(logged) != 2 {
		t.Fatalf("%d lines: %v", len(logged), logged)
	}
	for i, missing := range []string{"`project` is not set", "`region` is not set"} {
		fault, _ := logged[i]["error"].(string)
		if logged[i]["msg"] != "cold start failed" ||
			!strings.Contains(fault, missing) || !strings.Contains(message, fault) {
			t.Errorf("line %d is %v; the report is %s", i, logged[i], message)
		}
	}
}

// TestRuntimeLog checks that errors which the handler has logged are not logged
// again. It changes the default logger, so it is not parallel.
func TestRuntimeLog(t *testing.T) {
	lines := captureLog(t)
	for _, line := range []string{`{"errorMessage":"x"}` + "\n", "2026/01/22 10:15:30 connection lost\n"} {
		if n, err := (runtimeLog{}).Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write returned %d, %v", n, err)
		}
	}
	want := []map[string]any{{"level": "ERROR", "msg": "runtime error", "error": "2026/01/22 10:15:30 connection lost"}}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Error(diff)
	}
}
