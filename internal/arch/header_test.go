package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeaders checks that no header of an if or a switch changes a variable, unless it tests an error: a reader of the
// condition misses the change. A header may declare a variable.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"cmd", "internal", "testbed"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(file string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			positions := token.NewFileSet()
			tree, err := parser.ParseFile(positions, file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, at := range hiddenChanges(tree) {
				t.Errorf("%s: the header changes a variable: do it in a line before", positions.Position(at))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hiddenChanges returns where headers change variables without testing an error.
func hiddenChanges(tree ast.Node) (all []token.Pos) {
	ast.Inspect(tree, func(n ast.Node) bool {
		var header ast.Stmt
		switch n := n.(type) {
		case *ast.IfStmt:
			header = n.Init
		case *ast.SwitchStmt:
			header = n.Init
		}
		change, ok := header.(*ast.AssignStmt)
		if ok && change.Tok != token.DEFINE && !setsError(change) {
			all = append(all, change.Pos())
		}
		return true
	})
	return all
}

// setsError reports whether an assignment sets a variable for an error, or for whether there is a value.
func setsError(change *ast.AssignStmt) bool {
	for _, variable := range change.Lhs {
		name := ""
		switch v := variable.(type) {
		case *ast.Ident:
			name = v.Name
		case *ast.SelectorExpr:
			name = v.Sel.Name
		}
		if name == "ok" || strings.HasSuffix(strings.ToLower(name), "err") {
			return true
		}
	}
	return false
}

func TestHiddenChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header string
		want   int
	}{
		{"if x := f(); x > 0 {}", 0},
		{"if x = f(); x > 0 {}", 1},
		{"if x += 2; y {}", 1},
		{"if err = f(); err != nil {}", 0},
		{"if x, ok = m[y]; !ok {}", 0},
		{"if r.Err = f(); r.Err != nil {}", 0},
		{"if y {} else if x.y = 1; y {}", 1},
		{"switch x = f(); x {}", 1},
		{"switch x := f(); x {}", 0},
	} {
		source := "package p\nfunc _() {\n" + tt.header + "\n}"
		tree, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(hiddenChanges(tree)); got != tt.want {
			t.Errorf("%s: %d changes, want %d", tt.header, got, tt.want)
		}
	}
}
