package ecsservice

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// TestCheckDeployable checks which services can be deployed to.
func TestCheckDeployable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status     string
		controller types.DeploymentControllerType
		want       fault.Name
	}{
		{"ACTIVE", "", ""},
		{"ACTIVE", types.DeploymentControllerTypeEcs, ""},
		{"ACTIVE", types.DeploymentControllerTypeCodeDeploy, fault.ErrControllerNotECS},
		{"ACTIVE", types.DeploymentControllerTypeExternal, fault.ErrControllerNotECS},
		{"DRAINING", "", fault.ErrServiceNotActive},
		{"INACTIVE", types.DeploymentControllerTypeCodeDeploy, fault.ErrServiceNotActive},
	} {
		s := &types.Service{Status: aws.String(tt.status)}
		if tt.controller != "" {
			s.DeploymentController = &types.DeploymentController{Type: tt.controller}
		}
		err := target.CheckDeployable(s)
		if (tt.want == "") != (err == nil) || err != nil && (!errors.Is(err, tt.want) || !fault.IsMisconfigured(err)) {
			t.Errorf("%s, %q: %v, want %s", tt.status, tt.controller, err, tt.want)
		}
	}
}

// TestCommand checks the commands in hints.
func TestCommand(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"dev.yaml":       "deployer history -f dev.yaml web",
		"my envs/d.yaml": "deployer history -f 'my envs/d.yaml' web",
		"it's.yaml":      `deployer history -f 'it'\''s.yaml' web`,
		"{a,b}.yaml":     "deployer history -f '{a,b}.yaml' web",
	} {
		if got := (Target{File: file, Workload: "web"}).Command("history"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestRollbackState checks what a deployment's state and reason say about a rollback.
func TestRollbackState(t *testing.T) {
	t.Parallel()
	const back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
	for _, tt := range []struct {
		state             types.DeploymentRolloutState
		reason            string
		rollback, rolling bool
	}{
		{types.DeploymentRolloutStateInProgress, back, true, true},
		{types.DeploymentRolloutStateCompleted, back, true, false},
		{types.DeploymentRolloutStateInProgress, "ECS deployment ecs-svc/1 in progress.", false, false},
	} {
		d := types.Deployment{Status: aws.String("PRIMARY"), RolloutState: tt.state,
			RolloutStateReason: aws.String(tt.reason)}
		if IsRollback(d) != tt.rollback || RollingBack(d) != tt.rolling {
			t.Errorf("%s, %q: %v, %v", tt.state, tt.reason, IsRollback(d), RollingBack(d))
		}
	}
}
