package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestStart checks that no package of the function compiles a regular expression before
// main runs: each cold start would pay for it. A [sync.OnceValue] compiles it when it is
// first used.
func TestStart(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "-tags", "lambda.norpc,function", "-deps", module+"cmd/deployer") {
		path, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", "..", path, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", p.ImportPath, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tree.Decls {
				if compiles(d) {
					t.Errorf("%s compiles a regular expression at every cold start: use sync.OnceValue", file)
				}
			}
		}
	}
}

// compiles reports whether a declaration of variables calls regexp.MustCompile, other than in a function.
func compiles(d ast.Decl) (found bool) {
	if _, variables := d.(*ast.GenDecl); !variables {
		return false
	}
	ast.Inspect(d, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "MustCompile" {
			found = true
		}
		_, inFunction := n.(*ast.FuncLit)
		return !inFunction
	})
	return found
}
