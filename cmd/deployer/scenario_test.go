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
	"deployer/testbed/lambdahost"
)

// planted is a secret in the webhook's URL and in a container's definition: its environment, command, entry point,
// labels, health check and log options. It must not appear in an event, a message, a metric or a log line.
const planted = "s3cr3t-planted"

const (
	prodCluster = "myproject_cluster_prod"
	prodBackend = "myproject_service_prod"
	rolloutStep = 10 * time.Second
)

// scenario is emulated AWS with the stack of every environment and a clock that the
// test advances. It collects what the function of prod publishes and logs.
type scenario struct {
	cloud         *cloud.Cloud
	aws           *emulator.Emulator // of cloud
	clock         *emulator.Clock
	start         time.Time
	logs          *logBuffer // of prod
	prod, dev     *accounts.Account
	topic         string            // ARN
	setupMessages int               // messages that the set-up published to the topic
	pushed        map[string]string // digest → tag, of the images that the test pushed

	mu        sync.Mutex
	slack     []string // the bodies of the requests to Slack
	slackDown bool     // Slack accepts requests and never responds
}

// newScenario starts the environment. The services of prod run v1, deployed without
// the deployer.
func newScenario(t *testing.T) *scenario {
	t.Helper()
	return newScenarioWith(t, "", time.Minute)
}

// newScenarioWith is newScenario with further lines of section deployer in prod's file, and an environment that was set
// up the given time ago.
func newScenarioWith(t *testing.T, settings string, ago time.Duration) *scenario {
	t.Helper()
	return newScenarioIn(t, notifyingFiles(t, settings), ago)
}

// newScenarioOf is newScenario with a change of the directory with the environment files.
func newScenarioOf(t *testing.T, change func(dir string)) *scenario {
	t.Helper()
	dir := notifyingFiles(t, "")
	change(dir)
	return newScenarioIn(t, dir, time.Minute)
}

// newScenarioIn is newScenarioWith with environment files of a directory.
func newScenarioIn(t *testing.T, dir string, ago time.Duration) *scenario {
	t.Helper()
	return newHostedScenario(t, dir, ago, nil)
}

// newHostedScenario is newScenarioIn with a change of how the functions are hosted. The functions do not get the events
// of the set-up: each would start two processes. [TestSetUp] delivers them. Later only prod's function gets its events:
// the others would start processes for each image that a test pushes, to ignore it.
func newHostedScenario(t *testing.T, dir string, ago time.Duration,
	host func(env string, o *lambdahost.Options)) *scenario {
	t.Helper()
	s := startScenario(t, dir, ago, host)
	s.unhandled(t, func() { s.setUp(t) })
	s.deliver("prod")
	s.aws.ResetCalls()
	s.mu.Lock()
	s.slack = nil
	s.mu.Unlock()
	s.logs.reset()
	s.setupMessages = len(s.aws.Published(s.topic))
	return s
}

// startScenario starts the environment without what is particular to scenarios, see setUp.
func startScenario(t *testing.T, dir string, ago time.Duration,
	host func(env string, o *lambdahost.Options)) *scenario {
	t.Helper()
	s := &scenario{pushed: map[string]string{}, logs: &logBuffer{}, start: time.Now().Truncate(time.Second)}
	s.clock = emulator.NewClock(s.start.Add(-ago))
	slack := httptest.NewServer(http.HandlerFunc(s.serveSlack))
	t.Cleanup(slack.Close)
	s.cloud = newCloud(t, cloud.Options{
		Clock: s.clock.Now, RolloutStep: rolloutStep, Files: dir, Host: host,
		Logs: func(env string) io.Writer {
			if env == "prod" {
				return s.logs
			}
			return io.Discard
		},
	})
	s.aws, s.prod, s.dev = s.cloud.AWS, s.cloud.Accounts["prod"], s.cloud.Accounts["dev"]
	s.aws.PutParameter(accounts.Prod, accounts.Region, "/myproject/slack", slack.URL+"/services/"+planted)
	s.topic = s.aws.CreateTopic(accounts.Prod, accounts.Region, "deployments")
	return s
}

// setUp deploys a secret without the deployer, and waits until all services are steady.
func (s *scenario) setUp(t *testing.T) {
	t.Helper()
	s.plantSecret(t)
	s.advance(t, 6*rolloutStep)
}

// newCloud starts emulated AWS with a stack of deploy/template.yaml and the function's
// real bootstrap for each environment.
func newCloud(t *testing.T, o cloud.Options) *cloud.Cloud {
	t.Helper()
	path, err := bootstrap()
	must(t, err)
	o.Root, o.Bootstrap, o.RetryWaits = "../..", path, []time.Duration{0, 0}
	c, err := cloud.New(t.Context(), o)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// notifyingFiles returns a directory with the example environment files, of which
// prod's has a Slack webhook and an SNS topic, and further settings.
func notifyingFiles(t *testing.T, settings string) string {
	t.Helper()
	const notify = "\ndeployer:\n  notify:\n    slack: /myproject/slack\n" +
		"    topic: arn:aws:sns:us-east-1:333333333333:deployments\n"
	dir := t.TempDir()
	for _, env := range cloud.Environments {
		text, err := os.ReadFile("../../examples/centralized-dev-ecr/" + env.Name + ".yaml")
		must(t, err)
		if env.Name == "prod" {
			text = append(text, notify+settings...)
		}
		must(t, os.WriteFile(filepath.Join(dir, env.Name+".yaml"), text, 0o644))
	}
	return dir
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

// plantSecret puts the secret into the backend's task definition.
func (s *scenario) plantSecret(t *testing.T) {
	t.Helper()
	s.deployExternally(t, func(c *ecstypes.ContainerDefinition) {
		password := ecstypes.KeyValuePair{Name: aws.String("PASSWORD"), Value: aws.String(planted)}
		c.Environment = append(c.Environment, password)
		c.Command, c.EntryPoint = []string{"serve", "--token", planted}, []string{"sh", "-c", "export T=" + planted}
		c.DockerLabels = map[string]string{"token": planted}
		c.HealthCheck = &ecstypes.HealthCheck{Command: []string{"CMD", "curl", "-u", "a:" + planted}}
		c.LogConfiguration = &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverSplunk,
			Options: map[string]string{"splunk-token": planted}}
	})
}

// deployExternally deploys the backend without the deployer: it registers a copy of
// the newest revision with its container changed, and updates the service.
func (s *scenario) deployExternally(t *testing.T, change func(*ecstypes.ContainerDefinition)) {
	t.Helper()
	newest := &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(prodBackend)}
	out, err := s.prod.ECS.DescribeTaskDefinition(t.Context(), newest)
	must(t, err)
	d := out.TaskDefinition
	change(&d.ContainerDefinitions[0])
	registered, err := s.prod.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode,
		Cpu: d.Cpu, Memory: d.Memory, RequiresCompatibilities: d.RequiresCompatibilities,
		TaskRoleArn: d.TaskRoleArn, ExecutionRoleArn: d.ExecutionRoleArn,
	})
	must(t, err)
	s.updateService(t, &ecs.UpdateServiceInput{TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
}

// updateService updates the backend of prod without the deployer.
func (s *scenario) updateService(t *testing.T, in *ecs.UpdateServiceInput) {
	t.Helper()
	in.Cluster, in.Service = aws.String(prodCluster), aws.String(prodBackend)
	_, err := s.prod.ECS.UpdateService(t.Context(), in)
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

// send puts a DEPLOY event on prod's bus, and waits until it is handled.
func (s *scenario) send(t *testing.T, detail string) {
	t.Helper()
	s.sendAt(t, s.clock.Now(), detail)
}

// sendAt is send with the event's time.
func (s *scenario) sendAt(t *testing.T, at time.Time, detail string) {
	t.Helper()
	bus := eventbridge.NewFromConfig(s.prod.Config)
	out, err := bus.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("action.production"), DetailType: aws.String("DEPLOY"),
		Detail: aws.String(detail), Time: aws.Time(at),
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

// invoke sends prod's function an event, and returns its response.
func (s *scenario) invoke(t *testing.T, event []byte) string {
	t.Helper()
	response, err := s.cloud.Functions["prod"].Invoke(t.Context(), event)
	must(t, err)
	if response.FunctionError != "" {
		t.Errorf("%s\nfor %s", response.Payload, event)
	}
	return string(response.Payload)
}
