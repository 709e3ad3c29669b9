package main

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// shifting makes the backend's deployments shift traffic in two steps, with a pause
// before each that times out after so many minutes, and bake for a minute at the end.
func (s *scenario) shifting(t *testing.T, strategy ecstypes.DeploymentStrategy, minutes int32,
	then ecstypes.DeploymentLifecycleHookAction) {
	t.Helper()
	c := &ecstypes.DeploymentConfiguration{Strategy: strategy, BakeTimeInMinutes: aws.Int32(1),
		DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		LifecycleHooks: []ecstypes.DeploymentLifecycleHook{{
			TargetType:      ecstypes.DeploymentLifecycleHookTargetTypePause,
			LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"PRE_PRODUCTION_TRAFFIC_SHIFT"},
			TimeoutConfiguration: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{
				TimeoutInMinutes: aws.Int32(minutes), Action: then,
			},
		}}}
	switch strategy {
	case ecstypes.DeploymentStrategyLinear:
		c.LinearConfiguration = &ecstypes.LinearConfiguration{StepPercent: aws.Float64(50),
			StepBakeTimeInMinutes: aws.Int32(1)}
	case ecstypes.DeploymentStrategyCanary:
		c.CanaryConfiguration = &ecstypes.CanaryConfiguration{CanaryPercent: aws.Float64(5),
			CanaryBakeTimeInMinutes: aws.Int32(1)}
	}
	s.updateService(t, &ecs.UpdateServiceInput{DeploymentConfiguration: c})
}

// linear continues a linear deployment at both of its pauses. Every event of the first
// pause is delivered again after the second one.
func linear(t *testing.T, s *scenario) {
	s.shifting(t, ecstypes.DeploymentStrategyLinear, 1440, "")
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	first := s.intercept(t, "prod", func() { s.advance(t, rolloutStep) })
	for _, event := range first {
		s.invoke(t, event)
	}
	s.continueDeployment(t)
	s.advance(t, time.Minute+2*rolloutStep)
	for _, event := range first {
		s.invoke(t, event)
	}
	s.continueDeployment(t)
	s.advance(t, time.Minute+3*rolloutStep)
}

// linearTimedOut continues a linear deployment at its first pause, and lets the second
// one time out, upon which ECS rolls back.
func linearTimedOut(t *testing.T, s *scenario) {
	s.shifting(t, ecstypes.DeploymentStrategyLinear, 5, ecstypes.DeploymentLifecycleHookActionRollback)
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, rolloutStep)
	s.continueDeployment(t)
	s.advance(t, time.Minute+2*rolloutStep)
	s.inOrder(t, func() { s.advance(t, 6*time.Minute) })
}

// inOrder calls act and then delivers the events that it caused, one after the other.
func (s *scenario) inOrder(t *testing.T, act func()) {
	t.Helper()
	for _, event := range s.intercept(t, "prod", act) {
		s.invoke(t, event)
	}
}

// canary lets both pauses of a canary deployment time out, upon which ECS continues.
func canary(t *testing.T, s *scenario) {
	s.shifting(t, ecstypes.DeploymentStrategyCanary, 2, ecstypes.DeploymentLifecycleHookActionContinue)
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 8*time.Minute)
}

// canaryHookFailed ends a canary deployment at its second pause, with ROLLBACK.
func canaryHookFailed(t *testing.T, s *scenario) {
	s.shifting(t, ecstypes.DeploymentStrategyCanary, 1440, "")
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, rolloutStep)
	s.continueDeployment(t)
	s.advance(t, time.Minute+2*rolloutStep)
	s.inOrder(t, func() {
		s.actOnPause(t, ecstypes.DeploymentLifecycleHookActionRollback)
		s.advance(t, 3*rolloutStep)
	})
}
