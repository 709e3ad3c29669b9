package stack

import (
	"strings"
	"testing"
)

// TestFormats checks that each format has every parameter, those without a value too.
func TestFormats(t *testing.T) {
	t.Parallel()
	env := parse(t, "project: p\nenv: dev\nregion: us-east-1\n")
	parameters, err := Parameters(env)
	if err != nil {
		t.Fatal(err)
	}
	for format, empty := range map[string]string{
		"sam":       "\nEcrAccountId=\"\"\n",
		"samconfig": "\n  \"EcrAccountId=\\\"\\\"\",\n",
		"json":      "\n  \"EcrAccountId=\",\n",
		"tfvars":    "\n  EcrAccountId          = \"\"\n",
	} {
		text, err := Format(format, env, parameters)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parameters {
			if !strings.Contains(text, p.Name) {
				t.Errorf("%s lacks %s:\n%s", format, p.Name, text)
			}
		}
		if !strings.Contains(text, empty) {
			t.Errorf("%s does not contain %q:\n%s", format, empty, text)
		}
	}
}
