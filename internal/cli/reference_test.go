package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const generated = "<!-- Generated from the commands' help by `make reference`. Do not edit. -->\n\n"

// TestReference compares docs/reference/cli with the commands' help. With
// UPDATE_REFERENCE=1 it writes those pages instead.
func TestReference(t *testing.T) {
	t.Parallel()
	dir := "../../docs/reference/cli"
	pages := reference((&app{}).root())
	if os.Getenv("UPDATE_REFERENCE") != "" {
		must(t, os.MkdirAll(dir, 0o755))
		for name, text := range pages {
			must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not current (run make reference):\n%s", name, diff)
		}
	}
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		if pages[f.Name()] == "" {
			t.Errorf("%s/%s describes no command", dir, f.Name())
		}
	}
}

// TestDocuments checks that docs/reference/json.md describes the document of every command.
func TestDocuments(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reference/json.md")
	must(t, err)
	for _, cmd := range (&app{}).root().Commands() {
		described := regexp.MustCompile("(?m)^\\| [^|]*`" + cmd.Name() + "`").Match(text)
		if has := cmd.Flags().Lookup("json") != nil; described != has {
			t.Errorf("%s has --json: %t; docs/reference/json.md describes its document: %t", cmd.Name(), has, described)
		}
	}
}

// reference returns the pages of the reference by their file names.
func reference(root *cobra.Command) map[string]string {
	pages := map[string]string{}
	var index strings.Builder
	index.WriteString("# Command reference\n\n" + generated + "| command | |\n|---|---|\n")
	list := func(title, id string) {
		fmt.Fprintf(&index, "| **%s** | |\n", title)
		for _, cmd := range commandsOf(root, id) {
			fmt.Fprintf(&index, "| [deployer %s](%s.md) | %s |\n", cmd.Name(), cmd.Name(), cmd.Short)
			pages[cmd.Name()+".md"] = page(cmd)
		}
	}
	for _, g := range groups {
		list(g.Title, g.ID)
	}
	list("Other", "")
	pages["README.md"] = index.String()
	return pages
}

// page returns a command's page: what `deployer help COMMAND` prints, with the
// flags and permissions as text.
func page(cmd *cobra.Command) string {
	var b strings.Builder
	var help strings.Builder
	writeHelp(&help, cmd)
	fmt.Fprintf(&b, "# deployer %s\n\n%s", cmd.Name(), generated)
	for _, section := range strings.Split(help.String(), "\n\n") {
		title, body, titled := strings.Cut(section, ":\n")
		if !titled || !slices.Contains([]string{"Usage", "Examples", "Flags", "Required IAM permissions"}, title) {
			fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(section))
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n```text\n%s\n```\n\n", title, outdent(strings.TrimRight(body, "\n")))
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// outdent removes the two spaces before each line.
func outdent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

// TestHelp checks the form of the help: lines of at most 80 columns in the
// overview, and for each command what people need to call it.
func TestHelp(t *testing.T) {
	t.Parallel()
	var overview strings.Builder
	root := (&app{}).root()
	printOverview(&overview, root)
	for line := range strings.Lines(overview.String()) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of the overview has %d columns: %s", n, line)
		}
	}
	for _, cmd := range root.Commands() {
		var help strings.Builder
		writeHelp(&help, cmd)
		for line := range strings.Lines(help.String()) {
			if n := len(strings.TrimSuffix(line, "\n")); n > helpWidth && !strings.Contains(line, " deployer ") {
				t.Errorf("%s: a line of the help has %d columns: %s", cmd.Name(), n, line)
			}
		}
		if strings.HasSuffix(cmd.Short, ".") || cmd.Example == "" || cmd.Args == nil {
			t.Errorf("%s lacks an example or a check of its arguments, or its summary ends in a period", cmd.Name())
		}
		if !strings.Contains(cmd.Example, "deployer "+cmd.Name()) {
			t.Errorf("%s is not in its example: %s", cmd.Name(), cmd.Example)
		}
		if _, err := (&app{args: exampleArgs(cmd.Example)}).checkSpelling((&app{}).root()); err != nil {
			t.Errorf("%s: the example is wrong: %v", cmd.Name(), err)
		}
	}
}

// exampleArgs returns the arguments of an example's first line.
func exampleArgs(example string) []string {
	line, _, _ := strings.Cut(example, "\n")
	_, line, _ = strings.Cut(line, "deployer ")
	return strings.Fields(line)
}

// TestSpelling checks what is suggested for misspelt commands and flags.
func TestSpelling(t *testing.T) {
	t.Parallel()
	const (
		commands = "deployer help lists all"
		ofDeploy = "deploy has --dry-run, --env, --file, --follow, --force, --help, --json, --outputs, --profile, " +
			"--reason, --summary"
		ofStatus = "status has --env, --file, --help, --json, --profile, --utc, --watch, --wide"
	)
	for _, tt := range []struct{ line, what, hint string }{
		{"deploy -dry-run -f x.yaml backend v1",
			"there is no flag -dry-run: long flags have two dashes",
			"deployer deploy --dry-run -f x.yaml backend v1"},
		{"deploy -f x.yaml backend v1 -follow -json",
			"there is no flag -follow and no flag -json: long flags have two dashes",
			"deployer deploy -f x.yaml backend v1 --follow --json"},
		{"deploy -frce -f x.yaml backend v1",
			"there is no flag -frce: long flags have two dashes",
			"deployer deploy --force -f x.yaml backend v1"},
		{"deploy -file=x.yaml backend v1",
			"there is no flag -file=x.yaml: long flags have two dashes",
			"deployer deploy --file=x.yaml backend v1"},
		{"deploy --reason -follow -f x.yaml backend v1 -json",
			"there is no flag -json: long flags have two dashes",
			"deployer deploy --reason -follow -f x.yaml backend v1 --json"},
		{"deploy -f x.yaml backend v1 --foll",
			"there is no flag --foll: did you mean --follow? " + ofDeploy,
			"deployer deploy -f x.yaml backend v1 --follow"},
		{"deploy -f x.yaml backend v1 --dryrun=false",
			"there is no flag --dryrun: did you mean --dry-run? " + ofDeploy,
			"deployer deploy -f x.yaml backend v1 --dry-run=false"},
		{"deploy -f x.yaml backend v1 --frobnicate", "there is no flag --frobnicate: " + ofDeploy,
			"deployer help deploy"},
		{"status -x", "there is no flag -x: " + ofStatus, "deployer help status"},
		{"history -f x.yaml -max 3 backend",
			"there is no flag -max: long flags have two dashes",
			"deployer history -f x.yaml --max 3 backend"},
		{"history -f x.yaml --max three backend", `--max "three" is not a number`, "deployer help history"},
		{"events --since 3 -f x.yaml", `--since "3" is not a time with its unit, such as 90s, 30m or 24h`,
			"deployer help events"},
		{"completion bsh", `there is no completion for "bsh": choose one of bash, zsh, fish, powershell`,
			"deployer completion bash"},
		{"wait -f x.yaml backend --until=BAKE-TIME", "--until BAKE-TIME is no stage: it is stable, or one of " +
			"RECONCILE_SERVICE, PRE_SCALE_UP, SCALE_UP, POST_SCALE_UP, TEST_TRAFFIC_SHIFT, POST_TEST_TRAFFIC_SHIFT, " +
			"PRE_PRODUCTION_TRAFFIC_SHIFT, PRODUCTION_TRAFFIC_SHIFT, POST_PRODUCTION_TRAFFIC_SHIFT, BAKE_TIME, " +
			"CLEAN_UP",
			"deployer wait -f x.yaml backend --until=BAKE_TIME"},
		{"params -f x.yaml --format tfvar", `there is no format "tfvar": choose one of sam, samconfig, tfvars, json`,
			"deployer params -f x.yaml --format tfvars"},
		{"policy -f x.yaml repo",
			`there is no policy "repo": choose one of repository, lifecycle, bus, github, promote, operator`,
			"deployer policy -f x.yaml repository"},
		{"history backend --file", "--file needs a value", "deployer help history"},
		{"status -fix", "there is no flag -fix: " + ofStatus, "deployer help status"},
		{"staus -f x.yaml", `there is no command "staus": the nearest is status; ` + commands,
			"deployer status -f x.yaml"},
		{"frobnicate -f x.yaml", `there is no command "frobnicate": ` + commands, "deployer help"},
		{"ps -f x.yaml", `there is no command "ps": the nearest is status; ` + commands, "deployer status -f x.yaml"},
		{"undo -f x.yaml web", `there is no command "undo": the nearest is rollback; ` + commands,
			"deployer rollback -f x.yaml web"},
		{"why", `there is no command "why": the nearest is events; ` + commands, "deployer events"},
		{"re", `there is no command "re": ` + commands, "deployer help"},
		{"stat", `there is no command "stat": the nearest is status; ` + commands, "deployer status"},
		{"deployments", `there is no command "deployments": the nearest is history; ` + commands, "deployer history"},
		{"help staus", `there is no command "staus": the nearest is status; ` + commands, "deployer help status"},
		{"-version", "there is no flag -version: long flags have two dashes", "deployer --version"},
	} {
		var out, errs strings.Builder
		exit := Run(strings.Fields(tt.line), &out, &errs)
		want := "deployer: error: " + tt.what + "\ndeployer: hint: " + tt.hint + "\n"
		if exit != exitUsage || errs.String() != want || out.Len() > 0 != strings.Contains(tt.line, "-json") {
			t.Errorf("deployer %s: exit %d, stdout %q, stderr:\n%swant\n%s",
				tt.line, exit, out.String(), errs.String(), want)
		}
	}
}
