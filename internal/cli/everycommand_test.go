package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// usual are the arguments with which every command is done in a project in good health.
var usual = map[string]string{
	"deploy": "backend v1 --dry-run", "redeploy": "backend --dry-run", "rollback": "backend --dry-run",
	"promote": "backend v1 --from prod.yaml --to prod.yaml --as v2 --dry-run", "diff": "backend v1",
	"continue": "backend", "stop": "backend", "status": "", "wait": "backend", "history": "backend",
	"resolve": "backend v1 --check", "doctor": "backend",
	"dashboard": "--once page.html", "validate": "", "migrate": "--dry-run", "params": "",
	"init":   "--project shop --env qa --account 012345670123 --region us-east-1 --images own --services none",
	"policy": "bus --accounts 111111111111", "completion": "bash", "send": "backend v1 --dry-run", "events": "",
	"logs": "", "explain": "deploy.json", "redrive": "--dry-run", "version": "", "help": "",
	"run": "task:nightly-report --dry-run",
}

// withoutJSON are the commands that have no flag --json, and why. Their errors are documents all
// the same.
var withoutJSON = map[string]string{
	"completion": "it prints a script for a shell",
	"dashboard":  "it is a page; status, history and doctor have its contents",
}

// exitCase is the exit code of every command in one case.
type exitCase struct {
	name    string
	account string                                          // of the credentials; "" for none
	args    func(cmd *cobra.Command, usual string) []string // nil where the case is none for the command
	want    int
	but     map[string]int // of commands whose exit code is another
}

// exitCases are what can happen to every command.
func exitCases() []exitCase {
	in := func(file string) func(*cobra.Command, string) []string {
		return func(cmd *cobra.Command, usual string) []string { return withFile(cmd, file, usual) }
	}
	service := func(cmd *cobra.Command, usual string) []string {
		if !strings.Contains(cmd.Use, "SERVICE") || cmd.Name() == "events" { // any other name is an event
			return nil
		}
		all := withFile(cmd, "prod.yaml", strings.Replace(usual, "backend", "bakend", 1))
		if usual == "" {
			all = append(all, "bakend")
		}
		return all
	}
	calls := func(cmd *cobra.Command, usual string) []string {
		if len(permissionsOf(cmd)) == 0 || cmd.Name() == "dashboard" { // its page says what is wrong
			return nil
		}
		usual = strings.TrimSuffix(usual, " --dry-run")
		if cmd.Name() == "redrive" {
			usual = "--dry-run"
		}
		return withFile(cmd, "prod.yaml", usual)
	}
	tag := func(cmd *cobra.Command, usual string) []string {
		if !strings.Contains(usual, " v1") {
			return nil
		}
		return withFile(cmd, "prod.yaml", strings.Replace(usual, " v1", " v9", 1))
	}
	return []exitCase{
		{"an unknown flag", accounts.Prod, func(cmd *cobra.Command, usual string) []string {
			return append(withFile(cmd, "prod.yaml", usual), "--frobnicate")
		}, exitUsage, nil},
		{"an argument too many", accounts.Prod, func(cmd *cobra.Command, usual string) []string {
			if strings.Contains(cmd.Use, "...") {
				return nil
			}
			return append(withFile(cmd, "prod.yaml", usual), "too", "many")
		}, exitUsage, nil},
		{"a file that does not exist", accounts.Prod, in("none.yaml"), exitUsage, nil},
		{"a directory", accounts.Prod, in("."), exitUsage, nil},
		{"an environment that does not exist", accounts.Prod, func(cmd *cobra.Command, usual string) []string {
			if cmd.Flags().Lookup("file") == nil || cmd.Name() == "promote" {
				return nil
			}
			return append([]string{cmd.Name(), "-e", "nowhere"}, strings.Fields(usual)...)
		}, exitUsage, nil},
		{"no environment", accounts.Prod, func(cmd *cobra.Command, usual string) []string {
			if cmd.Flags().Lookup("file") == nil || cmd.Name() == "promote" || cmd.Name() == "dashboard" {
				return nil // the dashboard is of all
			}
			return append([]string{cmd.Name()}, strings.Fields(usual)...)
		}, exitUsage, nil},
		{"a service that does not exist", accounts.Prod, service, exitUsage, nil},
		{"a file with faults", accounts.Prod, in("faulty.yaml"), exitNotDone, map[string]int{
			"migrate": exitDone, // it looks at the version only
		}},
		{"no credentials", "", calls, exitAWS, nil},
		{"another account's credentials", accounts.Staging, calls, exitAWS,
			map[string]int{"doctor": exitNotDone, "resolve": exitDone}},
		{"an image that is not there", accounts.Prod, tag, exitRejected, nil},
		{"all is well", accounts.Prod, in("prod.yaml"), exitDone, map[string]int{
			"continue": exitRejected, "stop": exitRejected, // no deployment is in progress
			"rollback": exitRejected, // no rollout succeeded before
		}},
	}
}

// withFile returns a command line with an environment file, for a command that takes one.
func withFile(cmd *cobra.Command, file, usual string) []string {
	switch {
	case cmd.Name() == "promote":
		return append([]string{"promote"}, strings.Fields(strings.ReplaceAll(usual, "prod.yaml", file))...)
	case cmd.Flags().Lookup("file") == nil && file == "prod.yaml":
		return append([]string{cmd.Name()}, strings.Fields(usual)...)
	case cmd.Flags().Lookup("file") == nil:
		return nil
	}
	return append([]string{cmd.Name(), "-f", file}, strings.Fields(usual)...)
}

// TestWantsJSON checks that an error is a document however the flag is written.
func TestWantsJSON(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"status --json": true, "status --json=true": true, "status -json": true, "--json frobnicate": true,
		"status": false, "status --json=false": false, "status --json=maybe": false, "send --jsn": false,
	} {
		var out, errs strings.Builder
		Run(strings.Fields(line+" --frobnicate"), &out, &errs)
		if got := out.Len() > 0; got != want {
			t.Errorf("deployer %s prints %q", line, &out)
		}
	}
}

// TestEveryCommand runs every command in every case: its exit code is the documented one,
// and with --json it prints exactly one document, of an error too.
func TestEveryCommand(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it runs hundreds of commands")
	}
	url := caseCloud(t)
	for _, cmd := range (&app{}).root().Commands() {
		t.Run(cmd.Name(), func(t *testing.T) {
			t.Parallel()
			arguments, known := usual[cmd.Name()]
			if !known {
				t.Fatal("usual has no arguments for the command")
			}
			if has := cmd.Flags().Lookup("json") != nil; has == (withoutJSON[cmd.Name()] != "") {
				t.Errorf("--json is a flag: %t, and withoutJSON says %q", has, withoutJSON[cmd.Name()])
			}
			r := runner{url}
			for _, c := range exitCases() {
				c.check(t, r, cmd, arguments)
			}
			if cmd.Flags().Lookup("file") != nil && cmd.Name() != "promote" { // which names two
				checkNote(t, r, cmd, arguments)
			}
		})
	}
}

// caseCloud serves emulated AWS with a project in good health, and returns its URL.
func caseCloud(t *testing.T) string {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.CreateTasks(t.Context(), byName))
	must(t, cloud.InstallStacks(t.Context(), "../..", e, byName))
	for _, line := range []string{
		`{"timestamp":"2026-01-22T10:15:30Z","level":"INFO","message":"starting"}`,
		fmt.Sprintf(`{"timestamp":%q,"level":"WARN","message":"rejected","event_id":"2ff38a69-2b38",`+
			`"service":"backend","tag":"git-abc123f","status":"rejected","reason":%q}`,
			time.Now().UTC().Format(time.RFC3339), strings.Repeat("the reason has many words, ", 10)),
	} {
		e.Log(accounts.Prod, accounts.Region, "/aws/lambda/myproject_deployer_prod", line)
	}
	return url
}

// check runs a command in a case, and again with --json.
func (c exitCase) check(t *testing.T, r runner, cmd *cobra.Command, arguments string) {
	t.Helper()
	args := c.args(cmd, arguments)
	if args == nil {
		return
	}
	want, other := c.but[cmd.Name()]
	if !other {
		want = c.want
	}
	stdout, stderr, exit := r.run(t, projectDirectory(t), c.account, args)
	if exit != want {
		t.Errorf("%s: %v: exit %d, want %d\n%s%s", c.name, args, exit, want, stdout, stderr)
	}
	if exit != exitDone && stdout == "" && stderr == "" {
		t.Errorf("%s: %v: exit %d, and nothing says why", c.name, args, exit)
	}
	if withoutJSON[cmd.Name()] != "" {
		want = exitUsage // there is no such flag
	}
	args = append(args, "--json")
	stdout, stderr, exit = r.run(t, projectDirectory(t), c.account, args)
	if exit != want {
		t.Errorf("%s: %v: exit %d, want %d\n%s", c.name, args, exit, want, stderr)
	}
	checkDocument(t, fmt.Sprintf("%s: %v", c.name, args), stdout, exit)
}

// checkNote checks that one line on standard error says which file was taken for -e.
func checkNote(t *testing.T, r runner, cmd *cobra.Command, arguments string) {
	t.Helper()
	args := append([]string{cmd.Name(), "-e", "prod"}, strings.Fields(arguments)...)
	_, stderr, _ := r.run(t, projectDirectory(t), accounts.Prod, args)
	if strings.Count(stderr, "deployer: environment prod: prod.yaml\n") != 1 {
		t.Errorf("%v: no line, or several, say which file was taken:\n%s", args, stderr)
	}
}

// checkDocument checks that a text is one JSON document, an object or an array, and if it is
// an error's that it has the exit code.
func checkDocument(t *testing.T, what, text string, exit int) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	var document any
	if err := d.Decode(&document); err != nil {
		t.Errorf("%s prints no JSON: %v\n%s", what, err, text)
		return
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("%s prints more than one document:\n%s", what, text)
	}
	switch document := document.(type) {
	case map[string]any:
		if code, ok := document["exit_code"]; ok && code != float64(exit) {
			t.Errorf("%s: exit_code %v, want %d", what, code, exit)
		}
	case []any:
		if exit != exitDone {
			t.Errorf("%s: exit code %d, and the document is a list:\n%s", what, exit, text)
		}
	default:
		t.Errorf("%s prints neither an object nor an array:\n%s", what, text)
	}
}

// projectDirectory returns a directory with prod.yaml below project, so that only -f names
// it, and with other files that commands take.
func projectDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	prod, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	for name, text := range map[string][]byte{
		"prod.yaml": prod, "faulty.yaml": bytes.Replace(prod, []byte("region:"), []byte("regio:"), 1),
		"deploy.json": []byte(`{"service":"backend","tag":"v1"}`),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	return dir
}
