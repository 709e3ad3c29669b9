package arch_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentation compares the order of layers with the one in docs/explanation/architecture.md, and checks that the
// page describes every package.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const file = "../../docs/explanation/architecture.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "<!-- The import order. ")
	if !found {
		t.Fatalf("%s does not state the import order", file)
	}
	var order []string
	for line := range strings.Lines(after) {
		if names, indented := strings.CutPrefix(line, "    "); indented {
			order = append(order, strings.FieldsFunc(names, func(r rune) bool {
				return r == ',' || r == ' ' || r == '\n'
			})...)
		} else if len(order) > 0 {
			break
		}
	}
	if diff := cmp.Diff(layers, order); diff != "" {
		t.Errorf("the import order of %s (-want +got):\n%s", file, diff)
	}
	for _, layer := range layers {
		if !strings.Contains(string(text), "\n| `internal/"+layer+"` | ") {
			t.Errorf("%s does not describe internal/%s", file, layer)
		}
	}
}
