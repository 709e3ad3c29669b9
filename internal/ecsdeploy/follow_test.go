package ecsdeploy

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

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestRolloutOf holds what the deployments of a service say of a rollout.
func TestRolloutOf(t *testing.T) {
	t.Parallel()
	one := func(revision int, status string, state types.DeploymentRolloutState, desired, running, failed int32) types.Deployment {
		return types.Deployment{Id: aws.String(fmt.Sprintf("ecs-svc/%d", revision)), TaskDefinition: aws.String(fmt.Sprintf("%sf:%d", arn, revision)), Status: aws.String(status),
			RolloutState: state, DesiredCount: desired, RunningCount: running, PendingCount: desired - running, FailedTasks: failed}
	}
	const inProgress, completed, failed = types.DeploymentRolloutStateInProgress, types.DeploymentRolloutStateCompleted, types.DeploymentRolloutStateFailed
	tests := []struct {
		name        string
		runs        string
		deployments []types.Deployment
		want        Phase
	}{
		{"begun", "f:9", []types.Deployment{one(9, "PRIMARY", inProgress, 2, 0, 0), one(8, "ACTIVE", completed, 2, 2, 0)}, Rolling},
		{"all tasks run, not steady yet", "f:9", []types.Deployment{one(9, "PRIMARY", inProgress, 2, 2, 0)}, Rolling},
		{"completed", "f:9", []types.Deployment{one(9, "PRIMARY", completed, 2, 2, 0)}, Succeeded},
		{"no state, all tasks run", "f:9", []types.Deployment{one(9, "PRIMARY", "", 2, 2, 0)}, Succeeded},
		{"no state, tasks pending", "f:9", []types.Deployment{one(9, "PRIMARY", "", 2, 1, 0)}, Rolling},
		{"failed, going back", "f:8", []types.Deployment{one(8, "PRIMARY", inProgress, 2, 1, 0), one(9, "ACTIVE", failed, 0, 0, 3)}, Failed},
		{"failed, gone back", "f:8", []types.Deployment{one(8, "PRIMARY", completed, 2, 2, 0)}, Failed},
		{"overtaken", "f:10", []types.Deployment{one(10, "PRIMARY", inProgress, 2, 0, 0), one(9, "ACTIVE", inProgress, 1, 1, 0)}, Overtaken},
		{"overtaken long ago", "f:10", []types.Deployment{one(10, "PRIMARY", completed, 2, 2, 0)}, Overtaken},
		{"9 is before 10", "f:10", []types.Deployment{one(10, "PRIMARY", completed, 2, 2, 0)}, Overtaken},
		{"moved to another family", "g:1", []types.Deployment{{TaskDefinition: aws.String(arn + "g:1"), Status: aws.String("PRIMARY")}}, Overtaken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := rolloutOf(&types.Service{TaskDefinition: aws.String(arn + tt.runs), Deployments: tt.deployments}, arn+"f:9")
			if got.Phase != tt.want || got.Done() != (tt.want != Rolling) || got.Runs != arn+tt.runs {
				t.Errorf("%+v, want %s", got, tt.want)
			}
		})
	}
}

// TestFollow follows rollouts from their beginning to their end, on fake time.
func TestFollow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, image string
		change      func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
		meanwhile   func(*testing.T, *accounts.Account) // what somebody does after three seconds
		want        []string
		err         string
	}{
		{"good", "good", nil, nil, []string{"rolling out 0/2", "rolling out 2/2", "succeeded 2/2"}, ""},
		{"bad, with a breaker", "bad", nil, nil, []string{"rolling out 0/2", "failed 0/0"}, ""},
		{"bad, without a breaker", "bad", func(_ *ecs.RegisterTaskDefinitionInput, s *ecs.CreateServiceInput) { s.DeploymentConfiguration = nil }, nil,
			[]string{"rolling out 0/2"}, `following the rollout of "` + arn + `p_service_web_dev:2": it has not ended (0 of 2 tasks run, `},
		{"overtaken", "good", nil, func(t *testing.T, a *accounts.Account) {
			_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service), TaskDefinition: aws.String(target.Family + ":3")})
			must(t, err)
		}, []string{"rolling out 0/2", "superseded 0/2"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := emulator.New(emulator.Options{RolloutStep: 5 * time.Second})
				e.FailImage("bad")
				a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} })
				must(t, a.Cluster(t.Context(), "c"))
				var changes []func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)
				if tt.change != nil {
					changes = append(changes, tt.change)
				}
				_, err := a.Push(t.Context(), "p_service_web", "good", "v0", "good", "bad")
				must(t, err)
				_, err = a.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0", changes...)
				must(t, err)
				w := &world{Emulator: e, Account: a}
				w.register(t, target.Family, host+"/p_service_web:"+tt.image)
				w.register(t, target.Family, host+"/p_service_web:good")
				time.Sleep(time.Minute)
				_, err = a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service), TaskDefinition: aws.String(target.Family + ":2")})
				must(t, err)
				if tt.meanwhile != nil {
					go func() { time.Sleep(3 * time.Second); tt.meanwhile(t, a) }()
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				var seen []string
				_, err = New(a.Config).Follow(ctx, target, arn+"p_service_web_dev:2", func(r Rollout) {
					line := fmt.Sprintf("%s %d/%d", r.Phase, r.Running, r.Desired)
					if len(seen) == 0 || seen[len(seen)-1] != line {
						seen = append(seen, line)
					}
				})
				if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				if diff := cmp.Diff(tt.want, seen); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestAwait holds which revision carried out an event, behind others', and
// whether the service was moved to it.
func TestAwait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, tag := range []string{"v2", "v3", "v3"} { // revisions 2 to 4, the last for an image that runs already
		_, _, err := w.deploy(t, target, w.event(t, fmt.Sprint("e", i), i, tag))
		must(t, err)
	}
	for _, tt := range []struct {
		id    string
		want  int
		moved bool
	}{{"e0", 2, true}, {"e1", 3, true}, {"e2", 4, false}} {
		revision, moved, err := New(w.Config).Await(t.Context(), target, tt.id, 1)
		if err != nil || revision != fmt.Sprint(arn, target.Family, ":", tt.want) || moved != tt.moved {
			t.Errorf("%s: %s, %v, %v, want %d, %v", tt.id, revision, moved, err, tt.want, tt.moved)
		}
	}
}
