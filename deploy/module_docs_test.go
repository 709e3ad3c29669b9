package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestModuleDocumentation checks that the module's page has every variable and output, and that the page about
// Terraform shows how many resources the module has.
func TestModuleDocumentation(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := read("terraform/README.md")
	declared := regexp.MustCompile(`(?m)^(variable|output) "(\w+)"`).FindAllStringSubmatch(
		read("terraform/variables.tf")+read("terraform/outputs.tf"), -1)
	if len(declared) < 20 {
		t.Errorf("only %d variables and outputs were found", len(declared))
	}
	for _, d := range declared {
		if !strings.Contains(page, "`"+d[2]+"`") {
			t.Errorf("deploy/terraform/README.md does not have the %s %s", d[1], d[2])
		}
	}
	module, err := loadModule(t, "../examples/centralized-dev-ecr/dev.yaml", dev, region, nil)
	if err != nil {
		t.Fatal(err)
	}
	page = read("../docs/how-to/terraform.md")
	for _, line := range []string{
		"Plan: %d to add, 0 to change, 0 to destroy.", "Resources: %d added, 0 changed, 0 destroyed.",
		"Resources: %d destroyed.",
	} {
		if line = fmt.Sprintf(line, len(module.Resources())); !strings.Contains(page, line) {
			t.Errorf("docs/how-to/terraform.md does not show %q", line)
		}
	}
}

// TestExamplesHaveABackend checks that the state of each environment is where `terraform init` says. Without a backend,
// Terraform warns, and all environments share a local state: the second one would replace the first.
func TestExamplesHaveABackend(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("terraform/examples/*/main.tf")
	if err != nil || len(files) != 3 {
		t.Fatalf("the examples are %v: %v", files, err)
	}
	for _, file := range append(files, "../docs/how-to/terraform.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "terraform {\n  required_version = \">= 1.5.7\"\n  backend \"s3\" {}\n") ||
			!strings.Contains(string(text), " init -reconfigure -backend-config=dev.s3.tfbackend\n") {
			t.Errorf("%s has no backend for each environment's state", file)
		}
	}
}
