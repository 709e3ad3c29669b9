package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
)

// rolloutScenarios are rollouts of every kind, each with a golden file of its name.
var rolloutScenarios = map[string]func(*testing.T, *scenario){
	"succeeded":               succeeded,
	"rolled-back":             rolledBack,
	"rolled-back-to-own":      rolledBackToOwn,
	"rolled-back-in-steps":    rolledBackInSteps,
	"superseded":              superseded,
	"out-of-order":            outOfOrder,
	"failed-and-superseded":   failedAndSuperseded,
	"late":                    late,
	"without-breaker":         withoutBreaker,
	"blue-green":              blueGreen,
	"linear":                  linear,
	"linear-timed-out":        linearTimedOut,
	"canary":                  canary,
	"canary-hook-failed":      canaryHookFailed,
	"not-pulled":              notPulled,
	"paused":                  paused,
	"pause-timed-out":         pauseTimedOut,
	"foreign-paused":          foreignPaused,
	"foreign":                 foreign,
	"foreign-failed":          foreignFailed,
	"foreign-without-breaker": foreignWithoutBreaker,
	"foreign-redeploy":        foreignRedeploy,
	"service-deleted":         serviceDeleted,
	"stopped":                 stopped,
	"rollback":                rollback,
	"rollback-failed":         rollbackFailed,
	"rejected":                rejected,
}

// TestRollouts follows rollouts of every kind to their end, through the rules, the
// real bootstrap and ECS, and compares what was published and written with a golden file.
func TestRollouts(t *testing.T) {
	t.Parallel()
	scenarios := maps.Clone(rolloutScenarios)
	if os.Getenv("UPDATE_GOLDEN") == "" {
		leaveOut(t, scenarios, "rolled-back-to-own", "rolled-back-in-steps", "out-of-order", "linear",
			"linear-timed-out", "canary", "not-pulled", "pause-timed-out", "foreign-paused",
			"foreign-without-breaker", "foreign-redeploy", "rollback-failed")
	}
	for name, act := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			act(t, s)
			s.golden(t, name)
		})
	}
}

// TestDuplicateRolloutEvents checks that a second delivery of ECS's events changes nothing.
func TestDuplicateRolloutEvents(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	succeeded(t, s)
	before := s.report(t)
	for _, step := range []string{"SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED"} {
		s.invokeWithStep(t, step, s.deploymentID(t))
	}
	if diff := cmp.Diff(before, s.report(t)); diff != "" {
		t.Errorf("the second delivery changed (-before +after):\n%s", diff)
	}
}

func succeeded(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 2*rolloutStep)
}

func rolledBack(t *testing.T, s *scenario) {
	s.aws.FailImage(s.push(t, "broken"))
	s.send(t, deployTo("broken"))
	s.advance(t, 6*rolloutStep)
}

// rolledBackInSteps rolls back to an external revision, and the rollback has completed
// before ECS says that the rollout failed.
func rolledBackInSteps(t *testing.T, s *scenario) {
	s.aws.DelayFailures(3 * rolloutStep)
	rolledBack(t, s)
}

func rolledBackToOwn(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 3*rolloutStep)
	rolledBack(t, s)
}

func superseded(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.push(t, "v3")
	s.send(t, deployTo("v2"))
	s.advance(t, rolloutStep)
	s.send(t, deployTo("v3"))
	s.advance(t, 3*rolloutStep)
}

// outOfOrder delivers the start of the second rollout before that of the first.
func outOfOrder(t *testing.T, s *scenario) {
	events := s.intercept(t, "prod", func() { s.deployTwo(t) })
	for _, event := range slices.Backward(events) {
		s.invoke(t, event)
	}
	s.advance(t, 3*rolloutStep)
}

// failedAndSuperseded delivers the failure of a rollout after a newer one replaced it.
func failedAndSuperseded(t *testing.T, s *scenario) {
	s.aws.FailImage(s.push(t, "broken"))
	s.send(t, deployTo("broken"))
	events := s.intercept(t, "prod", func() {
		s.advance(t, 5*rolloutStep/2)
		s.push(t, "v3")
		s.invoke(t, []byte(deployEventAt(s.clock.Now(), "of-v3", "action.production", deployTo("v3"))))
	})
	for _, failure := range []bool{false, true} {
		for _, event := range events {
			if strings.Contains(string(event), "SERVICE_DEPLOYMENT_FAILED") == failure {
				s.invoke(t, event)
			}
		}
	}
	s.advance(t, 3*rolloutStep)
}

// late sends two events that are older than the revision in use: the first was carried
// out before and is a duplicate, the second is reported as superseded.
func late(t *testing.T, s *scenario) {
	at := s.clock.Now()
	for _, tag := range []string{"v2", "v3"} {
		s.push(t, tag)
	}
	s.send(t, deployTo("v2"))
	first := eventID(t, s.aws.Calls())
	s.advance(t, 3*rolloutStep)
	s.send(t, deployTo("v3"))
	s.advance(t, 3*rolloutStep)
	for _, event := range []string{
		deployEventAt(s.start, first, "action.production", deployTo("v2")),
		deployEventAt(at.Add(rolloutStep), "11111111-1111-4111-8111-111111111111", "action.production", deployTo("v2")),
	} {
		if response := s.invoke(t, []byte(event)); !strings.Contains(response, `"status":"superseded"`) {
			t.Errorf("%s", response)
		}
	}
}

// eventID returns the id of the event that the last revision was registered for.
func eventID(t *testing.T, calls []emulator.Call) string {
	t.Helper()
	for _, c := range calls {
		if c.Operation == "RegisterTaskDefinition" {
			var in struct{ Tags []struct{ Key, Value string } }
			must(t, json.Unmarshal(c.Body, &in))
			for _, tag := range in.Tags {
				if tag.Key == "deployer:event-id" {
					return tag.Value
				}
			}
		}
	}
	t.Fatal("no revision was registered")
	return ""
}

// withBreaker updates the backend's deployment circuit breaker.
func (s *scenario) withBreaker(t *testing.T, breaker ecstypes.DeploymentCircuitBreaker) {
	t.Helper()
	s.updateService(t, &ecs.UpdateServiceInput{
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &breaker},
	})
}

func withoutBreaker(t *testing.T, s *scenario) {
	s.withBreaker(t, ecstypes.DeploymentCircuitBreaker{})
	s.aws.FailImage(s.push(t, "broken"))
	s.send(t, deployTo("broken"))
	s.advance(t, 8*rolloutStep)
}

func blueGreen(t *testing.T, s *scenario) {
	s.updateService(t, &ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
		Strategy:                 ecstypes.DeploymentStrategyBlueGreen,
		BakeTimeInMinutes:        aws.Int32(2),
		DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true},
	}})
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 2*time.Minute+4*rolloutStep)
}

// notPulled deploys an image that cannot be pulled, with the circuit breaker on: ECS is
// silent for almost 12 minutes after it reported that tasks do not start.
func notPulled(t *testing.T, s *scenario) {
	digest := s.push(t, "v2")
	s.send(t, deployTo("v2"))
	_, err := s.dev.ECR.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("myproject_backend"),
		ImageIds:       []ecrtypes.ImageIdentifier{{ImageDigest: aws.String(digest)}},
	})
	must(t, err)
	s.advance(t, 75*rolloutStep)
}

// serviceDeleted deletes the service during a rollout. An event that ECS sent before
// arrives after it.
func serviceDeleted(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, rolloutStep)
	id := s.deploymentID(t)
	_, err := s.prod.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{
		Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), Force: aws.Bool(true),
	})
	must(t, err)
	s.invokeWithStep(t, "SERVICE_DEPLOYMENT_COMPLETED", id)
	s.advance(t, rolloutStep)
}

func stopped(t *testing.T, s *scenario) {
	s.push(t, "v2")
	s.send(t, deployTo("v2"))
	out, err := s.prod.ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(prodCluster), Service: aws.String(prodBackend),
		Status: []ecstypes.ServiceDeploymentStatus{ecstypes.ServiceDeploymentStatusInProgress},
	})
	must(t, err)
	in := &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: out.ServiceDeployments[0].ServiceDeploymentArn}
	_, err = s.prod.ECS.StopServiceDeployment(t.Context(), in)
	must(t, err)
	s.advance(t, 6*rolloutStep)
}

func rollback(t *testing.T, s *scenario) {
	for _, tag := range []string{"v2", "v3"} {
		s.push(t, tag)
		s.send(t, deployTo(tag))
		s.advance(t, 3*rolloutStep)
	}
	s.send(t, `{"service":"backend","action":"rollback","actor":"ada"}`)
	s.advance(t, 3*rolloutStep)
}

// rollbackFailed rolls back twice: to an image whose tasks no longer start, and to the
// same image after it was deleted. The events in the failure queue ask for a rollback,
// not for the image that the tag points to.
func rollbackFailed(t *testing.T, s *scenario) {
	first := s.push(t, "v2")
	s.send(t, deployTo("v2"))
	s.advance(t, 3*rolloutStep)
	s.push(t, "v3")
	s.send(t, deployTo("v3"))
	s.advance(t, 3*rolloutStep)
	s.aws.FailImage(first)
	const rollback = `{"service":"backend","action":"rollback","actor":"ada","reason":"v3: too slow"}`
	s.send(t, rollback)
	s.advance(t, 6*rolloutStep)
	_, err := s.dev.ECR.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("myproject_backend"),
		ImageIds:       []ecrtypes.ImageIdentifier{{ImageDigest: aws.String(first)}},
	})
	must(t, err)
	s.send(t, rollback)
}

func rejected(t *testing.T, s *scenario) {
	s.send(t, deployTo("git-0000000"))
	s.send(t, deployTo("git-"))
}
