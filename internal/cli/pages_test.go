package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// tools are the programs that the pages about the installation use, without AWS: each notes its arguments. `make
// package` makes its directory. The deployer is the real one, but for the commands that call AWS.
const tools = `#!/usr/bin/env bash
echo "$(basename "$0") $*" >> "$NOTES"
for a in "$@"; do case "$a" in dist=*) mkdir -p "${a#dist=}" ;; esac; done
`

const toolDeployer = `#!/usr/bin/env bash
echo "deployer $*" >> "$NOTES"
case "$1" in
doctor) echo "ok       other rules: none"; exit ;;
send|history|redrive) exit ;;
esac
exec "$REAL" "$@"
`

var (
	pasted = regexp.MustCompile("(?ms)^ *```(bash|console)\n(.*?)^ *```\n")
	// output are sentences about what commands print, besides blocks with their output.
	output = regexp.MustCompile("```(text|console|json)\n|prints? |ends with")
	next   = regexp.MustCompile("\n *```bash|\n## ")
	took   = regexp.MustCompile(`minute|second|hour`)
)

// TestInstallPages pastes the commands of the pages about the installation into a shell, one page after the other: each
// works without an answer from a person. A page says of each command what it prints, and of each step which credentials
// it needs and how long it takes.
func TestInstallPages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"centralized-dev", "isolated-production", "per-environment"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPaster(t)
			text := p.paste(name)
			p.checkVariables(name)
			p.paste("maintain")
			for _, env := range []string{"dev", "staging", "prod"} {
				if _, err := os.Stat(filepath.Join(p.dir, "project", env+".yaml")); err != nil {
					t.Errorf("no file of %s: %v", env, err)
				}
			}
			for _, step := range strings.Split(text, "\n## ")[1:] {
				title, _, _ := strings.Cut(step, "\n")
				if title[0] < '1' || title[0] > '5' {
					continue
				}
				prose := fenced.ReplaceAllString(step, "")
				if !strings.Contains(strings.ToLower(prose), "credentials") || !took.MatchString(prose) {
					t.Errorf("%s: step %q does not say which credentials it needs, and how long it takes", name, title)
				}
			}
		})
	}
}

// checkVariables checks that the page sets each variable that its workflow reads, in the environment of the job.
func (p *paster) checkVariables(name string) {
	p.t.Helper()
	text, err := os.ReadFile("../../examples/github-actions/action/" + name + ".yml")
	must(p.t, err)
	notes, err := os.ReadFile(filepath.Join(p.dir, ".notes"))
	must(p.t, err)
	var workflow struct {
		Jobs map[string]struct {
			Environment string
			Strategy    struct {
				Matrix struct{ Environment []string }
			}
			Steps []any
		}
	}
	must(p.t, yaml.Unmarshal(text, &workflow))
	found := 0
	for _, job := range workflow.Jobs {
		environments := job.Strategy.Matrix.Environment
		if len(environments) == 0 {
			environments = []string{job.Environment}
		}
		for _, variable := range regexp.MustCompile(`vars\.(\w+)`).FindAllStringSubmatch(fmt.Sprint(job.Steps), -1) {
			for _, env := range environments {
				found++
				set := "gh variable set " + variable[1] + " --repo OWNER/NAME --env " + env + " --body "
				if !strings.Contains(string(notes), set) {
					p.t.Errorf("docs/install/%s.md does not run %s", name, set)
				}
			}
		}
	}
	if found < 2 {
		p.t.Errorf("%s.yml reads %d variables", name, found)
	}
}

// paster pastes commands into a shell, in a directory that has what a checkout has.
type paster struct {
	t   *testing.T
	dir string
	env []string
}

func newPaster(t *testing.T) *paster {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	for _, tool := range []string{"aws", "gh", "git", "make"} {
		write(".bin/"+tool, tools)
	}
	write(".bin/deployer", toolDeployer)
	template, err := os.ReadFile("../../deploy/template.yaml")
	must(t, err)
	write("deploy/template.yaml", string(template))
	program, err := os.Executable()
	must(t, err)
	env := append(deployerEnv("http://127.0.0.1:1", "none"), "REAL="+program, "NOTES="+filepath.Join(dir, ".notes"),
		"PATH="+filepath.Join(dir, ".bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return &paster{t, dir, env}
}

// paste pastes the commands of a page of docs/install, and returns the page. No one answers questions.
func (p *paster) paste(name string) string {
	p.t.Helper()
	page, err := os.ReadFile("../../docs/install/" + name + ".md")
	must(p.t, err)
	text := string(page)
	exported := ""
	blocks := pasted.FindAllStringSubmatchIndex(text, -1)
	for _, at := range blocks {
		commands, after := text[at[4]:at[5]], text[at[1]:]
		if text[at[2]:at[3]] == "console" {
			shown, _, _ := strings.Cut(commands, "\n")
			commands = strings.TrimPrefix(shown, "$ ") + "\n"
			if !strings.HasPrefix(commands, "deployer init") { // the others are run with their output
				continue
			}
		} else {
			after = next.Split(after, 2)[0]
			if !output.MatchString(after) {
				p.t.Errorf("docs/install/%s.md does not say what this prints:\n%s", name, commands)
			}
		}
		cmd := exec.CommandContext(p.t.Context(), "bash", "-euo", "pipefail", "-c", exported+commands)
		for line := range strings.Lines(commands) {
			if strings.HasPrefix(line, "export ") { // the next block is pasted into the same shell
				exported += line
			}
		}
		cmd.Dir, cmd.Env = p.dir, p.env
		if out, err := cmd.CombinedOutput(); err != nil {
			p.t.Errorf("docs/install/%s.md: %v\n%s\n%s", name, err, commands, out)
		}
	}
	if len(blocks) < 5 {
		p.t.Errorf("docs/install/%s.md has %d blocks", name, len(blocks))
	}
	return text
}
