package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/cloud"
)

// TestSetUp delivers the events about services that were created before the deployer, and about a revision that was
// deployed without it: the function of each environment reports those of its services.
func TestSetUp(t *testing.T) {
	t.Parallel()
	s := startScenario(t, notifyingFiles(t, ""), time.Minute, nil)
	s.setUp(t)
	want := []string{"Deployment Started: deployment of v1 (revision 2, external deployment) to backend of myproject " +
		"in prod started"}
	for _, env := range cloud.Environments {
		for _, service := range []string{"backend", "web-api", "worker"} {
			revision := 1
			if env.Name+service == "prodbackend" {
				revision = 2
			}
			want = append(want, fmt.Sprintf("Deployment Succeeded: %s of myproject in %s runs v1 (revision %d, "+
				"external deployment)", service, env.Name, revision))
		}
		queue := "arn:aws:sqs:us-east-1:" + env.Account + ":myproject_deployer_failed_" + env.Name
		if messages := s.aws.Queue(queue); len(messages) > 0 {
			t.Errorf("the failure queue of %s has %+v", env.Name, messages)
		}
	}
	var got, prod []string
	for _, e := range s.outcomes(t) {
		got = append(got, fmt.Sprintf("%s: %s", e.DetailType, e.outcome["message"]))
		if e.outcome["environment"] == "prod" {
			prod = append(prod, e.DetailType)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.aws.Published(s.topic)); n != len(prod) || len(s.slack) != len(prod) {
		t.Errorf("%d messages to the topic and %d to Slack, want %d", n, len(s.slack), len(prod))
	}
	if logs := s.logs.String(); !strings.Contains(logs, `"level":"INFO"`) || strings.Contains(logs, `"level":"WARN"`) ||
		strings.Contains(logs, `"level":"ERROR"`) || strings.Contains(logs, planted) {
		t.Errorf("log:\n%s", logs)
	}
}

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
