package rollout

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestInProgress checks which rollouts count as in progress: those of blue/green,
// linear and canary deployments have no rolloutState.
func TestInProgress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		state            types.DeploymentRolloutState
		running, desired int32
		want             bool
	}{
		{"a rolling update", types.DeploymentRolloutStateInProgress, 2, 2, true},
		{"a rolling update that is complete", types.DeploymentRolloutStateCompleted, 1, 2, false},
		{"another strategy, tasks are missing", "", 1, 2, true},
		{"another strategy, all tasks run", "", 2, 2, false},
	} {
		o := Observation{ID: id(12)}
		o.addDeployment(&types.Service{Deployments: []types.Deployment{{Id: aws.String(id(12)),
			Status: aws.String("PRIMARY"), RolloutState: tt.state, RunningCount: tt.running, DesiredCount: tt.desired}}})
		if o.InProgress != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, o.InProgress, tt.want)
		}
	}
}
