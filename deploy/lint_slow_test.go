//go:build slow

package deploy_test

import (
	"os/exec"
	"testing"
)

// TestLint runs cfn-lint if it is installed.
func TestLint(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Log("cfn-lint is not installed: only the other tests check the template")
		return
	}
	if out, err := exec.Command(path, "template.yaml").CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}
