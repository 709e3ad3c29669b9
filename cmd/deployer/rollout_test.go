package main

import (
	"encoding/json"
	"fmt"
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

func keyValue(name, value string) ecstypes.KeyValuePair {
	return ecstypes.KeyValuePair{Name: aws.String(name), Value: aws.String(value)}
}

// backendOf changes a container to an image of the backend.
func backendOf(digest string) func(*ecstypes.ContainerDefinition) {
	return func(c *ecstypes.ContainerDefinition) {
		c.Image = aws.String("111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend@" + digest)
	}
}

// deployTo is the DEPLOY of a tag to prod's backend.
func deployTo(tag string) string {
	return `{"service":"backend","tag":"` + tag + `","actor":"ada","reason":"fix \"it\" <!channel>\nsoon"}`
}

// configure changes how the backend is deployed.
func (s *scenario) configure(t *testing.T, c *ecstypes.DeploymentConfiguration) {
	t.Helper()
	_, err := s.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), DeploymentConfiguration: c})
	must(t, err)
}

// rollout returns the id of the backend's newest rollout.
func (s *scenario) rollout(t *testing.T) string {
	t.Helper()
	out, err := s.prod.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(prodCluster), Services: []string{prodBackend}})
	must(t, err)
	return *out.Services[0].Deployments[0].Id
}

// deliver brings the function an event of ECS about the backend's rollout.
func (s *scenario) deliver(t *testing.T, step, id string) {
	t.Helper()
	response, err := s.cloud.Functions["prod"].Invoke(t.Context(), fmt.Appendf(nil,
		`{"id":"e2","detail-type":"ECS Deployment State Change","source":"aws.ecs","account":"333333333333","time":%q,"region":"us-east-1","resources":["arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod"],"detail":{"eventName":%q,"deploymentId":%q,"reason":"of this test"}}`,
		s.clock.Now().Format(time.RFC3339), step, id))
	must(t, err)
	if response.FunctionError != "" {
		t.Errorf("%s: %s", step, response.Payload)
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
	t.Fatal("nothing was registered")
	return ""
}

// rolloutScenarios are rollouts of every kind, each with its golden file.
var rolloutScenarios = map[string]func(*testing.T, *scenario){
	"succeeded": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		s.advance(t, 2*rolloutStep)
	},
	"rolled-back": func(t *testing.T, s *scenario) {
		s.aws.FailImage(s.push(t, "broken"))
		s.send(t, deployTo("broken"))
		s.advance(t, 6*rolloutStep)
	},
	"superseded": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.push(t, "v3")
		s.send(t, deployTo("v2"))
		s.advance(t, rolloutStep)
		s.send(t, deployTo("v3"))
		s.advance(t, 3*rolloutStep)
	},
	// The second rollout's beginning is told of before the first one's.
	"out-of-order": func(t *testing.T, s *scenario) {
		events := s.intercept(t, "prod", func() { s.deployTwo(t) })
		for _, event := range slices.Backward(events) {
			s.invoke(t, event)
		}
		s.advance(t, 3*rolloutStep)
	},
	// It failed, and before that is told of a newer one has taken its place.
	"failed-and-superseded": func(t *testing.T, s *scenario) {
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
	},
	// An event that comes late is told of, unless it was carried out before.
	"late": func(t *testing.T, s *scenario) {
		late := s.clock.Now()
		for _, tag := range []string{"v2", "v3"} {
			s.push(t, tag)
		}
		s.send(t, deployTo("v2"))
		first := s.aws.Calls()
		s.advance(t, 3*rolloutStep)
		s.send(t, deployTo("v3"))
		s.advance(t, 3*rolloutStep)
		for id, at := range map[string]time.Time{eventID(t, first): s.start, "11111111-1111-4111-8111-111111111111": late.Add(rolloutStep)} {
			response, err := s.cloud.Functions["prod"].Invoke(t.Context(), []byte(deployEventAt(at, id, "action.production", deployTo("v2"))))
			must(t, err)
			if !strings.Contains(string(response.Payload), `"status":"superseded"`) {
				t.Errorf("%s", response.Payload)
			}
		}
	},
	"without-breaker": func(t *testing.T, s *scenario) {
		s.configure(t, &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{}})
		s.aws.FailImage(s.push(t, "broken"))
		s.send(t, deployTo("broken"))
		s.advance(t, 8*rolloutStep)
	},
	"blue-green": func(t *testing.T, s *scenario) {
		s.configure(t, &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(2),
			DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}})
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		s.advance(t, 2*time.Minute+4*rolloutStep)
	},
	"foreign": func(t *testing.T, s *scenario) {
		out, err := s.prod.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(prodBackend + ":1")})
		must(t, err)
		_, err = s.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), TaskDefinition: out.TaskDefinition.TaskDefinitionArn})
		must(t, err)
		s.advance(t, 3*rolloutStep)
	},
	"foreign-failed": func(t *testing.T, s *scenario) {
		broken := s.push(t, "broken")
		s.aws.FailImage(broken)
		s.deployExternally(t, backendOf(broken))
		s.advance(t, 3*rolloutStep)
	},
	// Without a journal nobody would know that it was told: it would be with each event.
	"foreign-without-breaker": func(t *testing.T, s *scenario) {
		s.configure(t, &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{}})
		broken := s.push(t, "broken")
		s.aws.FailImage(broken)
		s.deployExternally(t, backendOf(broken))
		s.advance(t, 8*rolloutStep)
	},
	"service-deleted": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		s.advance(t, rolloutStep)
		id := s.rollout(t)
		_, err := s.prod.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), Force: aws.Bool(true)})
		must(t, err)
		s.deliver(t, "SERVICE_DEPLOYMENT_COMPLETED", id) // what ECS had sent by then
		s.advance(t, rolloutStep)
	},
	"foreign-redeploy": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		s.advance(t, 3*rolloutStep)
		_, err := s.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), ForceNewDeployment: true})
		must(t, err)
		s.advance(t, 3*rolloutStep)
	},
	"rolled-back-to-own": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		s.advance(t, 3*rolloutStep)
		s.aws.FailImage(s.push(t, "broken"))
		s.send(t, deployTo("broken"))
		s.advance(t, 6*rolloutStep)
	},
	"stopped": func(t *testing.T, s *scenario) {
		s.push(t, "v2")
		s.send(t, deployTo("v2"))
		out, err := s.prod.ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend),
			Status: []ecstypes.ServiceDeploymentStatus{ecstypes.ServiceDeploymentStatusInProgress}})
		must(t, err)
		_, err = s.prod.ECS.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: out.ServiceDeployments[0].ServiceDeploymentArn})
		must(t, err)
		s.advance(t, 6*rolloutStep)
	},
	"rollback": func(t *testing.T, s *scenario) {
		for _, tag := range []string{"v2", "v3"} {
			s.push(t, tag)
			s.send(t, deployTo(tag))
			s.advance(t, 3*rolloutStep)
		}
		s.send(t, `{"service":"backend","action":"rollback","actor":"ada"}`)
		s.advance(t, 3*rolloutStep)
	},
	// The image that is gone back to does not run any more, and is gone then. What
	// is kept asks for a rollback once more, not for what the tag is on by now.
	"rollback-failed": func(t *testing.T, s *scenario) {
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
		_, err := s.dev.ECR.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("myproject_backend"), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: aws.String(first)}}})
		must(t, err)
		s.send(t, rollback)
	},
	"rejected": func(t *testing.T, s *scenario) {
		s.send(t, deployTo("git-0000000"))
		s.send(t, deployTo("git-"))
	},
}

// TestRollouts follows rollouts of every kind to their end, through the rules, the
// real bootstrap and ECS, and compares what was published and written with a golden file.
func TestRollouts(t *testing.T) {
	t.Parallel()
	for name, act := range rolloutScenarios {
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
	rolloutScenarios["succeeded"](t, s)
	before := s.report(t)
	for _, step := range []string{"SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED"} {
		s.deliver(t, step, s.rollout(t))
	}
	if diff := cmp.Diff(before, s.report(t)); diff != "" {
		t.Errorf("the second delivery changed (-before +after):\n%s", diff)
	}
}
