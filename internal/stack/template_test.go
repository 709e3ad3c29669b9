package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
)

// declaration is the declaration of a parameter in the template.
type declaration struct {
	Type           string   `yaml:"Type"`
	AllowedPattern string   `yaml:"AllowedPattern"`
	AllowedValues  []string `yaml:"AllowedValues"`
	Default        string   `yaml:"Default"`
	MaxLength      int      `yaml:"MaxLength"`
}

// declared returns the template's parameters, by name.
func declared(t *testing.T) map[string]declaration {
	t.Helper()
	text, err := os.ReadFile("../../deploy/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]declaration `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template.Parameters
}

// accepted checks that the template has the parameters and allows their values.
func accepted(t *testing.T, parameters []Parameter) {
	t.Helper()
	for _, wrong := range refused(declared(t), parameters) {
		t.Error(wrong)
	}
}

// refused returns what the template does not take of the parameters.
func refused(template map[string]declaration, parameters []Parameter) (wrong []string) {
	for _, p := range parameters {
		d, ok := template[p.Name]
		if !ok {
			wrong = append(wrong, "the template has no parameter "+p.Name)
		}
		values := []string{p.Value}
		if d.Type == "CommaDelimitedList" {
			values = strings.Split(p.Value, ",")
		}
		for _, value := range values {
			if d.AllowedPattern != "" && !regexp.MustCompile("^(?:"+d.AllowedPattern+")$").MatchString(value) {
				wrong = append(wrong, fmt.Sprintf("%s=%q does not match %s", p.Name, value, d.AllowedPattern))
			}
			if d.AllowedValues != nil && !slices.Contains(d.AllowedValues, value) {
				wrong = append(wrong, fmt.Sprintf("%s=%q is not one of %v", p.Name, value, d.AllowedValues))
			}
		}
	}
	return wrong
}

// complete checks that the parameters are all that the template has: `sam deploy` keeps
// the previous value of one that is left out.
func complete(t *testing.T, parameters []Parameter) {
	t.Helper()
	var got []string
	for _, p := range parameters {
		got = append(got, p.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared(t))), got); diff != "" {
		t.Errorf("the template's parameters and those that are printed (-template +printed):\n%s", diff)
	}
}

// TestDefaults checks that a parameter which the file does not decide has the
// template's default, so that the shortest command changes nothing.
func TestDefaults(t *testing.T) {
	t.Parallel()
	template := declared(t)
	if got := [2]int{template["Project"].MaxLength, template["Env"].MaxLength}; got != [2]int{maxProject, maxEnv} {
		t.Errorf("the template accepts %d characters, not %d and %d", got, maxProject, maxEnv)
	}
	for _, p := range chosen {
		d, f := template[p.Name], forms[p.Name]
		want := form{d.AllowedValues, d.AllowedPattern, d.Type == "CommaDelimitedList"}
		if diff := cmp.Diff(want, f, cmp.AllowUnexported(form{})); diff != "" {
			t.Errorf("what the template accepts as %s (-template +forms):\n%s", p.Name, diff)
		}
		if got := template[p.Name].Default; got != p.Value {
			t.Errorf("%s is %q by default, and %q in the template", p.Name, p.Value, got)
		}
	}
}

// TestEveryFile checks that the template takes every parameter of every file of the
// examples and of the field.
func TestEveryFile(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../../examples/*/*.yaml", "../environment/testdata/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		files = append(files, found...)
	}
	read := 0
	for _, file := range files {
		env, err := environment.Load(file)
		if err != nil {
			continue // a file with faults, of a test of these
		}
		parameters, err := Parameters(env)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		read++
		for _, wrong := range refused(declared(t), parameters) {
			t.Errorf("%s: %s", file, wrong)
		}
	}
	if read < 12 {
		t.Errorf("only %d files were read", read)
	}
}
