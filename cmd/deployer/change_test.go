package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// redeployOn is a line of section deployer.
const redeployOn = "  redeploy_on: [parameters, secrets, env_files]\n"

// configured is a scenario in which prod's backend and worker refer to configuration outside their task definitions.
type configured struct {
	*scenario
	secret string // ARN, which the backend refers to
}

// newConfigured starts the environment at a second of a minute.
func newConfigured(t *testing.T, settings string, second time.Duration) *configured {
	t.Helper()
	c := &configured{scenario: newScenarioWith(t, settings, time.Hour)}
	for _, name := range []string{"/myproject/prod/db", "/myproject/prod/db-2"} {
		c.aws.PutParameter(accounts.Prod, accounts.Region, name, "before")
	}
	c.secret = c.aws.PutSecret(accounts.Prod, accounts.Region, "myproject/prod/api", "before")
	c.refer(t, prodBackend, func(d *ecstypes.ContainerDefinition) {
		d.Secrets = []ecstypes.Secret{
			{Name: aws.String("DB"), ValueFrom: aws.String("/myproject/prod/db")},
			{Name: aws.String("API"), ValueFrom: aws.String(c.secret + ":key::")},
		}
		d.EnvironmentFiles = []ecstypes.EnvironmentFile{{Type: ecstypes.EnvironmentFileTypeS3,
			Value: aws.String("arn:aws:s3:::myproject-config/prod/backend.env")}}
	})
	c.refer(t, "myproject_service_worker_prod", func(d *ecstypes.ContainerDefinition) {
		d.Secrets = []ecstypes.Secret{{Name: aws.String("DB"),
			ValueFrom: aws.String("arn:aws:ssm:us-east-1:333333333333:parameter/myproject/prod/db-2")}}
	})
	c.advance(t, 8*rolloutStep)
	// The function's clock is the machine's: what happens is late enough for the function to wait.
	minute := c.start.Truncate(time.Minute)
	if !minute.Add(second).After(c.start.Add(-20 * time.Second)) {
		minute = minute.Add(time.Minute)
	}
	c.clock.Advance(minute.Add(second).Sub(c.clock.Now()))
	c.aws.Tick()
	must(t, c.cloud.Settle(t.Context()))
	c.aws.ResetCalls()
	return c
}

// refer gives a service of prod a revision with a changed container, without the deployer.
func (c *configured) refer(t *testing.T, service string, change func(*ecstypes.ContainerDefinition)) {
	t.Helper()
	out, err := c.prod.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(service)})
	must(t, err)
	d := out.TaskDefinition
	change(&d.ContainerDefinitions[0])
	registered, err := c.prod.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode,
		Cpu: d.Cpu, Memory: d.Memory, RequiresCompatibilities: d.RequiresCompatibilities,
		TaskRoleArn: d.TaskRoleArn, ExecutionRoleArn: d.ExecutionRoleArn,
	})
	must(t, err)
	_, err = c.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster),
		Service: aws.String(service), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
	must(t, err)
}

// pass lets the time pass in steps of a second.
func (c *configured) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for range d / time.Second {
		c.clock.Advance(time.Second)
		c.aws.Tick()
		must(t, c.cloud.Settle(t.Context()))
	}
}

func (c *configured) parameter(name string) {
	c.aws.PutParameter(accounts.Prod, accounts.Region, name, c.clock.Now().String())
}

// TestRedeployOnChange changes parameters, secrets and environment files, and lets some minutes pass.
func TestRedeployOnChange(t *testing.T) {
	t.Parallel()
	file := func(c *configured, bucket, key string) { c.aws.PutFile(accounts.Prod, accounts.Region, bucket, key) }
	const once = "backend v1: Started Succeeded"
	tests := map[string]struct {
		settings string
		second   time.Duration // of the minute in which it begins
		act      func(*testing.T, *configured)
		ends     []string
		writes   string
	}{
		"a parameter": {redeployOn, 10 * time.Second, func(_ *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
		}, []string{once}, "1 registered, 1 moved"},
		"a parameter by its ARN": {redeployOn, 10 * time.Second, func(_ *testing.T, c *configured) {
			c.parameter("/myproject/prod/db-2")
		}, []string{"worker v1: Started Succeeded"}, "1 registered, 1 moved"},
		"a secret": {redeployOn, 10 * time.Second, func(_ *testing.T, c *configured) {
			c.aws.PutSecret(accounts.Prod, accounts.Region, "myproject/prod/api", "after")
		}, []string{once}, "1 registered, 1 moved"},
		"an environment file": {redeployOn, 10 * time.Second, func(_ *testing.T, c *configured) {
			file(c, "myproject-config", "prod/backend.env")
		}, []string{once}, "1 registered, 1 moved"},
		"what no service refers to": {redeployOn, 10 * time.Second, func(_ *testing.T, c *configured) {
			for range 2 {
				c.parameter("/myproject/prod/d")
				c.parameter("/myproject/prod/db-22")
				c.aws.PutSecret(accounts.Prod, accounts.Region, "myproject/prod/api-2", "after")
			}
			file(c, "myproject-config", "staging/backend.env")
			file(c, "other-config", "prod/backend.env")
			c.aws.PutParameter(accounts.Dev, accounts.Region, "/myproject/prod/db", "before")
			c.aws.PutParameter(accounts.Dev, accounts.Region, "/myproject/prod/db", "after")
		}, nil, "0 registered, 0 moved"},
		"off": {"", 10 * time.Second, func(_ *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			file(c, "myproject-config", "prod/backend.env")
		}, nil, "0 registered, 0 moved"},
		"only secrets": {"  redeploy_on: [secrets]\n", 10 * time.Second, func(_ *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			file(c, "myproject-config", "prod/backend.env")
		}, nil, "0 registered, 0 moved"},
		"a burst": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			for range 4 {
				c.parameter("/myproject/prod/db")
				c.aws.PutSecret(accounts.Prod, accounts.Region, "myproject/prod/api", c.clock.Now().String())
				file(c, "myproject-config", "prod/backend.env")
				c.pass(t, 11*time.Second)
			}
		}, []string{once}, "1 registered, 1 moved"},
		"a burst across a minute": {redeployOn, 35 * time.Second, func(t *testing.T, c *configured) {
			for range 5 {
				c.parameter("/myproject/prod/db")
				c.pass(t, 11*time.Second)
			}
		}, []string{once}, "1 registered, 1 moved"},
		"just within a minute": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 58*time.Second)
			file(c, "myproject-config", "prod/backend.env")
		}, []string{once}, "1 registered, 1 moved"},
		"a minute that ends with the next minute": {redeployOn, 59 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 59*time.Second)
			file(c, "myproject-config", "prod/backend.env")
		}, []string{once}, "1 registered, 1 moved"},
		"over the end of the next minute": {redeployOn, 58 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 65*time.Second)
			file(c, "myproject-config", "prod/backend.env")
		}, []string{once + " Started Succeeded"}, "2 registered, 2 moved"},
		"after the rollout began": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 125*time.Second)
			c.parameter("/myproject/prod/db")
		}, []string{once + " Started Succeeded"}, "2 registered, 2 moved"},
		"a DEPLOY comes first": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 5*time.Second)
			c.push(t, "v2")
			c.send(t, deployTo("v2"))
		}, []string{"backend v2: Started Succeeded"}, "1 registered, 1 moved"},
		"a DEPLOY comes between two changes": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			c.parameter("/myproject/prod/db")
			c.pass(t, 5*time.Second)
			c.push(t, "v2")
			c.send(t, deployTo("v2"))
			c.pass(t, 5*time.Second)
			file(c, "myproject-config", "prod/backend.env")
		}, []string{"backend v2: Started Succeeded Started Succeeded"}, "2 registered, 2 moved"},
		"the image is gone": {redeployOn, 10 * time.Second, func(t *testing.T, c *configured) {
			c.push(t, "v2")
			c.send(t, deployTo("v2"))
			c.advance(t, 8*rolloutStep)
			c.remove(t, "v2")
			c.parameter("/myproject/prod/db")
		}, []string{"backend v2: Started Succeeded Rejected"}, "1 registered, 1 moved"},
	}
	leaveOut(t, tests, "a parameter", "off", "a burst")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConfigured(t, tt.settings, tt.second)
			tt.act(t, c)
			c.advance(t, 5*time.Minute)
			ends, _ := c.ends(t)
			if diff := cmp.Diff(tt.ends, ends); diff != "" {
				t.Errorf("published (-want +got):\n%s\n%s", diff, c.logs)
			}
			if got := c.writes(); got != tt.writes {
				t.Errorf("%s, want %s\n%s", got, tt.writes, c.logs)
			}
			if left := c.aws.Scheduled(); len(left) > 0 {
				t.Errorf("schedules are left: %v", left)
			}
			for _, e := range c.outcomes(t) {
				if reason := fmt.Sprint(e.outcome["reason"]); strings.Contains(reason, "after") ||
					strings.Contains(reason, "before") {
					t.Errorf("a value is in the reason %q", reason)
				}
			}
		})
	}
}

// TestChangesAtOnce handles the changes of one minute at the same time in several processes, as it may be if
// EventBridge Scheduler is late, or if events come so late that none waits: there is one rollout.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("waited", func(t *testing.T) { changeAtOnce(t, true) })
	t.Run("late", func(t *testing.T) { changeAtOnce(t, false) })
}

// changeAtOnce handles events about changes that have waited, or are two minutes late.
func changeAtOnce(t *testing.T, waited bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, _ := newFakeTime(t, 1)
		dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: e}
		})
		out, err := dev.ECS.DescribeTaskDefinition(t.Context(),
			&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("p_service_s0_dev")})
		must(t, err)
		d := out.TaskDefinition
		d.ContainerDefinitions[0].Secrets = []ecstypes.Secret{{Name: aws.String("A"), ValueFrom: aws.String("/a")}}
		registered, err := dev.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode,
			Cpu: d.Cpu, Memory: d.Memory, RequiresCompatibilities: d.RequiresCompatibilities,
			ExecutionRoleArn: d.ExecutionRoleArn})
		must(t, err)
		_, err = dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("p_cluster_dev"),
			Service: d.Family, TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
		must(t, err)
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(5 * time.Minute)))
		begin := time.Now()
		time.Sleep(2 * time.Minute)
		e.ResetCalls()
		e.Inject(emulator.Fault{Operation: "*", Latency: 80 * time.Millisecond})
		env, err := environment.Parse("dev.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\naccount_id: \""+
			accounts.Dev+"\"\necr_strategy: local\nservices: [{name: s0}]\ndeployer: {redeploy_on: [parameters]}\n"))
		must(t, err)
		var all sync.WaitGroup
		for i := range 6 {
			p := pipeline.NewFunction(env, dev.Config, io.Discard).RetryIn("g", "r")
			at := begin.Add(time.Duration(i*11) * time.Second)
			event := fmt.Sprintf(`{"id":"e%d","detail-type":"Parameter Store Change","source":"aws.ssm","account":%q,
				"time":%q,"region":"us-east-1","resources":["arn:aws:ssm:us-east-1:%s:parameter/a"],
				"detail":{"operation":"Update","name":"/a"}}`, i, accounts.Dev, at.UTC().Format(time.RFC3339), accounts.Dev)
			message := fmt.Sprintf(`{"kind":"deployer.waiting-event","schema":1,"function":%q,"due":%q,
				"services":["s0"],"event":%s}`, env.FunctionARN(), at.Add(time.Minute).UTC().Format(time.RFC3339), event)
			if !waited {
				message = event
			}
			all.Go(func() {
				ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
					AwsRequestID: fmt.Sprint("r", i), InvokedFunctionArn: env.FunctionARN()})
				time.Sleep(time.Duration(i) * 30 * time.Millisecond)
				_, err := p.Handle(ctx, []byte(message))
				must(t, err)
			})
		}
		all.Wait()
		if moves, _ := emulatortest.Count(e.Calls(), "UpdateService"); moves != 1 {
			t.Errorf("%d moves, want 1", moves)
		}
	})
}
