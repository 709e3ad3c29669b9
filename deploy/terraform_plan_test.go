package deploy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/image"
	"deployer/testbed/terraform"
)

// TestTerraformPlansTheSame compares what testbed/terraform evaluates with what Terraform itself plans, for every file
// and every case of the other tests: whatever those compare is then what Terraform makes. scripts/terraform runs it,
// with a configuration of Terraform that has a stub in place of the AWS provider.
func TestTerraformPlansTheSame(t *testing.T) {
	t.Parallel()
	if os.Getenv("DEPLOYER_TERRAFORM_CONFIG") == "" {
		t.Skip("this test needs Terraform: make terraform")
	}
	var runs []planRun
	for _, file := range validFiles(t) {
		runs = append(runs, newPlanRun(t, len(runs), file, nil))
	}
	for _, c := range moduleCases() {
		runs = append(runs, newPlanRun(t, len(runs), written(t, c.file), c.chosen.variables))
	}
	planned := plan(t, runs)
	for _, run := range runs {
		module, err := terraform.Load("terraform", run.input)
		if err != nil {
			t.Fatal(err)
		}
		evaluated := map[string]map[string]any{}
		for _, r := range module.Resources() {
			values := map[string]any{}
			for _, argument := range r.Arguments {
				values[argument] = r.Values[argument]
			}
			evaluated[address(r.Type, r.Name, r.Key)] = values
		}
		for _, change := range planned[run.name] {
			values, ok := evaluated[change.address()]
			if !ok {
				t.Errorf("%s: only Terraform plans %s", run.input.Variables, change.address())
				continue
			}
			delete(evaluated, change.address())
			for argument, value := range values {
				got, known := change.Change.After[argument]
				if _, unknown := change.Change.Unknown[argument]; unknown || !known && value == nil {
					continue // an attribute of a resource that does not exist yet
				}
				if a, b := canonical(value), canonical(got); a != b {
					t.Errorf("%v: %s.%s: evaluated %s, and Terraform plans %s", run.input.Variables, change.address(),
						argument, a, b)
				}
			}
		}
		for name := range evaluated {
			t.Errorf("%v: Terraform does not plan %s", run.input.Variables, name)
		}
	}
}

// planRun is a run of `terraform test`.
type planRun struct {
	name  string
	input terraform.Input
}

func newPlanRun(t *testing.T, i int, file string, variables map[string]any) planRun {
	t.Helper()
	env, err := environment.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if env.AccountID == "" {
		env = env.In(dev)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{"environment_file": absolute, "package": "s3://bucket/deployer.zip"}
	for name, value := range variables {
		given[name] = value
	}
	partition := image.PartitionOf(env.Region)
	return planRun{fmt.Sprintf("run_%d", i), terraform.Input{Account: env.AccountID, Region: env.Region,
		Partition: partition.Name, Suffix: partition.Suffix, Variables: given}}
}

// text returns the run in the language of Terraform's tests.
func (r planRun) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "run %q {\n  command = plan\n  variables {\n", r.name)
	for name, value := range r.input.Variables {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // they are texts, numbers and lists of them
		}
		fmt.Fprintf(&b, "    %s = %s\n", name, text)
	}
	fmt.Fprint(&b, "  }\n")
	for source, values := range map[string]string{
		"aws_caller_identity": fmt.Sprintf("account_id = %q", r.input.Account),
		"aws_region":          fmt.Sprintf("region = %q", r.input.Region),
		"aws_partition":       fmt.Sprintf("partition = %q, dns_suffix = %q", r.input.Partition, r.input.Suffix),
	} {
		fmt.Fprintf(&b, "  override_data {\n    target = data.%s.current\n    values = { %s }\n  }\n", source, values)
	}
	return b.String() + "}\n"
}

// plannedChange is a resource in a plan.
type plannedChange struct {
	Type, Name string
	Index      any
	Change     struct {
		After   map[string]any
		Unknown map[string]any `json:"after_unknown"`
	}
}

func (c plannedChange) address() string {
	key := ""
	if c.Index != nil {
		key = fmt.Sprint(c.Index)
	}
	return address(c.Type, c.Name, key)
}

func address(kind, name, key string) string { return kind + "." + name + "[" + key + "]" }

// plan returns what Terraform plans in each run.
func plan(t *testing.T, runs []planRun) map[string][]plannedChange {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("terraform")); err != nil {
		t.Fatal(err)
	}
	text := "mock_provider \"aws\" {}\n"
	for _, run := range runs {
		text += run.text()
	}
	if err := os.WriteFile(filepath.Join(dir, "tests", "plan.tftest.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	command := exec.Command("terraform", "test", "-json", "-verbose", "-filter=tests/plan.tftest.hcl")
	command.Dir, command.Stdout, command.Stderr = dir, &out, &stderr
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.Getenv("DEPLOYER_TERRAFORM_CONFIG"))
	failed := command.Run()
	planned := map[string][]plannedChange{}
	lines := bufio.NewScanner(&out)
	for lines.Buffer(nil, 1<<24); lines.Scan(); {
		var event struct {
			Level, Message string
			Run            string `json:"@testrun"`
			Diagnostic     struct{ Severity, Detail string }
			Plan           struct {
				Changes []plannedChange `json:"resource_changes"`
			} `json:"test_plan"`
		}
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		if err := decoder.Decode(&event); err != nil {
			t.Fatal(err)
		}
		if event.Diagnostic.Severity == "error" {
			t.Errorf("%s: %s", event.Run, event.Diagnostic.Detail)
		}
		if event.Plan.Changes != nil {
			planned[event.Run] = event.Plan.Changes
		}
	}
	if failed != nil || len(planned) != len(runs) {
		t.Fatalf("terraform test: %v, %d plans of %d\n%s", failed, len(planned), len(runs), stderr.String())
	}
	return planned
}

// canonical returns a value for a comparison of what has a schema with what has none: numbers as texts, without what
// is absent, and lists sorted, because some are sets.
func canonical(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case map[string]any:
		var members []string
		for name, member := range value {
			if text := canonical(member); text != "" {
				members = append(members, name+"="+text)
			}
		}
		slices.Sort(members)
		return strings.Join(members, " ")
	case []any:
		var elements []string
		for _, element := range value {
			elements = append(elements, "("+canonical(element)+")")
		}
		slices.Sort(elements)
		return strings.Join(elements, " ")
	default:
		return fmt.Sprint(value)
	}
}
