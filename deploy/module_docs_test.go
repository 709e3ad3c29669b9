package deploy_test

import (
	"fmt"
	"os"
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
