package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestTaskRoundTrips checks which calls a task's deployments make, and which of them are sent at the same time: of the
// first deployment, of a later one, of one in another process, which remembers nothing, and of one after Terraform has
// registered a revision, which a pointer that floats holds then. What is reported is besides.
func TestTaskRoundTrips(t *testing.T) {
	t.Parallel()
	const (
		reads, register = "BatchGetImage DescribeTaskDefinition GetSchedule", "RegisterTaskDefinition"
		read, move      = "GetSchedule", "UpdateSchedule"
		look, ask       = "DescribeTaskDefinition", "SimulatePrincipalPolicy"
		twice, thrice   = ask + " " + ask, ask + " " + ask + " " + ask
		image           = accounts.Dev + ".dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report:v1"
	)
	roles := func(in *ecs.RegisterTaskDefinitionInput) {
		in.ExecutionRoleArn = aws.String("arn:aws:iam::" + accounts.Dev +
			":role/myproject_scheduler_nightly-report_task_execution_dev")
	}
	pinned, floating := []string{register, read, move, look}, []string{register, look}
	for _, tt := range []struct {
		name           string
		floating, tags bool
		asked          string // what IAM is asked
		after          []string
		first, each    int // calls of the first deployment, and of each later one
	}{
		{name: "pinned", asked: twice, after: pinned, first: 9, each: 7},
		{name: "pinned, with tags", tags: true, asked: thrice, after: pinned, first: 10, each: 7},
		{name: "floating", floating: true, asked: twice, after: floating, first: 7, each: 5},
		{name: "floating, with tags", floating: true, tags: true, asked: thrice, after: floating,
			first: 8, each: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, dev, env := newTaskInFakeTime(t, tt.floating, tt.tags)
				p := pipeline.NewFunction(env, dev.Config, io.Discard)
				const latency = 100 * time.Millisecond
				e.Inject(emulator.Fault{Operation: "*", Latency: latency})
				for i, name := range []string{"first", "later", "in another process", "after Terraform"} {
					want, count := slices.Concat([]string{reads}, tt.after), tt.each
					switch {
					case i == 0, i == 3 && tt.floating:
						want, count = slices.Concat([]string{reads, tt.asked}, tt.after), tt.first
					case i == 3: // the revision that the pointer holds is not the newest
						want, count = slices.Concat([]string{reads, look}, tt.after), tt.each+1
					}
					switch i {
					case 2:
						p = pipeline.NewFunction(env, dev.Config, io.Discard)
					case 3:
						_, err := dev.Family(t.Context(), cloud.Task, "myproject_container_nightly-report_dev", image,
							roles)
						must(t, err)
					}
					_, err := dev.PushIndex(t.Context(), "myproject_task_nightly-report", name,
						[]string{"linux/amd64"}, "v9")
					must(t, err)
					time.Sleep(time.Hour)
					e.ResetCalls()
					start := time.Now()
					got, err := p.Handle(withDeadline(t, time.Minute), []byte(deployEventAt(start, fmt.Sprint("e", i),
						"action.dev", `{"task":"nightly-report","tag":"v9"}`)))
					must(t, err)
					if got.Status != "deployed" {
						t.Fatalf("%s: %+v", name, got)
					}
					trips, calls := roundTripsSince(start, latency, e.Calls())
					if diff := cmp.Diff(append(want, "PutEvents", "TagResource"), trips); diff != "" {
						t.Errorf("%s: %s", name, diff)
					}
					if calls != count+2 {
						t.Errorf("%s: %d calls, want %d and 2 that report", name, calls, count)
					}
				}
			})
		})
	}
}

// newTaskInFakeTime sets up dev's task, whose schedule holds a revision or floats, and may propagate tags. It returns
// emulated AWS, which is called without a connection, and the environment.
func newTaskInFakeTime(t *testing.T, floating, tags bool) (
	*emulator.Emulator, *accounts.Account, *environment.Environment,
) {
	t.Helper()
	// Fake time begins in 2000, when no event can have happened.
	time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
	e := emulator.New(emulator.Options{})
	dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
		c.HTTPClient = emulatortest.InProcess{AWS: e}
	})
	env, err := environment.Load("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	must(t, dev.Cluster(t.Context(), cloud.ClusterName("dev")))
	must(t, cloud.PushTask(t.Context(), dev))
	must(t, cloud.CreateTask(t.Context(), dev, cloud.Task, "dev"))
	raw, err := dev.ReadSchedule(t.Context(), cloud.ScheduleGroup("dev"), cloud.Schedule("dev"))
	must(t, err)
	text := string(raw)
	if floating {
		text = strings.Replace(text, "task-definition/nightly-report:1", "task-definition/nightly-report", 1)
	}
	if tags {
		text = strings.Replace(text, `"TaskCount":1`, `"TaskCount":1,"PropagateTags":"TASK_DEFINITION"`, 1)
		const role = "myproject_scheduler_nightly-report_role_dev"
		e.SetRolePolicy(accounts.Dev, role, emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[{"Effect":`+
			`"Allow","Action":["ecs:RunTask","ecs:TagResource","iam:PassRole"],"Resource":"*"}]}`))
	}
	_, err = dev.Send(t.Context(), http.MethodPut, "scheduler", "schedules/"+cloud.Schedule("dev"), "", text)
	must(t, err)
	return e, dev, env
}

// roundTripsSince returns the operations of each round trip, and how many calls these are.
func roundTripsSince(start time.Time, latency time.Duration, calls []emulator.Call) (trips []string, count int) {
	at := map[time.Duration][]string{} // operations by the time since the start
	for _, c := range calls {
		at[c.Start.Sub(start)] = append(at[c.Start.Sub(start)], c.Operation)
	}
	for i := range len(at) {
		operations := at[time.Duration(i)*latency]
		slices.Sort(operations)
		trips = append(trips, strings.Join(operations, " "))
	}
	return trips, len(calls)
}
