package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// newTaskFunction starts dev's function with the role of the template. Its file has an event-processor task, uploads,
// besides the scheduled one.
func newTaskFunction(t *testing.T) *testFunction {
	t.Helper()
	text, err := os.ReadFile("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "dev.yaml")
	must(t, os.WriteFile(file, append(text, "\nevent_processor_tasks:\n  - name: uploads\n"...), 0o644))
	f := newFunction(t, "dev", func(o *lambdahost.Options) {
		o.Env["DEPLOYER_ENVIRONMENT_FILE"] = file
		o.AccessKeyID = accounts.Dev + "-myproject_deployer_dev" // the role
	})
	must(t, cloud.PushImageOf(t.Context(), f.accounts["dev"], "uploads"))
	must(t, cloud.CreateEventTask(t.Context(), f.accounts["dev"], "uploads", "dev"))
	env, err := environment.Load(file)
	must(t, err)
	template, err := cloud.Template("../..", env)
	must(t, err)
	must(t, f.aws.LoadTemplate(accounts.Dev, accounts.Region, template))
	return f
}

// TestTaskCalls counts the calls of a task's deployments with the role of the template. Seven calls deploy: three reads
// at the same time, the registration, and then the pointer is read right before it is written, and the family is read
// again. Before the first move, two more ask IAM what the pointer's role may: IAM simulates one action with its context
// at a time. What is reported is besides.
func TestTaskCalls(t *testing.T) {
	t.Parallel()
	const image, family, rights = "BatchGetImage", "DescribeTaskDefinition", "SimulatePrincipalPolicy"
	for _, tt := range []struct{ task, read, move string }{
		{"nightly-report", "GetSchedule", "UpdateSchedule"},
		{"uploads", "ListTargetsByRule", "PutTargets"},
	} {
		for _, kind := range []string{"push", "DEPLOY"} {
			t.Run(tt.task+" by "+kind, func(t *testing.T) {
				t.Parallel()
				f := newTaskFunction(t)
				repository := "myproject_task_" + tt.task
				reads := []string{image, family, tt.read}
				writes := []string{"RegisterTaskDefinition", tt.read, tt.move, family}
				reports := []string{"PutEvents", "TagResource"}
				for i, want := range [][]string{
					slices.Concat(reads, []string{rights, rights}, writes, reports),
					slices.Concat(reads, writes, reports),
				} {
					content := fmt.Sprint("v", i+2)
					tag := map[string]string{"push": "latest", "DEPLOY": content}[kind]
					digest, err := f.accounts["dev"].PushIndex(t.Context(), repository, content,
						[]string{"linux/amd64"}, tag)
					must(t, err)
					at, id := time.Now().Add(time.Duration(i)*time.Second), fmt.Sprint("e", i)
					event := deployEventAt(at, id, "action.dev", fmt.Sprintf(`{"task":%q,"tag":%q}`, tt.task, tag))
					if kind == "push" {
						event = pushEventAt(at, id, repository, tag, digest)
					}
					f.aws.ResetCalls()
					if got := f.invoke(t, event); got.Status != "deployed" {
						t.Fatalf("%+v", got)
					}
					calls := f.operations()
					slices.Sort(calls[:3]) // they are sent together
					if diff := cmp.Diff(want, calls); diff != "" {
						t.Errorf("deployment %d: %s", i+1, diff)
					}
					if again := f.invoke(t, event); again.Status != "unchanged" {
						t.Errorf("again: %+v", again)
					}
				}
			})
		}
	}
}
