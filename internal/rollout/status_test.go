package rollout

import (
	"fmt"
	"testing"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/event"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestStatusOf checks the status that a service's deployments and its family's journals
// show.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	began := eventTime.Add(time.Minute)
	one := func(revision int, status string, state types.DeploymentRolloutState, reason string) types.Deployment {
		return types.Deployment{Id: aws.String(fmt.Sprintf("ecs-svc/%d", revision)),
			TaskDefinition: aws.String(fmt.Sprintf("%sf:%d", arn, revision)), Status: aws.String(status),
			CreatedAt: &began, RolloutState: state, RolloutStateReason: aws.String(reason), DesiredCount: 2,
			RunningCount: 2}
	}
	revisionWith := func(number int32, image, cpu, outcome string) ecsservice.Revision {
		r := ecsservice.Revision{TaskDefinition: &types.TaskDefinition{
			TaskDefinitionArn: aws.String(fmt.Sprintf("%sf:%d", arn,
				number)), Family: aws.String("f"), Revision: number, Status: "ACTIVE", RegisteredAt: &eventTime,
			Cpu: aws.String(cpu),
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"),
				Image: aws.String(host + "/p_service_web:" + image)}},
		}}
		for key, value := range map[string]string{"deployer:event-id": fmt.Sprint("e", number),
			"deployer:event-time": "2026-01-22T10:15:30Z", "deployer:outcome": outcome} {
			r.Tags = append(r.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
		}
		return r
	}
	const (
		inProgress = types.DeploymentRolloutStateInProgress
		completed  = types.DeploymentRolloutStateCompleted
		failed     = types.DeploymentRolloutStateFailed
	)
	tests := []struct {
		name        string
		runs        ecsservice.Revision
		newest      ecsservice.Revision
		deployments []types.Deployment
		want        Condition
		failed      bool
		ahead, same bool
	}{
		{"steady", revisionWith(9, "v9", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(9, "PRIMARY", completed, "")}, Steady, false, false, false},
		{"rolling out", revisionWith(9, "v9", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(9, "PRIMARY", inProgress, ""),
				one(8, "ACTIVE", completed, "")}, RollingOut, false, false, false},
		{"rolling out after a failure", revisionWith(9, "v9", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(9, "PRIMARY", inProgress, ""),
				one(8, "ACTIVE", failed, "")}, RollingOut, false, false, false},
		{"impaired", revisionWith(9, "v9", "256", "impaired"), revisionWith(9, "v9", "256", "impaired"),
			[]types.Deployment{one(9, "PRIMARY", inProgress, "")}, Impaired, false, false, false},
		{"no longer impaired", revisionWith(9, "v9", "256", "impaired"), revisionWith(9, "v9", "256", "impaired"),
			[]types.Deployment{one(9, "PRIMARY", completed, "")}, Steady, false, false, false},
		{"rolling back", revisionWith(8, "v8", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(8, "PRIMARY", inProgress,
				"ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/8."),
				one(9, "ACTIVE", failed, "")},
			RollingBack, true, true, false},
		{"rolled back, as ECS still shows", revisionWith(8, "v8", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(8, "PRIMARY", completed, ""),
				one(9, "ACTIVE", failed, "")}, RolledBack, true, true, false},
		{"rolled back, by the journal", revisionWith(8, "v8", "256", ""), revisionWith(9, "v9", "256", "failed"),
			[]types.Deployment{one(8, "PRIMARY", completed, "")}, RolledBack, true, true, false},
		{"failed", revisionWith(9, "v9", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(9, "PRIMARY", failed, "")}, Failed, true, false, false},
		{"a newer revision", revisionWith(8, "v8", "256", ""), revisionWith(9, "v9", "256", ""),
			[]types.Deployment{one(8, "PRIMARY", completed, "")}, Steady, false, true, false},
		{"a newer revision with the same image", revisionWith(8, "v8", "256", ""), revisionWith(9, "v8", "512", ""),
			[]types.Deployment{one(8, "PRIMARY", completed, "")}, Steady, false, true, true},
		{"an event for the running image", revisionWith(8, "v8", "256", ""), revisionWith(9, "v8", "256", ""),
			[]types.Deployment{one(8, "PRIMARY", completed, "")}, Steady, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &types.Service{TaskDefinition: aws.String(tt.runs.ARN()), Deployments: tt.deployments}
			got := statusOf(target, s, rollbacksOf(s, event.Rollout{}), tt.runs, tt.newest)
			if got.Condition != tt.want || got.Failed() != tt.failed || (got.Newest != nil) != tt.ahead || tt.ahead &&
				got.SameImage != tt.same {
				t.Errorf("%s, failed %t, newest %+v, same image %t", got.Condition, got.Failed(), got.Newest,
					got.SameImage)
			}
			if got.Running.Revision != tt.runs.Number() || !got.Since.Equal(began) {
				t.Errorf("runs %+v since %s", got.Running, got.Since)
			}
		})
	}
}

// TestNoActiveRevision reads the status of a service all of whose family's revisions are
// deregistered: the one that runs counts as the newest.
func TestNoActiveRevision(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.settle()
	_, err := a.ECS.DeregisterTaskDefinition(t.Context(),
		&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(target.Family + ":1")})
	must(t, err)
	must(t, a.rollouts.Statuses(t.Context(), target.Cluster, []ecsservice.Target{target}, &Memory{},
		func(_ int, s Status, err error) {
			if err != nil || s.Condition != Steady || s.Running.Revision != 1 || s.Newest != nil {
				t.Errorf("got %+v, %v; want revision 1, steady", s, err)
			}
		}))
}
