package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/stack"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAlarmsAreDocumented checks that each alarm of the stack has a section that says what to do, and each such section
// an alarm.
func TestAlarmsAreDocumented(t *testing.T) {
	t.Parallel()
	operations := page(t, "operations.md")
	loaded, err := loadWith(t, dev, stacks["dev"].values)
	if err != nil {
		t.Fatal(err)
	}
	var alarms []string
	for _, id := range loaded.Resources("AWS::CloudWatch::Alarm") {
		properties, _ := loaded.Resource(id)["Properties"].(map[string]any)
		name := fmt.Sprint(properties["AlarmName"])
		kind := strings.TrimSuffix(strings.TrimPrefix(name, "myproject_deployer_"), "_dev")
		alarms = append(alarms, kind)
		_, section, found := strings.Cut(operations, "\n## "+kind+"\n\n`PROJECT_deployer_"+kind+"_ENV`: ")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, "\n1. ") {
			t.Errorf("docs/operations.md has no section %q with steps, for the alarm %s", kind, name)
		}
		if !strings.Contains(operations, "| ["+kind+"](#"+kind+") |") {
			t.Errorf("the table of docs/operations.md has no row for %s", kind)
		}
	}
	for _, heading := range regexp.MustCompile("\n## ([a-z]+)\n").FindAllStringSubmatch(operations, -1) {
		if !slices.Contains(alarms, heading[1]) {
			t.Errorf("docs/operations.md has a section for %s, which is no alarm of the stack", heading[1])
		}
	}
	if len(alarms) < 8 {
		t.Errorf("the stack has the alarms %v", alarms)
	}
}

// TestWithoutSAM runs the commands of the installation pages that pack the template for the AWS CLI alone, and checks
// that they change the code's address and nothing else, and that the template is too large to be sent without a bucket.
func TestWithoutSAM(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const limit = 51200 // bytes of a template that is not in S3 (CloudFormation quotas)
	pages, err := filepath.Glob("../docs/install/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range pages {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		command := regexp.MustCompile(`(?m)^(sed "s\|CodeUri.*) deploy/template.yaml >`).FindSubmatch(text)
		if command == nil {
			continue
		}
		ran++
		sed := exec.Command("bash", "-c", string(command[1])+" template.yaml")
		sed.Env = append(os.Environ(), "env=dev")
		out, err := sed.Output()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		before, after := strings.Split(string(source), "\n"), strings.Split(string(out), "\n")
		var changed []string
		for i := range before {
			if before[i] != after[i] {
				changed = append(changed, strings.TrimSpace(after[i]))
			}
		}
		if want := []string{"CodeUri: ../dist/dev/deployer.zip"}; !slices.Equal(changed, want) {
			t.Errorf("%s changes the lines %q, want %q", file, changed, want)
		}
		if len(source) > limit && !strings.Contains(string(text), `packaged.yaml --s3-bucket "$bucket"`) {
			t.Errorf("%s sends a template of %d bytes without a bucket", file, len(source))
		}
	}
	if ran != 3 {
		t.Errorf("%d pages install without SAM", ran)
	}
}

// TestRemovalIsComplete checks that deleting the stacks leaves nothing behind but what the page about it deletes by
// name.
func TestRemovalIsComplete(t *testing.T) {
	t.Parallel()
	maintain := page(t, "install/maintain.md")
	loaded := load(t, "dev")
	for _, id := range loaded.Resources("") {
		if policy := loaded.Resource(id)["DeletionPolicy"]; policy != nil {
			t.Errorf("%s of template.yaml is kept: %v", id, policy)
		}
	}
	env, err := environment.Load("../examples/centralized-dev-ecr/dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	repositories := registry(t, env, false)
	for _, r := range repositories.Repositories() {
		if repositories.Resource(r.LogicalID)["DeletionPolicy"] != "Retain" {
			t.Errorf("%s is not kept", r.Name)
		}
		deleted := "aws ecr delete-repository --force --region us-east-1 --repository-name " + r.Name + "\n"
		if !strings.Contains(maintain, deleted) {
			t.Errorf("the page does not delete %s", r.Name)
		}
	}
	for _, name := range []string{stack.Name(env), stack.RegistryName(env)} {
		name = strings.TrimSuffix(name, "-dev")
		if !strings.Contains(maintain, "delete-stack --region us-east-1 --stack-name "+name) {
			t.Errorf("the page does not delete the stack %s", name)
		}
	}
}

// TestCostsCountTheAlarms compares the number of alarms and dashboards on the pages about costs with the template.
func TestCostsCountTheAlarms(t *testing.T) {
	t.Parallel()
	loaded := load(t, "dev")
	alarms, dashboards := loaded.Resources("AWS::CloudWatch::Alarm"), loaded.Resources("AWS::CloudWatch::Dashboard")
	for _, name := range []string{"centralized-dev", "isolated-production", "per-environment"} {
		text := page(t, "install/"+name+".md")
		if !strings.Contains(text, fmt.Sprintf("| %d × $0.10 | $0.80 |", len(alarms))) || len(dashboards) != 1 {
			t.Errorf("%s counts other than %d alarms and %d dashboards", name, len(alarms), len(dashboards))
		}
	}
}
