package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/journal"
	"deployer/testbed/aws/emulator"
)

// TestLastRolledOut checks which revision's rollout a service is in, before, while and after ECS
// rolls back, and after a person has moved the service since.
func TestLastRolledOut(t *testing.T) {
	t.Parallel()
	failed := func(returned string) journal.Note {
		return journal.Note{Outcome: journal.Failed, Finished: eventTime, RolledBackBy: returned}
	}
	tests := []struct {
		name  string
		steps int                           // of the rollout of revision 2, which fails
		then  func(*testing.T, testAccount) // after that
		want  int
	}{
		{"it goes on", 0, nil, 2},
		{"ECS rolls back", 3, nil, 2},
		{"ECS has rolled back, as the journal shows", 20, func(t *testing.T, a testAccount) {
			a.note(t, arn+target.Family+":2", failed(a.primary(t)))
		}, 2},
		{"and the id of the rollback is not known", 20, func(t *testing.T, a testAccount) {
			a.note(t, arn+target.Family+":2", failed(""))
		}, 2},
		{"a person rolled out the same revision since", 20, func(t *testing.T, a testAccount) {
			a.note(t, arn+target.Family+":2", failed(a.primary(t)))
			_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
				Service: aws.String(target.Service), ForceNewDeployment: true})
			must(t, err)
			a.settle()
		}, 1},
		{"a newer rollout succeeded", 20, func(t *testing.T, a testAccount) {
			a.note(t, arn+target.Family+":2", failed(a.primary(t)))
			a.deploy(t, "e3", 5, "v3")
			a.settle()
		}, 3},
		{"revisions cannot be read", 20, func(t *testing.T, a testAccount) {
			a.note(t, arn+target.Family+":2", failed(a.primary(t)))
			a.emulator.Inject(emulator.Fault{Operation: "ecs:DescribeTaskDefinition",
				Error: emulator.AccessDenied("no")})
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.settle()
			digest, err := a.Push(t.Context(), "p_service_web", "v2", "v2")
			must(t, err)
			a.emulator.FailImage(digest)
			a.deploy(t, "e2", 0, "v2")
			for range tt.steps {
				a.clock.Advance(time.Second)
				a.emulator.Tick()
			}
			if tt.then != nil {
				tt.then(t, a)
			}
			service, err := a.services.DescribeService(t.Context(), target)
			must(t, err)
			got := a.rollouts.LastRolledOut(t.Context(), target, service)
			if want := fmt.Sprint(arn, target.Family, ":", tt.want); got != want {
				t.Errorf("joined %s, want %s", got, want)
			}
		})
	}
}

// primary returns the id of the service's newest rollout.
func (a testAccount) primary(t *testing.T) string {
	t.Helper()
	service, err := a.services.DescribeService(t.Context(), target)
	must(t, err)
	return aws.ToString(service.Deployments[0].Id)
}
