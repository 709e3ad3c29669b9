package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func foreign(t *testing.T, s *scenario) {
	s.updateService(t, &ecs.UpdateServiceInput{TaskDefinition: aws.String(prodBackend + ":1")})
	s.advance(t, 3*rolloutStep)
}

func foreignFailed(t *testing.T, s *scenario) {
	s.deployBroken(t)
	s.advance(t, 3*rolloutStep)
}

// foreignWithoutBreaker deploys a broken image externally. ECS repeats its event about
// tasks that do not start, and without a journal nothing could note that the failure
// was reported, so only the start is reported.
func foreignWithoutBreaker(t *testing.T, s *scenario) {
	s.withBreaker(t, ecstypes.DeploymentCircuitBreaker{})
	s.deployBroken(t)
	s.advance(t, 8*rolloutStep)
}

// deployBroken deploys an image whose tasks do not start, without the deployer.
func (s *scenario) deployBroken(t *testing.T) {
	t.Helper()
	broken := s.push(t, "broken")
	s.aws.FailImage(broken)
	s.deployExternally(t, func(c *ecstypes.ContainerDefinition) { c.Image = aws.String(backendImage + "@" + broken) })
}

func foreignRedeploy(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 3*rolloutStep)
	s.updateService(t, &ecs.UpdateServiceInput{ForceNewDeployment: true})
	s.advance(t, 3*rolloutStep)
}
