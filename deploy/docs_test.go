package deploy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentation checks that the reference pages have every parameter, output and alarm of the template.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	template, registry := read("template.yaml"), read("registry.yaml")
	section := func(template, name string) string {
		_, after, _ := strings.Cut(template, "\n"+name+":\n")
		return after[:regexp.MustCompile(`(?m)^[A-Z]|\z`).FindStringIndex(after)[0]]
	}
	key := regexp.MustCompile(`(?m)^  ([A-Za-z]+):$`)
	alarm := regexp.MustCompile(`AlarmName: !Sub "\$\{Project\}_(\w+)_\$\{Env\}"`)
	for _, check := range []struct {
		what, page     string
		names          [][]string
		prefix, suffix string
	}{
		{"parameter", "stack-parameters.md", key.FindAllStringSubmatch(section(template, "Parameters"), -1), "`", "`"},
		{"parameter of the repositories", "stack-parameters.md",
			key.FindAllStringSubmatch(section(registry, "Parameters"), -1), "| `", "` |"},
		{"output", "stack-parameters.md", key.FindAllStringSubmatch(section(template, "Outputs"), -1), "`", "`"},
		{"alarm", "metrics-and-alarms.md", alarm.FindAllStringSubmatch(template, -1), "`PROJECT_", "_ENV`"},
	} {
		page := read("../docs/reference/" + check.page)
		if len(check.names) < 6 {
			t.Errorf("only %d %ss were found: %v", len(check.names), check.what, check.names)
		}
		for _, name := range check.names {
			if shown := check.prefix + name[1] + check.suffix; !strings.Contains(page, shown) {
				t.Errorf("docs/reference/%s does not have the %s %s", check.page, check.what, shown)
			}
		}
	}
}
