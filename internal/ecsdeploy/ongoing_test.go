package ecsdeploy

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestOngoingUntil holds that of several pauses at one stage the first to end
// says what happens then.
func TestOngoingUntil(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(t)
	pause := func(minutes int32, then types.DeploymentLifecycleHookAction) types.DeploymentLifecycleHook {
		return types.DeploymentLifecycleHook{TargetType: types.DeploymentLifecycleHookTargetTypePause,
			LifecycleStages:      []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostScaleUp},
			TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(minutes), Action: then}}
	}
	_, err := w.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service),
		DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(5),
			LifecycleHooks: []types.DeploymentLifecycleHook{pause(20, types.DeploymentLifecycleHookActionContinue), pause(40, types.DeploymentLifecycleHookActionRollback)}}})
	must(t, err)
	_, _, err = w.deploy(t, target, w.event(t, "e", 1, "v2"))
	must(t, err)
	w.settle(t)
	got, err := New(w.Config).ongoing(t.Context(), target, "looking")
	must(t, err)
	now := w.clock.Now()
	if !got.Paused() || len(got.pauses) != 2 || got.Stage != "POST_SCALE_UP" || got.Then != "CONTINUE" || !got.Until.After(now) || got.Until.After(now.Add(20*time.Minute)) {
		t.Errorf("at %s: %+v", now, got)
	}
}
