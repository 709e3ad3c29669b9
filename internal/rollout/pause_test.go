package rollout

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestPauseUntil checks that the first of several pauses to end decides what happens
// then.
func TestPauseUntil(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.settle()
	pause := func(minutes int32, then types.DeploymentLifecycleHookAction) types.DeploymentLifecycleHook {
		return types.DeploymentLifecycleHook{TargetType: types.DeploymentLifecycleHookTargetTypePause,
			LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostScaleUp},
			TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{
				TimeoutInMinutes: aws.Int32(minutes), Action: then}}
	}
	_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service),
		DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen,
			BakeTimeInMinutes: aws.Int32(5),
			LifecycleHooks: []types.DeploymentLifecycleHook{pause(20, types.DeploymentLifecycleHookActionContinue),
				pause(40, types.DeploymentLifecycleHookActionRollback)}}})
	must(t, err)
	a.deploy(t, "e", 1, "v2")
	a.settle()
	got, err := a.services.CurrentDeployment(t.Context(), target, "looking")
	must(t, err)
	now := a.clock.Now()
	if !got.Paused() || len(got.Hooks) != 2 || got.Stage != "POST_SCALE_UP" || got.Then != "CONTINUE" ||
		!got.Until.After(now) || got.Until.After(now.Add(20*time.Minute)) {
		t.Errorf("at %s: %+v", now, got)
	}
}
