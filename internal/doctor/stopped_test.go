package doctor

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/rollout"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestStoppedTasks checks what is found of tasks that fail.
func TestStoppedTasks(t *testing.T) {
	t.Parallel()
	trouble := rollout.Trouble{Revision: 7, Stopped: "OutOfMemoryError - 2 tasks"}
	failed := rolledOut{status: rollout.Status{Condition: rollout.Failed, Trouble: trouble}}
	for _, tt := range []struct {
		name           string
		broken, denied bool
		last           rolledOut
		want           []Finding
	}{
		{"a healthy service", false, false, rolledOut{}, nil},
		{"a failure that ECS does not show any more", false, false, failed, []Finding{{Check: "stopped tasks",
			Level: Warning, Service: "web", Seen: "tasks of revision 7 stop: OutOfMemoryError - 2 tasks",
			Fix: "if a rollback helps: deployer rollback -f dev.yaml web"}}},
		{"rolled back", false, false, rolledOut{status: rollout.Status{Condition: rollout.RolledBack,
			Trouble: trouble}}, nil}, // the check of the last rollout says why
		{"tasks that exit", true, false, failed, []Finding{{Check: "stopped tasks", Level: Warning, Service: "web",
			Seen: "tasks of revision 1 stop: Essential container in task exited; container web exited with " +
				"code 1 (2 tasks)",
			Fix: "if a rollback helps: deployer rollback -f dev.yaml web"}}},
		{"not readable", true, true, rolledOut{}, []Finding{{Check: "stopped tasks", Level: Unknown, Service: "web",
			Seen: "tasks of revision 1 stop: reasons not readable: ecs:ListTasks denied",
			Fix:  "allow ecs:ListTasks and ecs:DescribeTasks to these credentials"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := emulator.NewClock(time.Now())
			e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now, RolloutStep: time.Minute})
			a := accounts.Connect(url, accounts.Dev, accounts.Region)
			must(t, a.Cluster(t.Context(), "c"))
			if tt.broken {
				e.FailImage("web")
			}
			_, err := a.Push(t.Context(), "web", "v1", "v1")
			must(t, err)
			_, err = a.Service(t.Context(), "c", "web", "111111111111.dkr.ecr.us-east-1.amazonaws.com/web:v1")
			must(t, err)
			clock.Advance(90 * time.Second)
			out, err := a.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("c"),
				Services: []string{"web"}})
			must(t, err)
			if tt.denied {
				e.Inject(emulator.Fault{Operation: "ecs:ListTasks", Error: emulator.AccessDenied("no")})
			}
			f := &findings{service: "web"}
			target := ecsservice.Target{File: "dev.yaml", Workload: "web", Cluster: "c", Service: "web"}
			f.stoppedTasks(t.Context(), &checker{services: ecsservice.New(a.Config)}, target, &out.Services[0], tt.last)
			if diff := cmp.Diff(tt.want, f.list); diff != "" {
				t.Error(diff)
			}
		})
	}
}
