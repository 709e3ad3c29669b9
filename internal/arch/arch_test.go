package arch_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "deployer/"

// layers are the product's packages under internal/, in order: a package may
// import only packages that stand before it.
var layers = []string{
	"iam", "image", "shell", "environment", "event", "fault", "rawjson", "version", "awsconfig", "signed", "caller",
	"bus", "resolve", "promote", "journal", "outcome", "kept", "retry", "pointer", "ecsservice", "taskrun", "ecsdeploy",
	"rollout", "notify", "reconcile", "dependents", "pipeline", "redrive", "doctor", "logs", "failure", "fleet",
	"compare", "dashboard", "migrate", "access", "stack", "function", "cli",
}

// clients are SDK packages that only the named packages may import.
var clients = map[string][]string{
	"github.com/aws/aws-sdk-go-v2/service/ecr":         {"resolve", "promote", "doctor"},
	"github.com/aws/aws-sdk-go-v2/service/ecs":         {"ecsservice", "taskrun", "ecsdeploy", "rollout", "doctor"},
	"github.com/aws/aws-sdk-go-v2/service/eventbridge": {"doctor"},
	"github.com/aws/aws-sdk-go-v2/service/iam":         {"doctor", "redrive"},
	"github.com/aws/aws-sdk-go-v2/service/lambda":      {"doctor"},
	"github.com/aws/aws-sdk-go-v2/service/sqs":         {"redrive", "doctor"},
}

// pure packages import no part of any SDK, nor of the Lambda libraries.
var pure = []string{"iam", "image", "shell", "environment", "event", "journal", "access", "stack", "rawjson",
	"ecsdeploy/converge"}

// standIns are the parts of the test environment that stand in for AWS. Of the
// product they may import only what IAM's policy language means; otherwise
// they would agree with the product by construction.
var standIns = []string{"testbed/aws", "testbed/lambdahost", "testbed/accounts"}

// pkg is what `go list` says of a package. Imports are those of its non-test files.
type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, module+"...") {
		from, _ := strings.CutPrefix(p.ImportPath, module)
		if name, ok := strings.CutPrefix(from, "internal/"); ok && name != "arch" && !slices.Contains(layers,
			top(name)) {
			t.Errorf("%s has no place in the order of layers", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if why := forbidden(from, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

// TestFunctionBuild compares the packages that the function's build links, without those
// of the standard library, with testdata/function.txt. Each is initialized at every cold
// start, whether it is used or not. UPDATE_GOLDEN=1 rewrites the file.
func TestFunctionBuild(t *testing.T) {
	t.Parallel()
	const file = "testdata/function.txt"
	var linked []string
	for _, p := range list(t, "-tags", "lambda.norpc,function", "-deps", module+"cmd/deployer") {
		first, _, _ := strings.Cut(p.ImportPath, "/")
		if strings.Contains(first, ".") || first+"/" == module {
			linked = append(linked, p.ImportPath)
		}
		if p.ImportPath == "text/template" { // it keeps the linker from removing methods
			t.Errorf("the function's build links %s", p.ImportPath)
		}
	}
	slices.Sort(linked)
	got := strings.Join(linked, "\n") + "\n"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the function links other packages than %s lists (-file +build); if it needs them, measure the cold "+
			"start (make bench) and rewrite the list (UPDATE_GOLDEN=1 go test ./internal/arch):\n%s", file, diff)
	}
}

// top returns the first element of a path under internal/: "ecsdeploy" of "ecsdeploy/converge".
func top(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

func under(path string, parents ...string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool {
		return path == parent || strings.HasPrefix(path, parent+"/")
	})
}

// forbidden returns why a package, given by its path in the module, may not
// import another, given by its import path; "" if it may.
func forbidden(from, imported string) string {
	to, ours := strings.CutPrefix(imported, module)
	name, internal := strings.CutPrefix(from, "internal/")
	product := internal || under(from, "cmd")
	owners := clients[imported]
	switch {
	case product && ours && under(to, "testbed"):
		return "only tests may import the test environment"
	case internal && ours && under(to, "internal") && !ordered(name, strings.TrimPrefix(to, "internal/")):
		return "a package imports only packages before it: " + strings.Join(layers, ", ")
	case under(from, "cmd") && ours && !under(to, "internal/function", "internal/cli"):
		return "a command only starts the function or the command line"
	case under(from, standIns...) && ours && to != "internal/iam" && !under(to, standIns...):
		return "what stands in for AWS knows nothing of the product"
	case under(from, "testbed/aws") && ours && under(to, "testbed/lambdahost") || under(from, "testbed/lambdahost") &&
		ours && to != "testbed/lambdahost":
		return "emulated AWS and the Lambda host know nothing of each other"
	case product && owners != nil && !slices.Contains(owners, top(name)):
		return "only " + strings.Join(owners, ", ") + " may call this service"
	case internal && slices.Contains(pure, name) && strings.Contains(imported, "aws"):
		return "this package is pure: it has no SDK"
	}
	return ""
}

// ordered reports whether package from may import package to, both under
// internal/: to stands before it, or is a part of it.
func ordered(from, to string) bool {
	return strings.HasPrefix(to, from+"/") || slices.Index(layers, top(to)) < slices.Index(layers, top(from)) &&
		slices.Contains(layers, top(to))
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][2]string{
		{"internal/event", "deployer/internal/resolve"},
		{"internal/event", "github.com/aws/aws-sdk-go-v2/aws"},
		{"internal/ecsdeploy/converge", "github.com/aws/aws-sdk-go-v2/aws"},
		{"internal/ecsdeploy/converge", "deployer/internal/ecsdeploy"},
		{"internal/pipeline", "github.com/aws/aws-sdk-go-v2/service/ecs"},
		{"internal/pipeline", "deployer/testbed/aws/emulator"},
		{"internal/function", "deployer/internal/cli"},
		{"cmd/deployer", "deployer/testbed/cloud"},
		{"cmd/deployer", "deployer/internal/pipeline"},
		{"testbed/aws/events/pattern", "deployer/internal/environment"},
		{"internal/iam", "deployer/internal/image"},
		{"testbed/lambdahost", "deployer/testbed/aws/emulator"},
		{"testbed/aws/emulator", "deployer/testbed/lambdahost"},
	} {
		if forbidden(wrong[0], wrong[1]) == "" {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
	for _, right := range [][2]string{
		{"internal/pipeline", "deployer/internal/rollout"},
		{"internal/ecsdeploy", "deployer/internal/ecsdeploy/converge"},
		{"testbed/aws/emulator", "deployer/internal/iam"},
		{"cmd/deployer", "deployer/internal/cli"},
	} {
		if why := forbidden(right[0], right[1]); why != "" {
			t.Errorf("%s may not import %s: %s", right[0], right[1], why)
		}
	}
}
