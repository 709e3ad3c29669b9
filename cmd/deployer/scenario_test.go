package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// planted is a secret in the webhook's URL and in the environment and command of
// a container. It must not appear in an event, a message, a metric or a log line.
const planted = "s3cr3t-planted"

const (
	prodCluster = "myproject_cluster_prod"
	prodBackend = "myproject_service_prod"
	rolloutStep = 10 * time.Second
)

// scenario is the complete emulated environment with a clock that the test
// advances. It collects what the function of prod publishes and logs.
type scenario struct {
	cloud         *cloud.Cloud
	aws           *emulator.Emulator // of cloud
	clock         *emulator.Clock
	start         time.Time
	logs          *logBuffer
	prod          *accounts.Account
	dev           *accounts.Account
	topic         string // ARN
	setupMessages int    // messages that the set-up published to the topic

	mu        sync.Mutex
	slack     []string // the bodies of the requests to Slack
	slackDown bool     // Slack accepts requests and never responds

	pushed map[string]string // digest → tag, of the images that the test pushed
}

// newScenario starts the environment. The services of prod run v1, deployed
// without the deployer.
func newScenario(t *testing.T) *scenario {
	t.Helper()
	s := &scenario{pushed: map[string]string{}, logs: &logBuffer{}, start: time.Now().Truncate(time.Second)}
	s.clock = emulator.NewClock(s.start.Add(-time.Minute))
	slack := httptest.NewServer(http.HandlerFunc(s.serveSlack))
	t.Cleanup(slack.Close)
	s.cloud = newCloud(t, func(o *cloud.Options) {
		o.Clock, o.RolloutStep, o.Files = s.clock.Now, rolloutStep, notifyingFiles(t)
		o.Logs = func(env string) io.Writer {
			if env == "prod" {
				return s.logs
			}
			return io.Discard
		}
	})
	s.aws = s.cloud.AWS
	s.prod, s.dev = s.cloud.Accounts["prod"], s.cloud.Accounts["dev"]
	s.aws.PutParameter(accounts.Prod, accounts.Region, "/myproject/slack", slack.URL+"/services/"+planted)
	s.topic = s.aws.CreateTopic(accounts.Prod, accounts.Region, "deployments")
	s.plantSecret(t)
	s.advance(t, 6*rolloutStep)
	s.aws.ResetCalls()
	s.mu.Lock()
	s.slack = nil
	s.mu.Unlock()
	s.logs.reset()
	s.setupMessages = len(s.aws.Published(s.topic))
	return s
}

// serveSlack records a request to the webhook.
func (s *scenario) serveSlack(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	down := s.slackDown
	s.slack = append(s.slack, string(body))
	s.mu.Unlock()
	if down {
		<-r.Context().Done()
	}
}

// notifyingFiles returns a directory with the example environment files, of which
// prod's has a Slack webhook and an SNS topic.
func notifyingFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, env := range cloud.Environments {
		text, err := os.ReadFile("../../examples/centralized-dev-ecr/" + env.Name + ".yaml")
		must(t, err)
		if env.Name == "prod" {
			text = append(text, "\ndeployer:\n  notify: {slack: /myproject/slack, topic: 'arn:aws:sns:us-east-1:333333333333:deployments'}\n"...)
		}
		must(t, os.WriteFile(filepath.Join(dir, env.Name+".yaml"), text, 0o644))
	}
	return dir
}

// plantSecret puts the secret into the backend's task definition.
func (s *scenario) plantSecret(t *testing.T) {
	t.Helper()
	s.deployExternally(t, func(c *ecstypes.ContainerDefinition) {
		c.Environment = append(c.Environment, keyValue("PASSWORD", planted))
		c.Command = []string{"serve", "--token", planted}
	})
}

// deployExternally deploys the backend without the deployer: it registers a copy of
// the newest revision with its container changed, and updates the service.
func (s *scenario) deployExternally(t *testing.T, change func(*ecstypes.ContainerDefinition)) {
	t.Helper()
	out, err := s.prod.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(prodBackend)})
	must(t, err)
	one := out.TaskDefinition.ContainerDefinitions[0]
	change(&one)
	registered, err := s.prod.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: out.TaskDefinition.Family, ContainerDefinitions: append(out.TaskDefinition.ContainerDefinitions[:0], one),
		NetworkMode: out.TaskDefinition.NetworkMode, Cpu: out.TaskDefinition.Cpu, Memory: out.TaskDefinition.Memory, RequiresCompatibilities: out.TaskDefinition.RequiresCompatibilities,
		TaskRoleArn: out.TaskDefinition.TaskRoleArn, ExecutionRoleArn: out.TaskDefinition.ExecutionRoleArn,
	})
	must(t, err)
	_, err = s.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
	must(t, err)
}

// advance advances the clock in small steps, and waits after each until every event
// is delivered and every invocation has ended.
func (s *scenario) advance(t *testing.T, by time.Duration) {
	t.Helper()
	must(t, s.cloud.Settle(t.Context()))
	for ; by > 0; by -= rolloutStep / 2 {
		s.clock.Advance(min(by, rolloutStep/2))
		s.aws.Tick()
		must(t, s.cloud.Settle(t.Context()))
	}
}

// send puts a DEPLOY for prod on its bus.
func (s *scenario) send(t *testing.T, detail string) {
	t.Helper()
	out, err := eventbridge.NewFromConfig(s.prod.Config).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("action.production"), DetailType: aws.String("DEPLOY"), Detail: aws.String(detail), Time: aws.Time(s.clock.Now()),
	}}})
	must(t, err)
	if out.FailedEntryCount != 0 {
		t.Fatalf("put-events: %+v", out.Entries)
	}
	must(t, s.cloud.Settle(t.Context()))
}

// push pushes an image to the backend's repository and returns its digest, which
// differs for every tag.
func (s *scenario) push(t *testing.T, tag string) (digest string) {
	t.Helper()
	digest, err := s.dev.Push(t.Context(), "myproject_backend", "content of "+tag, tag)
	must(t, err)
	s.pushed[digest] = tag
	return digest
}
