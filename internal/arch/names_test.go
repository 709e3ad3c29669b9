package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// names are the names that the product's packages declare, by package: "Read", and "Reader.Read" for a method or a
// field. Comments are those of the package.
type names struct {
	declared map[string]map[string]bool
	comments map[string][]comment
}

type comment struct{ at, text string }

// declarations reads the packages under internal/, without their tests.
func declarations(t *testing.T) names {
	t.Helper()
	all := names{map[string]map[string]bool{}, map[string][]comment{}}
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		of := file.Name.Name
		if all.declared[of] == nil {
			all.declared[of] = map[string]bool{}
		}
		for _, d := range file.Decls {
			declare(all.declared[of], d)
		}
		for _, group := range file.Comments {
			all.comments[of] = append(all.comments[of], comment{files.Position(group.Pos()).String(), group.Text()})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// declare adds the names that a declaration declares.
func declare(into map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = strings.TrimPrefix(receiver(d.Recv.List[0].Type), "*") + "." + name
		}
		into[name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					into[name.Name] = true
				}
			case *ast.TypeSpec:
				into[spec.Name.Name] = true
				for _, member := range members(spec.Type) {
					into[spec.Name.Name+"."+member] = true
				}
			}
		}
	}
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// members returns the fields of a struct, or the methods of an interface.
func members(e ast.Expr) (all []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			all = append(all, name.Name)
		}
	}
	return all
}

// has reports whether a package declares a name; any package, if none is named.
func (n names) has(of, name string) bool {
	if of != "" {
		return n.declared[of][name]
	}
	declares := func(declared map[string]bool) bool { return declared[name] }
	return slices.ContainsFunc(slices.Collect(maps.Values(n.declared)), declares)
}

var (
	// a name in a document: `event.Read`, `Pipeline.route`
	documented = regexp.MustCompile("`([A-Za-z]+)\\.([A-Za-z]\\w*(?:\\.[A-Za-z]\\w*)?)`")
	// a link in a comment: [event.Read], [Reading.Requests], [Read]
	docLink = regexp.MustCompile(`\[(?:([a-z]+)\.)?([A-Z]\w*[a-z]\w*(?:\.[A-Z]\w*)?)\]`)
	// what has the form of a name: a file, a key of the environment file, a name of the standard library
	notNames = regexp.MustCompile(`^(?:[\w.]+\.(?:go|md|ya?ml|json|tf|tftpl|zip|txt)|deployer\.\w+|reflect\..*)$`)
)

// TestNames checks that the names of functions, types and fields exist to which the documents for developers and the
// comments refer.
func TestNames(t *testing.T) {
	t.Parallel()
	all := declarations(t)
	for _, file := range []string{"CONTRIBUTING.md", "docs/architecture.md", "docs/explanation/convergence.md"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range documented.FindAllStringSubmatch(string(text), -1) {
			of, name := found[1], found[2]
			if all.declared[of] == nil { // a type's member, of some package
				of, name = "", of+"."+name
			}
			if !notNames.MatchString(strings.Trim(found[0], "`")) && !all.has(of, name) {
				t.Errorf("%s: nothing is called %s", file, found[0])
			}
		}
	}
	for of, comments := range all.comments {
		for _, c := range comments {
			for _, link := range docLink.FindAllStringSubmatch(c.text, -1) {
				in := of
				if link[1] != "" {
					in = link[1]
				}
				if all.declared[in] != nil && !all.has(in, link[2]) {
					t.Errorf("%s: nothing is called %s", c.at, link[0])
				}
			}
		}
	}
}
