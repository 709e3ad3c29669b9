package cli

import (
	"strings"
	"syscall"
	"testing"
)

// fullDisk is a file to which nothing can be written.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestFullDisk checks that a command whose results cannot be printed says so once, and does not end with 0.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	file := "../../examples/centralized-dev-ecr/prod.yaml"
	for line, want := range map[string]int{
		"validate " + file: exitNotDone,
		"policy bus --accounts 111111111111 -f " + file:            exitNotDone,
		"policy bus --accounts 111111111111 --json -f " + file:     exitNotDone,
		"explain --push backend:latest -f " + file:                 exitNotDone,
		"explain ../../events/deploy-rejected-tag.json -f " + file: exitNotDone,
		"params -f " + file:             exitNotDone,
		"resolve backend v1 -f " + file: exitNotDone,
		"init " + usual["init"] + " --output " + t.TempDir() + "/qa.yaml": exitNotDone,
		"version":           exitNotDone,
		"help deploy":       exitNotDone,
		"completion bash":   exitNotDone,
		"frobnicate --json": exitUsage,
	} {
		var errs strings.Builder
		exit := Run(strings.Fields(line), fullDisk{}, &errs)
		if said := strings.Count(errs.String(), "no space left on device"); exit != want || said != 1 {
			t.Errorf("deployer %s: exit %d, want %d, and it says it %d times:\n%s", line, exit, want, said, &errs)
		}
	}
}
