package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLimitsOfTheRole checks what validate and params say if the names of an environment's resources do not fit into
// the policies of the deployer's role: they refuse it, unless the file accepts name patterns, and then name these.
func TestLimitsOfTheRole(t *testing.T) {
	t.Parallel()
	const (
		large = "the names of 251 workloads do not fit into the policies of the deployer's role"
		also  = "roles of projects whose names begin with myproject_service or myproject_scheduler, and of " +
			"environments whose names end with task_staging, execution_staging or role_staging"
	)
	for _, tt := range []struct {
		name                string
		services, scheduled int
		patterns            string
		want                []string // in the text; nil if no limit is named
		exit                int
	}{
		{"all fits", 40, 0, "", nil, 0},
		{"exact in ten policies", 120, 0, "roles", nil, 0},
		{"name patterns that are accepted", 250, 0, "roles", []string{large + ", and deployer.role_patterns accepts " +
			"name patterns: role/myproject_service_*_task_execution_staging, role/myproject_service_*_task_staging. " +
			"They also match " + also + " (to have none, give some of the workloads an environment of their own)"}, 0},
		{"name patterns that are not", 250, 0, "", []string{large + ": it would need 16 managed policies, and IAM " +
			"accepts 10 (give some of the workloads an environment of their own; or accept name patterns: write " +
			"`role_patterns: [roles]` below `deployer` in ", "staging.yaml, and the role also reaches " + also +
			")"}, 1},
		{"too many", 0, 500, "roles", []string{"policies, and IAM accepts 10 (give some of the workloads an " +
			"environment of their own)"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "project: myproject\nenv: staging\nregion: us-east-1\naccount_id: \"222222222222\"\n" +
				"deployer: {role_patterns: [" + tt.patterns + "]}\nservices:\n"
			for i := range tt.services {
				text += fmt.Sprintf("  - name: a-service-of-many-%03d\n", i)
			}
			text += "scheduled_tasks:\n"
			for i := range tt.scheduled {
				text += fmt.Sprintf("  - name: a-task-of-very-many-%03d\n", i)
			}
			file := filepath.Join(t.TempDir(), "staging.yaml")
			must(t, os.WriteFile(file, []byte(text), 0o600))
			for command, exit := range map[string]int{"validate": tt.exit, "params": tt.exit} {
				args := map[string][]string{"validate": {"validate", file}, "params": {"params", "-f", file}}[command]
				var stdout, stderr strings.Builder
				if got := Run(args, &stdout, &stderr); got != exit {
					t.Errorf("%s: exit code %d, want %d: %s", command, got, exit, &stderr)
				}
				said := stderr.String()
				if command == "validate" {
					said += stdout.String()
				}
				for _, want := range tt.want {
					if !strings.Contains(said, want) {
						t.Errorf("%s prints %q, want %q in it", command, said, want)
					}
				}
				if tt.want == nil && strings.Contains(said, "do not fit") {
					t.Errorf("%s prints %q of an environment that fits", command, said)
				}
			}
		})
	}
}
