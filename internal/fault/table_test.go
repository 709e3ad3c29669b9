package fault

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aws/smithy-go"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// common are the codes that no single operation documents: those common to all
// of AWS, and those of a single entry of PutEvents.
var common = []string{
	"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired",
	"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
	"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "ExpiredTokenException",
	"ExpiredToken", "UnknownOperationException", "InvalidAction", "MalformedHttpRequestException",
	"SerializationException", "ValidationError", "ValidationException", "RequestEntityTooLargeException",
	"RequestExpired", "RequestAbortedException", "RequestTimeout", "RequestTimeoutException", "InternalFailure",
	"InternalError", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "Throttling",
	"ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
	"RequestLimitExceeded", "TooManyRequestsException", "BandwidthLimitExceeded",
	"ProvisionedThroughputExceededException", "PriorRequestNotComplete", "TransactionInProgressException",
	"EC2ThrottledException", "SlowDown",
	"InvalidAccountIdException", "InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException",
	"NotAuthorizedForDetailTypeException", "RedactionFailure",
}

// documented returns the errors of each operation, from testdata/operations.txt.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open("testdata/operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	operations := map[string][]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			words := strings.Fields(line)
			operations[words[0]] = words[1:]
		}
	}
	return operations
}

// called returns the operations that the product calls, such as
// "ecs.UpdateService", read from its source.
func called(t *testing.T) []string {
	t.Helper()
	packages := map[string][]*ast.File{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{
		// signed by the product itself
		"ssm.GetParameter": true, "sns.Publish": true, "sqs.SendMessage": true, "eventbridge.PutEvents": true,
		"scheduler.CreateSchedule":     true,
		"scheduler.GetSchedule":        true,
		"scheduler.UpdateSchedule":     true,
		"eventbridge.PutTargets":       true,
		"eventbridge.DescribeEventBus": true,
		"sts.GetCallerIdentity":        true,
	}
	operations := map[string]map[string]bool{} // of a service, by what calls them
	dirs := clients(t)
	for _, files := range packages {
		for _, service := range services(files) {
			if operations[service] == nil {
				operations[service] = callers(t, service, dirs[service])
			}
			for _, file := range files {
				for n := range ast.Preorder(file) {
					call, ok := n.(*ast.SelectorExpr)
					if ok && operations[service][call.Sel.Name] {
						found[service+"."+strings.TrimSuffix(strings.TrimPrefix(call.Sel.Name, "New"),
							"Paginator")] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// services returns the AWS services whose client a package imports.
func services(files []*ast.File) []string {
	names := map[string]bool{}
	for _, file := range files {
		for _, imported := range file.Imports {
			if name, ok := strings.CutPrefix(strings.Trim(imported.Path.Value, `"`), sdk); ok &&
				!strings.Contains(name, "/") {
				names[name] = true
			}
		}
	}
	return slices.Collect(maps.Keys(names))
}

// clients returns the directories of the services' clients.
func clients(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}={{.Dir}}", sdk+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "=")
		dirs[strings.TrimPrefix(path, sdk)] = dir
	}
	return dirs
}

// callers returns the functions and methods of a service's client that call one
// of its operations.
func callers(t *testing.T, service, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "api_op_*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the client of %s has no operations: %v", service, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		operation := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "api_op_"), ".go")
		names[operation], names["New"+operation+"Paginator"] = true, true
	}
	return names
}

// TestTableHoldsCalledOperations checks that the list of operations is that of
// the product's calls, and that the table holds their errors and no others.
func TestTableHoldsCalledOperations(t *testing.T) {
	t.Parallel()
	operations := documented(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(operations)), called(t)); diff != "" {
		t.Errorf("testdata/operations.txt differs from what the product calls (-file +product):\n%s", diff)
	}
	used := map[string]bool{}
	for _, code := range common {
		used[code] = true
	}
	for operation, codes := range operations {
		for _, code := range codes {
			used[code] = true
			if _, ok := table[code]; !ok {
				t.Errorf("%s answers %s, which the table does not classify", operation, code)
			}
		}
	}
	for code := range table {
		if !used[code] {
			t.Errorf("the table holds %s, which no operation that is called answers", code)
		}
	}
}

// TestTable checks the table row by row: each error becomes a fault of its
// class, under its own name, and is retried exactly if it is transient.
func TestTable(t *testing.T) {
	t.Parallel()
	for code, e := range table {
		cause := &smithy.GenericAPIError{Code: code, Message: "so"}
		err := Classify("doing", cause)
		var got class
		switch {
		case IsRejected(err):
			got = rejected
		case IsMisconfigured(err):
			got = misconfigured
		case IsUnavailable(err):
			got = unavailable
		}
		if got != e.class {
			t.Errorf("%s: class %d, want %d", code, got, e.class)
		}
		want := "doing: " + code + ": so"
		if e.hint != "" {
			want += " (" + e.hint + ")"
		}
		if err.Error() != want || NameOf(err) != strings.TrimSuffix(code, "Exception") {
			t.Errorf("%s: %s: %s\nwant %s", code, NameOf(err), err, want)
		}
		if (e.hint == "") != (e.class == unavailable) {
			t.Errorf("%s: every error needs a hint, except a transient one: %q", code, e.hint)
		}
		if retried := UntilDeadline(t.Context()).IsErrorRetryable(cause); retried != (e.class == unavailable) {
			t.Errorf("%s: retried %v", code, retried)
		}
		if UntilDeadlineIfRejected(t.Context()).IsErrorRetryable(cause) && MayHaveTakenEffect(cause) {
			t.Errorf("%s: retried, though it may have taken effect", code)
		}
	}
}
