package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLimitsOfTheRole checks that validate and params say which name patterns the
// deployer's role has, if the ARNs of an environment's resources do not fit into its
// policies, that they say nothing if they fit, and what is refused.
func TestLimitsOfTheRole(t *testing.T) {
	t.Parallel()
	const pattern = "It uses name patterns for some, which also match a project whose name begins with " +
		"myproject_service, myproject_task or myproject_scheduler: "
	for _, tt := range []struct {
		name                string
		services, scheduled int
		want                []string // in the text; nil if no limit is named
		exit                int      // of params
	}{
		{"all fits", 40, 0, nil, 0},
		{"exact in ten policies", 120, 0, nil, 0},
		{"name patterns", 250, 0, []string{"the ARNs of 251 workloads do not fit into the policies of the " +
			"deployer's role. ",
			pattern + "repository/myproject_service_*, role/myproject_service_*_task_execution_staging, " +
				"role/myproject_service_*_task_staging (to have none, give some of the workloads an environment " +
				"of their own)"}, 0},
		{"too many", 0, 500, []string{"managed policies, and IAM accepts 10: ",
			" has too many workloads (give some of them an environment of their own)"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "project: myproject\nenv: staging\nregion: us-east-1\naccount_id: \"222222222222\"\nservices:\n"
			for i := range tt.services {
				text += fmt.Sprintf("  - name: a-service-of-many-%03d\n", i)
			}
			text += "scheduled_tasks:\n"
			for i := range tt.scheduled {
				text += fmt.Sprintf("  - name: a-task-of-very-many-%03d\n", i)
			}
			file := filepath.Join(t.TempDir(), "staging.yaml")
			must(t, os.WriteFile(file, []byte(text), 0o600))
			for command, exit := range map[string]int{"validate": 0, "params": tt.exit} {
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
				if tt.want == nil && strings.Contains(said, "name patterns") {
					t.Errorf("%s prints %q of an environment that fits", command, said)
				}
			}
		})
	}
}
