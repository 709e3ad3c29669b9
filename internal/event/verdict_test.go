package event

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVerdicts checks that [Verdicts] has every constant of the type: what goes through all
// verdicts would otherwise miss a new one.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []Verdict
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if of, isName := specType(spec, ok); isName && of == "Verdict" {
				text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				got = append(got, Verdict(text))
			}
			return true
		})
	}
	want := slices.Clone(Verdicts)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("Verdicts and the constants (-list +constants):\n%s", diff)
	}
}

// specType returns the name of a specification's type.
func specType(spec *ast.ValueSpec, ok bool) (name string, isName bool) {
	if !ok || spec.Type == nil {
		return "", false
	}
	of, isName := spec.Type.(*ast.Ident)
	if !isName {
		return "", false
	}
	return of.Name, true
}
