// Package workflow_test holds the workflow of this directory: it is one that
// GitHub would run, and what it sends is what the deployer takes.
package workflow_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
	"deployer/internal/event"
)

type workflow struct {
	On          map[string]trigger `yaml:"on"`
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]job
}

type trigger struct {
	Branches []string
	Inputs   map[string]struct{ Options []string }
}

type job struct {
	Needs       string
	If          string
	Environment string
	Permissions map[string]string
	Env         map[string]string
	Outputs     map[string]string
	Steps       []step
}

type step struct {
	Name, ID, Uses, Run, If string
	With, Env               map[string]string
}

func read(t *testing.T) workflow {
	t.Helper()
	source, err := os.ReadFile("deploy.yml")
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(source, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWorkflow reads the workflow as GitHub does.
func TestWorkflow(t *testing.T) {
	t.Parallel()
	w := read(t)
	if _, ok := w.On["workflow_dispatch"]; !ok || !slices.Contains(w.On["push"].Branches, "main") {
		t.Errorf("it starts on %v, want by hand and on a push to main", slices.Sorted(maps.Keys(w.On)))
	}
	if len(w.Jobs) != 2 || w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
		t.Errorf("%d jobs, and all may %v", len(w.Jobs), w.Permissions)
	}
	for name, j := range w.Jobs {
		if j.Permissions["id-token"] != "write" || j.Environment == "" {
			t.Errorf("%s: permissions %v and environment %q: it cannot take a role", name, j.Permissions, j.Environment)
		}
		for _, s := range j.Steps {
			if (s.Uses == "") == (s.Run == "") {
				t.Errorf("%s: step %q has to have one of uses and run", name, s.Name)
			}
			if s.Uses != "" && !pinnedAction.MatchString(s.Uses) {
				t.Errorf("%s: %s is not pinned by its commit", name, s.Uses)
			}
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: step %q has an expression in its script, which would run any text", name, s.Name)
			}
			if out, err := bash("-n", "-c", s.Run); err != nil {
				t.Errorf("%s: step %q: %v\n%s", name, s.Name, err, out)
			}
		}
	}
}

func bash(args ...string) ([]byte, error) { return exec.Command("bash", args...).CombinedOutput() }

var (
	expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)
	reference  = regexp.MustCompile(`\b(inputs|needs|steps|env|vars|github)\.([\w-]+)(?:\.outputs\.([\w-]+)|\.(\w+))?`)
)

// TestReferences looks up all that expressions speak of: a name that does not
// exist is an empty string to GitHub.
func TestReferences(t *testing.T) {
	t.Parallel()
	w := read(t)
	for name, j := range w.Jobs {
		if j.Needs != "" && w.Jobs[j.Needs].Steps == nil {
			t.Errorf("%s needs %q, which there is not", name, j.Needs)
		}
		raw, err := json.Marshal(j) // on one line
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, e := range expression.FindAllStringSubmatch(string(raw), -1) {
			for _, r := range reference.FindAllStringSubmatch(e[1], -1) {
				found++
				if !known(w, j, r) {
					t.Errorf("%s speaks of %s, which there is not", name, r[0])
				}
			}
		}
		if found < 3 {
			t.Errorf("%s speaks of %d things: is the test blind?", name, found)
		}
	}
}

func known(w workflow, j job, r []string) bool {
	switch kind, name, output := r[1], r[2], r[3]; kind {
	case "inputs":
		_, ok := w.On["workflow_dispatch"].Inputs[name]
		return ok
	case "needs":
		_, ok := w.Jobs[name].Outputs[output]
		return ok && j.Needs == name
	case "steps":
		return slices.ContainsFunc(j.Steps, func(s step) bool {
			return s.ID == name && strings.Contains(s.Run, output+"=") && strings.Contains(s.Run, `>> "$GITHUB_OUTPUT"`)
		})
	case "env":
		return w.Env[name] != "" || j.Env[name] != ""
	case "vars":
		return name == "AWS_ROLE_ARN"
	default:
		return slices.Contains([]string{"event_name", "ref"}, name)
	}
}

var (
	used     = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)
	assigned = regexp.MustCompile(`(?m)^\s*(?:export )?([A-Za-z_][A-Za-z0-9_]*)=`)
	quoted   = regexp.MustCompile(`'[^']*'`) // what the shell does not look into
	github   = []string{"GITHUB_SHA", "GITHUB_OUTPUT", "GITHUB_ACTOR"}
)

// TestVariables: a step has what it uses from its own script or from env. What
// another step's shell knew is gone.
func TestVariables(t *testing.T) {
	t.Parallel()
	w := read(t)
	for name, j := range w.Jobs {
		for _, s := range j.Steps {
			known := slices.Concat(github, slices.Collect(maps.Keys(w.Env)), slices.Collect(maps.Keys(j.Env)),
				slices.Collect(maps.Keys(s.Env)))
			for _, a := range assigned.FindAllStringSubmatch(s.Run, -1) {
				known = append(known, a[1])
			}
			for _, u := range used.FindAllStringSubmatch(quoted.ReplaceAllString(s.Run, ""), -1) {
				if !slices.Contains(known, u[1]) {
					t.Errorf("%s: step %q uses $%s, which is not in its env", name, s.Name, u[1])
				}
			}
		}
	}
}

// TestSends runs the last step with an aws command that keeps what it is given,
// and reads that as the deployer does.
func TestSends(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq")
	}
	w := read(t)
	steps := w.Jobs["deploy"].Steps
	script := steps[len(steps)-1].Run
	const reason = `it's "urgent" $(id)` // a person's text, which no shell may run
	send := func(t *testing.T, failed int) (entries []byte, out string, err error) {
		dir := t.TempDir()
		aws := fmt.Sprintf("#!/bin/bash\n[ \"$1 $2 $3\" = 'events put-events --entries' ] && printf %%s \"$4\" > "+
			"%s/entries\necho '{\"FailedEntryCount\": %d}'\n", dir, failed)
		if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(aws), 0o700); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
		c.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "PROJECT=" + w.Env["PROJECT"],
			"SERVICE=" + w.Env["SERVICE"], "ENVIRONMENT=prod",
			"TAG=git-abc123f", "GITHUB_ACTOR=octocat", "REASON=" + reason}
		text, err := c.CombinedOutput()
		entries, _ = os.ReadFile(filepath.Join(dir, "entries"))
		return entries, string(text), err
	}
	sent, out, err := send(t, 0)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var entries []struct{ Source, DetailType, Detail string }
	if err := json.Unmarshal(sent, &entries); err != nil || len(entries) != 1 {
		t.Fatalf("%s: %v", sent, err)
	}
	env, err := environment.Load("../centralized-dev-ecr/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"version": "0", "id": "e1", "source": entries[0].Source,
		"detail-type": entries[0].DetailType,
		"account":     env.AccountID, "region": env.Region, "time": time.Now().UTC().Format(time.RFC3339),
		"resources": []string{}, "detail": json.RawMessage(entries[0].Detail)})
	if err != nil {
		t.Fatal(err)
	}
	reading := event.Read(raw, env, time.Now())
	if reading.Verdict != event.Accepted || len(reading.Requests) != 1 {
		t.Fatalf("%s: %s", reading.Verdict, reading.Reason)
	}
	if r := reading.Requests[0]; r.Workload.Name != "backend" || r.Tag != "git-abc123f" || r.Cause.Actor != "octocat" ||
		r.Cause.Reason != reason {
		t.Errorf("the request is %+v", r)
	}
	var detail struct{ Project, Env string }
	if err := json.Unmarshal([]byte(entries[0].Detail), &detail); err != nil || detail.Project != env.Project ||
		detail.Env != env.Name {
		t.Errorf("the detail is %s (%v): other projects and environments would obey it", entries[0].Detail, err)
	}
	if _, out, err := send(t, 1); err == nil || !strings.Contains(out, "::error::EventBridge refused the event") {
		t.Errorf("an event that failed ends in %v\n%s", err, out)
	}
}

// TestNamesFit holds the workflow against the project's other files.
func TestNamesFit(t *testing.T) {
	t.Parallel()
	w := read(t)
	for _, name := range w.On["workflow_dispatch"].Inputs["environment"].Options {
		env, err := environment.Load("../centralized-dev-ecr/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		work, ok := env.Find(w.Env["SERVICE"], environment.Services...)
		ref := work.Reference("x")
		if !ok || ref.Host+"/"+ref.Repository != w.Env["REPOSITORY"] || env.Region != w.Env["AWS_REGION"] {
			t.Errorf("%s runs %s of %s, the workflow pushes to %s", name, ref, env.Region, w.Env["REPOSITORY"])
		}
		if !slices.Contains(env.DeploySources, "action."+name) {
			t.Errorf("%s does not obey action.%s", name, name)
		}
	}
}
