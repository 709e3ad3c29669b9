// Package cloud sets up the whole environment of the deployer on emulated AWS: three accounts with the services of the
// files in examples/, the stack of deploy/template.yaml in each, and behind every stack the function's real bootstrap.
// The demo runs on it, and so do the tests that follow an event from its arrival to the message about its outcome.
package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/lambdahost"
)

// Options are the options of [New]. Root and Bootstrap are required.
type Options struct {
	Root        string                     // the project's directory
	Bootstrap   string                     // the path of the function's bootstrap, see [BuildBootstrap]
	Files       string                     // the directory of dev.yaml, staging.yaml and prod.yaml; "" for the examples
	RolloutStep time.Duration              // as in [emulator.Options]
	Clock       func() time.Time           // AWS's clock; nil is the real one, on which rollouts advance
	BakeMinute  time.Duration              // as in [emulator.Options]
	RetryWaits  []time.Duration            // before failed invocations are retried; AWS waits one and two minutes
	Parameters  map[string][]string        // further stack parameters by environment, as NAME=VALUE
	Env         map[string]string          // further environment variables of the functions
	Logs        func(env string) io.Writer // returns where a function's log goes; nil discards the logs
	OwnFiles    bool                       // set up what the strategies of Files say, see [Cloud.setUp]
	Tasks       bool                       // with OwnFiles: the project's task too
	Readers     map[string][]string        // with OwnFiles: accounts that may pull, by the registry's environment
	Listener    net.Listener               // where AWS is served; nil for any free port of the loopback interface

	Host func(env string, o *lambdahost.Options) // changes how a function is hosted; nil changes nothing
}

// A Cloud is the running environment. Close it after use.
type Cloud struct {
	AWS       *emulator.Emulator
	URL       string                       // the endpoint of emulated AWS
	Accounts  map[string]*accounts.Account // by environment
	Functions map[string]*lambdahost.Host  // by environment
	Stacks    []*cloudformation.Template   // of repositories and deployers, in the order of their creation
	options   Options
	stop      func() error      // stops serving AWS
	end       func()            // ends calls without a connection
	traces    map[string]func() // sends a trace of a function, by its ARN; of those that are traced
	closed    chan struct{}
	ticking   sync.WaitGroup
}

// New starts the emulator and sets up the accounts, the stacks and the functions.
func New(ctx context.Context, o Options) (*Cloud, error) {
	if o.Files == "" {
		o.Files = filepath.Join(o.Root, "examples", "centralized-dev-ecr")
	}
	c := &Cloud{
		AWS:       emulator.New(emulator.Options{RolloutStep: o.RolloutStep, BakeMinute: o.BakeMinute, Clock: o.Clock}),
		Functions: map[string]*lambdahost.Host{}, options: o, closed: make(chan struct{}),
		traces: map[string]func(){},
	}
	if err := c.start(ctx); err != nil {
		c.Close()
		return nil, err
	}
	if o.Clock == nil {
		c.ticking.Go(c.tick)
	}
	return c, nil
}

// tickInterval is how often rollouts advance on the real clock.
const tickInterval = 50 * time.Millisecond

// tick advances rollouts, so that their events are sent even if no one describes the services.
func (c *Cloud) tick() {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.closed:
			return
		case <-ticker.C:
			c.AWS.Tick()
		}
	}
}

func (c *Cloud) start(ctx context.Context) error {
	var err error
	if c.options.Listener != nil {
		c.URL, c.stop = emulator.ServeOn(c.options.Listener, c.AWS)
	} else if c.URL, c.stop, err = emulator.Serve(c.AWS); err != nil {
		return err
	}
	c.end = accounts.Serve(c.URL, c.AWS)
	if c.options.OwnFiles {
		return c.setUp(ctx)
	}
	if c.Accounts, err = CentralizedDev(ctx, c.URL); err != nil {
		return err
	}
	if err := CreateTasks(ctx, c.Accounts); err != nil {
		return err
	}
	if err := addRolesAndConfigs(ctx, c.AWS, c.Accounts); err != nil {
		return err
	}
	registry, err := Registry(c.options.Root)
	if err != nil {
		return err
	}
	if err := c.AWS.LoadTemplate(accounts.Dev, accounts.Region, registry); err != nil {
		return fmt.Errorf("creating the stack of dev's repositories: %w", err)
	}
	for _, env := range Environments {
		file, err := filepath.Abs(filepath.Join(c.options.Files, env.Name+".yaml"))
		if err != nil {
			return err
		}
		more := c.options.Parameters[env.Name]
		if env.Name == "dev" { // only staging deploys pushes besides dev
			more = append(more, "ForwardPushesTo=arn:aws:events:us-east-1:"+accounts.Staging+":event-bus/default")
		}
		if err := c.install(ctx, file, more...); err != nil {
			return fmt.Errorf("creating the stack of environment %q: %w", env.Name, err)
		}
	}
	return nil
}

// install does for one environment what `make deploy` does in AWS: it creates the stack and starts the function.
func (c *Cloud) install(ctx context.Context, file string, more ...string) error {
	env, err := environment.Load(file)
	if err != nil {
		return err
	}
	t, err := Template(c.options.Root, env, more...)
	if err != nil {
		return err
	}
	if err := c.AWS.LoadTemplate(env.AccountID, env.Region, t); err != nil {
		return err
	}
	c.Stacks = append(c.Stacks, t)
	return c.startFunction(ctx, env, file, t)
}

// startFunction starts the bootstrap with the role of the stack's function, and delivers the function's events to it.
func (c *Cloud) startFunction(
	ctx context.Context, env *environment.Environment, file string, t *cloudformation.Template,
) error {
	function, ok := t.Function("DeployerFunction")
	if !ok {
		return errors.New("the template has no DeployerFunction")
	}
	code, err := codeWith(file)
	if err != nil {
		return err
	}
	c.AWS.SetFunctionCode(function.ARN, code)
	role := filepath.Base(function.RoleARN)
	c.AWS.SetRolePolicy(env.AccountID, role, t.FunctionPolicies("DeployerFunction")...)
	variables := maps.Clone(function.Environment)
	variables["AWS_ENDPOINT_URL"], variables["DEPLOYER_ENVIRONMENT_FILE"] = c.URL, file
	maps.Copy(variables, c.options.Env)
	// Two processes at most: events are handled at the same time, and a scenario starts no more than it needs.
	options := lambdahost.Options{
		Bootstrap: c.options.Bootstrap, FunctionARN: function.ARN, Timeout: 4 * time.Minute, Concurrency: 2,
		AccessKeyID: env.AccountID + "-" + role, SecretAccessKey: "emulated",
		Env: variables, RetryWaits: c.options.RetryWaits,
		OnFailure: c.onFailure(env, role, variables["DEPLOYER_FAILED_QUEUE"]),
	}
	group := "/aws/lambda/" + env.FunctionName()
	c.AWS.CreateLogGroup(env.AccountID, env.Region, group)
	options.Logs = logWriter(func(line string) { c.AWS.LogAs(env.AccountID, env.Region, role, group, line) })
	if c.options.Logs != nil {
		options.Logs = io.MultiWriter(options.Logs, c.options.Logs(env.Name))
	}
	if c.options.Host != nil {
		c.options.Host(env.Name, &options)
	}
	host, err := lambdahost.Start(ctx, options)
	if err != nil {
		return err
	}
	c.Functions[env.Name] = host
	if function.Traced {
		c.traces[function.ARN] = func() { c.AWS.TraceAs(env.AccountID, env.Region, role) }
	}
	c.handle(function.ARN, host)
	return nil
}

// handle delivers the events of a function to its host, and sends a trace of each.
func (c *Cloud) handle(arn string, host *lambdahost.Host) {
	trace := c.traces[arn]
	c.AWS.HandleLambda(arn, func(_ context.Context, event []byte) error {
		if trace != nil {
			trace()
		}
		_, err := host.InvokeAsync(event)
		return err
	})
}

// WithoutFunction calls f while the function of an environment accepts no event, and waits for the events that f sends.
func (c *Cloud) WithoutFunction(ctx context.Context, env string, f func() error) error {
	for _, e := range Environments {
		if e.Name != env {
			continue
		}
		arn := "arn:aws:lambda:" + accounts.Region + ":" + e.Account + ":function:" + Project + "_deployer_" + env
		c.AWS.HandleLambda(arn, func(context.Context, []byte) error { return errors.New("it is away") })
		defer c.handle(arn, c.Functions[env])
	}
	if err := f(); err != nil {
		return err
	}
	return c.AWS.Drain(ctx)
}

// logWriter writes the lines of a function to its log group, as Lambda does.
type logWriter func(line string)

func (w logWriter) Write(line []byte) (int, error) {
	w(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

// onFailure returns what Lambda does with a record of an event that failed for good: it sends the record to the
// function's on-failure destination, with the function's role (Lambda developer guide, "Capturing records of Lambda
// asynchronous invocations"). A record that the queue refuses is lost, as in AWS.
func (c *Cloud) onFailure(env *environment.Environment, role, queue string) func(lambdahost.Record) {
	client := sqs.NewFromConfig(accounts.Connect(c.URL, env.AccountID, env.Region).As(role).Config)
	return func(record lambdahost.Record) {
		body, err := json.Marshal(record)
		if err != nil {
			return
		}
		in := &sqs.SendMessageInput{QueueUrl: aws.String(queue), MessageBody: aws.String(string(body))}
		_, _ = client.SendMessage(context.Background(), in)
	}
}

// Settle waits until all events are delivered and handled, and those that handling them sent, too. It does not wait for
// rollouts.
func (c *Cloud) Settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for calls := -1; calls != len(c.AWS.Calls()); { // until handling makes no more calls
		calls = len(c.AWS.Calls())
		if err := c.AWS.Drain(ctx); err != nil {
			return fmt.Errorf("delivering events: %w", err)
		}
		for name, f := range c.Functions {
			if err := f.Wait(ctx); err != nil {
				return fmt.Errorf("waiting for the function of environment %q: %w", name, err)
			}
		}
	}
	return nil
}

// Close stops the functions and the emulator.
func (c *Cloud) Close() {
	close(c.closed)
	c.ticking.Wait()
	for _, f := range c.Functions {
		f.Close()
	}
	if c.end != nil {
		c.end()
	}
	if c.stop != nil {
		c.stop()
	}
}
