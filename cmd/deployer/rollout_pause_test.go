package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// pausing makes the backend's deployments pause after their tasks have started.
func (s *scenario) pausing(t *testing.T, minutes int32) {
	t.Helper()
	s.updateService(t, &ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
		Strategy:                 ecstypes.DeploymentStrategyBlueGreen,
		BakeTimeInMinutes:        aws.Int32(0),
		DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		LifecycleHooks: []ecstypes.DeploymentLifecycleHook{{
			TargetType:      ecstypes.DeploymentLifecycleHookTargetTypePause,
			LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"POST_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT"},
			TimeoutConfiguration: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{
				TimeoutInMinutes: aws.Int32(minutes),
			},
		}},
	}})
}

// continueDeployment continues the backend's deployment, which is paused.
func (s *scenario) continueDeployment(t *testing.T) {
	t.Helper()
	s.actOnPause(t, ecstypes.DeploymentLifecycleHookActionContinue)
}

// actOnPause continues the backend's paused deployment, or rolls it back.
func (s *scenario) actOnPause(t *testing.T, action ecstypes.DeploymentLifecycleHookAction) {
	t.Helper()
	paused := false
	list, err := s.prod.ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(prodCluster), Service: aws.String(prodBackend)})
	must(t, err)
	arn := aws.ToString(list.ServiceDeployments[0].ServiceDeploymentArn)
	out, err := s.prod.ECS.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{arn}})
	must(t, err)
	for _, h := range out.ServiceDeployments[0].LifecycleHookDetails {
		if h.Status == ecstypes.DeploymentLifecycleHookStatusAwaitingAction {
			_, err := s.prod.ECS.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
				ServiceDeploymentArn: aws.String(arn), HookId: h.HookId, Action: action})
			must(t, err)
			paused = true
		}
	}
	if !paused {
		t.Error("the deployment is not paused")
	}
}

// paused deploys with two pauses, and continues both. Each event of the first pause is
// delivered again, and late.
func paused(t *testing.T, s *scenario) {
	s.pausing(t, 1440)
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	events := s.intercept(t, "prod", func() { s.advance(t, rolloutStep) })
	for range 2 {
		for _, event := range events {
			s.invoke(t, event)
		}
	}
	s.continueDeployment(t)
	s.advance(t, 2*rolloutStep)
	for _, event := range events {
		s.invoke(t, event)
	}
	s.continueDeployment(t)
	s.advance(t, 2*rolloutStep)
}

// pauseTimedOut deploys with a pause that times out, upon which ECS rolls back.
func pauseTimedOut(t *testing.T, s *scenario) {
	s.pausing(t, 1)
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 2*rolloutStep)
	for _, event := range s.intercept(t, "prod", func() { s.advance(t, 6*rolloutStep) }) {
		s.invoke(t, event)
	}
	s.advance(t, 4*rolloutStep)
}

// foreignPaused pauses an external deployment.
func foreignPaused(t *testing.T, s *scenario) {
	s.pausing(t, 1440)
	s.updateService(t, &ecs.UpdateServiceInput{TaskDefinition: aws.String(prodBackend + ":1")})
	s.advance(t, 2*rolloutStep)
}
