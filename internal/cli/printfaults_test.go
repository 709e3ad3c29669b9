package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestPrintFaults checks that the warnings of a file that has errors are printed as warnings.
func TestPrintFaults(t *testing.T) {
	t.Parallel()
	_, err := environment.Parse("x.yaml",
		[]byte("project: p\nenv: dev\nregion: us-east-1\naccount_id: 111111111111\nservices: [{}]\n"))
	var out strings.Builder
	printError(&out, err)
	const want = "deployer: warning: x.yaml:4:13: `account_id` is a number without quotes (write \"111111111111\": " +
		"some readers of YAML change it)\ndeployer: error: x.yaml:5:12: `services[0].name` is not set (add the line: " +
		"name: web)\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
