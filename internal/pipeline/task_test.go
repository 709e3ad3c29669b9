package pipeline

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/testbed/cloud"
)

// TestTaskMovedByCommand checks that the function reports what a command moved, and that the task was moved when the
// command moved it.
func TestTaskMovedByCommand(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	err := errors.Join(cloud.PushTask(t.Context(), f.accounts["dev"]),
		cloud.CreateTask(t.Context(), f.accounts["dev"], cloud.Task, "dev"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.accounts["dev"].PushIndex(t.Context(), "myproject_task_nightly-report", "v2", []string{"linux/amd64"},
		"v2")
	if err != nil {
		t.Fatal(err)
	}
	w, _ := f.env.Find("nightly-report", environment.Tasks...)
	command := New(f.env, f.accounts["dev"].Config)
	command.now = f.clock.Now
	moved := f.clock.Now().Truncate(time.Second).UTC()
	got, err := command.Deploy(t.Context(), event.Request{Workload: w, Tag: "v2",
		Cause: event.Cause{ID: "c1", Time: moved, Source: event.CommandSource}})
	if err != nil || got.Status != ecsdeploy.Deployed {
		t.Fatalf("%+v, %v", got, err)
	}
	target := ecsservice.TargetOf(f.env, w)
	record := func() journal.Record {
		t.Helper()
		r, err := ecsservice.New(f.accounts["dev"].Config).Record(t.Context(), target, target.Family+":2")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := record(); r.Outcome != "" || !r.Finished.Equal(moved) {
		t.Errorf("the command noted %q at %s, want none at %s", r.Outcome, r.Finished, moved)
	}
	f.clock.Advance(10 * time.Minute)
	f.aws.ResetCalls()
	if _, err := f.function().Handle(t.Context(), []byte(scheduled)); err != nil {
		t.Fatal(err)
	}
	want := []publishedOutcome{{Kind: "Deployment Succeeded", EventID: "c1", Service: "task:nightly-report", Tag: "v2"}}
	published := f.published(t)
	for i := range published {
		published[i].Event = nil
	}
	if diff := cmp.Diff(want, published); diff != "" {
		t.Error(diff)
	}
	if r := record(); r.Outcome != journal.Succeeded || !r.Finished.Equal(moved) {
		t.Errorf("the function noted %q at %s, want succeeded at %s", r.Outcome, r.Finished, moved)
	}
}

// TestSeveralLate handles a late event for a service and a task whose schedule's role may not start it. Nothing is
// registered for it, so that nothing is asked of the role: it is superseded as without the task.
func TestSeveralLate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	role := aws.String("myproject_scheduler_nightly-report_role_dev")
	err := cloud.CreateTasks(t.Context(), f.accounts)
	if err == nil {
		_, err = iam.NewFromConfig(f.accounts["dev"].Config).DeleteRolePolicy(t.Context(),
			&iam.DeleteRolePolicyInput{RoleName: role, PolicyName: role})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(10 * time.Minute)
	f.aws.Tick()
	got, err := f.function().Handle(t.Context(), deployEvent("e1", start.Add(-time.Minute), "dev",
		`{"services":["backend","task:nightly-report"],"action":"redeploy"}`))
	if err != nil || len(got.Deployments) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, d := range got.Deployments {
		if d.Status != ecsdeploy.Superseded {
			t.Errorf("%s: %s, %s", d.Service, d.Status, d.Reason)
		}
	}
}
