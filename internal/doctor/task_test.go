package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// TestTasks checks the findings for a task: what starts it, and its repository.
func TestTasks(t *testing.T) {
	t.Parallel()
	const (
		task = "task:nightly-report"
		at   = "schedule/myproject-schedule-group-dev-nightly-report/myproject-scheduler-nightly-report-dev"
	)
	x := newFixture(t)
	env := load(t, "dev")
	tasks := func() (all []Finding) {
		report, err := Examine(t.Context(), env, x.accounts["dev"].Config, nil)
		must(t, err)
		for _, f := range report.Findings {
			if f.Service == task {
				all = append(all, f)
			}
		}
		return all
	}
	want := []Finding{{"pointer", task, Problem,
		`reading schedule "myproject-scheduler-nightly-report-dev" in group ` +
			`"myproject-schedule-group-dev-nightly-report", which starts task "nightly-report": schedule ` +
			`"myproject-scheduler-nightly-report-dev" in group "myproject-schedule-group-dev-nightly-report" does ` +
			`not exist`,
		"create it with the infrastructure, or correct deployer.workloads.nightly-report.schedule in dev.yaml",
	}, {"repository", task, Problem,
		"No ECR repository found: 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report does " +
			"not exist (strategy local: set by ecr_strategy)",
		"create it with the infrastructure, or set ecr_strategy in dev.yaml to the account that has the images"}}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
	must(t, cloud.CreateTasks(t.Context(), x.accounts))
	want = []Finding{
		{"pointer", task, OK, at + " starts revision 1 of nightly-report", ""},
		{"dead letters", task, OK,
			at + " has no dead-letter queue: a run that AWS could not start is only counted, in a metric", ""},
		{"starting role", task, OK, "arn:aws:iam::111111111111:role/myproject_scheduler_nightly-report_role_dev may " +
			"start the next revision by " + at, ""},
		{"pull", task, OK,
			"ecr:BatchGetImage is allowed on myproject_task_nightly-report of account 111111111111 in us-east-1", ""},
		{"repository policy", task, OK, "not open to every AWS account", ""},
		{"scanning", task, Warning, "off: vulnerabilities of pushed images are not found",
			"set it in the infrastructure (deploy/registry.yaml does), or, unless the registry has enhanced " +
				"scanning: " +
				"aws ecr put-image-scanning-configuration --region us-east-1 --repository-name " +
				"myproject_task_nightly-report --image-scanning-configuration scanOnPush=true"},
		{"lifecycle", task, Warning,
			"the repository has no lifecycle policy: every image is kept, and billed", "give it one that keeps " +
				"releases: deployer policy lifecycle -f dev.yaml"},
	}
	if diff := cmp.Diff(want, tasks()); diff != "" {
		t.Error(diff)
	}
}

// TestStartingRole checks the findings for the role that starts a task.
func TestStartingRole(t *testing.T) {
	t.Parallel()
	const (
		role   = "arn:aws:iam::111111111111:role/myproject_scheduler_nightly-report_role_dev"
		by     = "schedule/myproject-schedule-group-dev-nightly-report/myproject-scheduler-nightly-report-dev"
		silent = ": its next revision would not be started, and no error says so"
		add    = "in account 111111111111, add to the policy of " + role + ": "
		run    = `{"Effect":"Allow","Action":["ecs:RunTask"],"Resource":"arn:aws:ecs:us-east-1:111111111111:` +
			`task-definition/nightly-report:*"}`
	)
	passing := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`
	running := `{"Effect":"Allow","Action":"ecs:RunTask","Resource":"arn:aws:ecs:us-east-1:111111111111:` +
		`task-definition/`
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, x *fixture)
		want   Finding
	}{
		{"allowed", func(*testing.T, *fixture) {}, Finding{Level: OK,
			Seen: role + " may start the next revision by " + by}},
		{"one revision", func(t *testing.T, x *fixture) {
			x.allow(t, accounts.Dev, "myproject_scheduler_nightly-report_role_dev",
				running+`nightly-report:1"},`+passing)
			x.withoutPolicy(t, "myproject_scheduler_nightly-report_role_dev")
		}, Finding{Level: Problem,
			Seen: "the policies of " + role + ", which starts it by " + by + ", do not allow ecs:RunTask" + silent,
			Fix:  add + run}},
		{"condition", func(t *testing.T, x *fixture) {
			x.allow(t, accounts.Dev, "myproject_scheduler_nightly-report_role_dev", passing+`,{"Effect":"Allow",
				"Action":"ecs:RunTask","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}`)
			x.withoutPolicy(t, "myproject_scheduler_nightly-report_role_dev")
		}, Finding{Level: Unknown, Seen: "the policies of " + role + ", which starts it by " + by + ", have " +
			"conditions on aws:resourcetag/team", Fix: "check by hand whether they hold for ecs:RunTask"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			must(t, cloud.CreateTasks(t.Context(), x.accounts))
			tt.damage(t, x)
			report, err := Examine(t.Context(), load(t, "dev"), x.accounts["dev"].Config, nil)
			must(t, err)
			tt.want.Check, tt.want.Service = "starting role", "task:nightly-report"
			var got []Finding
			for _, f := range report.Findings {
				if f.Check == "starting role" {
					got = append(got, f)
				}
			}
			if diff := cmp.Diff([]Finding{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// withoutPolicy deletes the inline policy that a role of dev was created with.
func (x *fixture) withoutPolicy(t *testing.T, role string) {
	t.Helper()
	_, err := iam.NewFromConfig(x.accounts["dev"].Config).DeleteRolePolicy(t.Context(),
		&iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &role})
	must(t, err)
}
