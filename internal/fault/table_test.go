package fault

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// modelled returns the codes of every error that a service's SDK models, read
// from the SDK's own source.
func modelled(t *testing.T, service string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+service+"/types").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "errors.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "ErrorCode" || f.Recv == nil {
			continue
		}
		if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
			codes = append(codes, star.X.(*ast.Ident).Name)
		}
	}
	return codes
}

// TestEveryModelledErrorHasAVerdict fails when a new SDK models an error that
// nobody has decided about.
func TestEveryModelledErrorHasAVerdict(t *testing.T) {
	t.Parallel()
	for service, least := range map[string]int{"ecs": 30, "ecr": 45, "eventbridge": 10, "sqs": 25} {
		codes := modelled(t, service)
		if len(codes) < least {
			t.Errorf("%s models %d errors; were they all found?", service, len(codes))
		}
		for _, code := range codes {
			if _, ok := verdicts[code]; !ok {
				t.Errorf("%s models %s, and nobody decided whose fault it is", service, code)
			}
		}
	}
}

// TestVerdicts holds the table row by row: each error becomes a fault of its
// class, under its own name, and is retried exactly if it passes.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for code, v := range verdicts {
		cause := &smithy.GenericAPIError{Code: code, Message: "so"}
		err := Classify("doing", cause)
		var rejection *Rejection
		var misconfiguration *Misconfiguration
		var outage *Outage
		var got class
		switch {
		case errors.As(err, &rejection):
			got = sender
		case errors.As(err, &misconfiguration):
			got = keeper
		case errors.As(err, &outage):
			got = passing
		}
		if got != v.class {
			t.Errorf("%s: class %d, want %d", code, got, v.class)
		}
		want := "doing: " + code + ": so"
		if v.hint != "" {
			want += " (" + v.hint + ")"
		}
		if err.Error() != want || NameOf(err) != strings.TrimSuffix(code, "Exception") {
			t.Errorf("%s: %s: %s\nwant %s", code, NameOf(err), err, want)
		}
		if (v.hint == "") != (v.class == passing) {
			t.Errorf("%s: what passes needs no hint, and all else does: %q", code, v.hint)
		}
		if retried := UntilDeadline(t.Context()).IsErrorRetryable(cause); retried != (v.class == passing) {
			t.Errorf("%s: retried %v", code, retried)
		}
		if UntilDeadlineIfRejected(t.Context()).IsErrorRetryable(cause) && MayHaveTakenEffect(cause) {
			t.Errorf("%s: repeated, though it may have taken effect", code)
		}
	}
}
