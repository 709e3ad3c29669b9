package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTasks checks the findings for a task: its repository only.
func TestTasks(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	tasks := func() (all []Finding) {
		report, err := Examine(t.Context(), env, x.accounts["dev"].Config, nil)
		must(t, err)
		for _, f := range report.Findings {
			if f.Service == "nightly-report" {
				all = append(all, f)
			}
		}
		return all
	}
	want := []Finding{{"repository", "nightly-report", Problem,
		"No ECR repository found: 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report does " +
			"not exist (strategy local: set by ecr_strategy)",
		"create it with the infrastructure, or set ecr_strategy in dev.yaml to the account that has the images"}}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
	_, err := x.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "report", "v1")
	must(t, err)
	want = []Finding{
		{"pull", "nightly-report", OK,
			"ecr:BatchGetImage is allowed on myproject_task_nightly-report of account 111111111111 in us-east-1", ""},
		{"repository policy", "nightly-report", OK, "none: only account 111111111111 has access", ""},
		{"scanning", "nightly-report", Warning, "off: vulnerabilities of pushed images are not found",
			"set it in the infrastructure (deploy/registry.yaml does), or, unless the registry has enhanced " +
				"scanning: " +
				"aws ecr put-image-scanning-configuration --region us-east-1 --repository-name " +
				"myproject_task_nightly-report --image-scanning-configuration scanOnPush=true"},
		{"lifecycle", "nightly-report", Warning,
			"the repository has no lifecycle policy: every image is kept, and billed", "give it one that keeps " +
				"releases: deployer policy lifecycle -f dev.yaml"},
	}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
}
