package rollout

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/testbed/aws/emulator"
)

// TestProgressOf checks the phase of a rollout that a service's deployments show.
func TestProgressOf(t *testing.T) {
	t.Parallel()
	one := func(revision int, status string, state types.DeploymentRolloutState, desired, running,
		failed int32) types.Deployment {
		return types.Deployment{Id: aws.String(fmt.Sprintf("ecs-svc/%d", revision)),
			TaskDefinition: aws.String(fmt.Sprintf("%sf:%d", arn, revision)), Status: aws.String(status),
			RolloutState: state, DesiredCount: desired, RunningCount: running, PendingCount: desired - running,
			FailedTasks: failed}
	}
	const (
		inProgress = types.DeploymentRolloutStateInProgress
		completed  = types.DeploymentRolloutStateCompleted
		failed     = types.DeploymentRolloutStateFailed
	)
	tests := []struct {
		name        string
		runs        string
		deployments []types.Deployment
		want        journal.Phase
	}{
		{"started", "f:9", []types.Deployment{one(9, "PRIMARY", inProgress, 2, 0, 0),
			one(8, "ACTIVE", completed, 2, 2, 0)}, journal.RollingOut},
		{"all tasks run, not steady yet", "f:9", []types.Deployment{one(9, "PRIMARY", inProgress, 2, 2, 0)},
			journal.RollingOut},
		{"completed", "f:9", []types.Deployment{one(9, "PRIMARY", completed, 2, 2, 0)}, journal.Succeeded},
		{"no state, all tasks run", "f:9", []types.Deployment{one(9, "PRIMARY", "", 2, 2, 0)}, journal.Succeeded},
		{"no state, tasks pending", "f:9", []types.Deployment{one(9, "PRIMARY", "", 2, 1, 0)}, journal.RollingOut},
		{"failed, rolling back", "f:8", []types.Deployment{one(8, "PRIMARY", inProgress, 2, 1, 0),
			one(9, "ACTIVE", failed, 0, 0, 3)}, journal.Failed},
		{"failed, rolled back", "f:8", []types.Deployment{one(8, "PRIMARY", completed, 2, 2, 0)}, journal.Failed},
		{"superseded", "f:10", []types.Deployment{one(10, "PRIMARY", inProgress, 2, 0, 0),
			one(9, "ACTIVE", inProgress, 1, 1, 0)}, journal.Superseded},
		{"completed, and a newer one is rolling out", "f:10", []types.Deployment{
			one(10, "PRIMARY", inProgress, 2, 0, 0), one(9, "ACTIVE", completed, 2, 2, 0)}, journal.Succeeded},
		{"superseded long ago", "f:10", []types.Deployment{one(10, "PRIMARY", completed, 2, 2, 0)}, journal.Superseded},
		{"9 is before 10", "f:10", []types.Deployment{one(10, "PRIMARY", completed, 2, 2, 0)}, journal.Superseded},
		{"moved to another family", "g:1", []types.Deployment{{TaskDefinition: aws.String(arn + "g:1"),
			Status: aws.String("PRIMARY")}}, journal.Superseded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &types.Service{TaskDefinition: aws.String(arn + tt.runs), Deployments: tt.deployments}
			got := progressOf(s, rollbacksOf(s, event.Rollout{}), arn+"f:9")
			if got.Phase != tt.want || got.Ended() != (tt.want != journal.RollingOut) || got.Runs != arn+tt.runs {
				t.Errorf("%+v, want %s", got, tt.want)
			}
		})
	}
}

// TestFollow follows rollouts from their start to their end, on fake time.
func TestFollow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, image string
		change      func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
		meanwhile   func(*testing.T, testAccount) // runs after three seconds
		want        []string
		err         string
	}{
		{"good", "good", nil, nil, []string{"rolling out 0/2", "rolling out 2/2", "succeeded 2/2"}, ""},
		{"bad, with a breaker", "bad", nil, nil, []string{"rolling out 0/2", "failed 0/0"}, ""},
		{"bad, without a breaker", "bad", func(_ *ecs.RegisterTaskDefinitionInput,
			s *ecs.CreateServiceInput) {
			s.DeploymentConfiguration = nil
		}, nil,
			[]string{"rolling out 0/2"}, `following the rollout of "` + arn +
				`p_service_web_dev:2": it has not ended (0 of 2 tasks run, `},
		{"superseded", "good", nil, func(t *testing.T, a testAccount) {
			a.moveTo(t, target.Family+":3")
		}, []string{"rolling out 0/2", "superseded 0/2"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var changes []func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
				if tt.change != nil {
					changes = append(changes, tt.change)
				}
				a := newInstantAccount(t, emulator.Options{RolloutStep: 5 * time.Second}, changes...)
				a.emulator.FailImage("bad")
				_, err := a.Push(t.Context(), "p_service_web", "good", "good", "bad")
				must(t, err)
				a.register(t, target.Family, host+"/p_service_web:"+tt.image)
				a.register(t, target.Family, host+"/p_service_web:good")
				time.Sleep(time.Minute)
				a.moveTo(t, target.Family+":2")
				if tt.meanwhile != nil {
					go func() { time.Sleep(3 * time.Second); tt.meanwhile(t, a) }()
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				var seen []string
				stopped := ""
				_, err = a.rollouts.Follow(ctx, target, arn+"p_service_web_dev:2", func(r Progress) {
					line := fmt.Sprintf("%s %d/%d", r.Phase, r.Running, r.Desired)
					if len(seen) == 0 || seen[len(seen)-1] != line {
						seen = append(seen, line)
					}
					stopped = r.Stopped
				})
				if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				const exits = "Essential container in task exited; container app exited with code 1 ("
				if strings.HasPrefix(stopped, exits) != (tt.image == "bad") {
					t.Errorf("stopped tasks: %q", stopped)
				}
				if diff := cmp.Diff(tt.want, seen); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestAwait checks which revision was registered for an event, and whether the service
// was moved to it.
func TestAwait(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for i, tag := range []string{"v2", "v3", "v3"} { // revisions 2 to 4, the last for the running image
		a.deploy(t, fmt.Sprint("e", i), i, tag)
	}
	for _, tt := range []struct {
		id    string
		want  int
		moved bool
	}{{"e0", 2, true}, {"e1", 3, true}, {"e2", 4, false}} {
		revision, moved, err := a.rollouts.Await(t.Context(), target, tt.id, 1)
		if err != nil || revision != fmt.Sprint(arn, target.Family, ":", tt.want) || moved != tt.moved {
			t.Errorf("%s: %s, %v, %v, want %d, %v", tt.id, revision, moved, err, tt.want, tt.moved)
		}
	}
}
