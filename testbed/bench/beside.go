package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
	"deployer/testbed/fleet"
	"deployer/testbed/lambdahost"
)

const (
	// besideServices is how many services are read beside a deployment.
	besideServices = 400
	// pause is how long after one deployment the next one is made, so that ECS has a token for it.
	pause = 1100 * time.Millisecond
)

// many is an emulated account with many services, ECS's rate limits, and the function.
type many struct {
	*bench
	aws  *emulator.Emulator
	url  string
	file string
	host *lambdahost.Host
	sent int
}

// housekeeping reads all services.
type housekeeping func(ctx context.Context, m *many) error

// searching is the function's search for lost pushes.
func searching(ctx context.Context, m *many) error {
	event := fmt.Sprintf(`{"version":"0","id":"s","detail-type":"Scheduled Event","source":"aws.events","account":%q,`+
		`"time":%q,"region":%q,"resources":[],"detail":{}}`,
		accounts.Dev, time.Now().UTC().Format(time.RFC3339), accounts.Region)
	response, err := m.host.Invoke(ctx, []byte(event))
	if err == nil && response.FunctionError != "" {
		err = fmt.Errorf("the search for lost pushes failed: %s", response.Payload)
	}
	return err
}

// looking is the command status.
func looking(ctx context.Context, m *many) error {
	args := []string{"status", "-f", m.file}
	for i := range besideServices { // all but the backend, which this account does not have
		args = append(args, fleet.ServiceName(i))
	}
	c := exec.CommandContext(ctx, m.path(command), args...)
	c.Env = []string{"AWS_ENDPOINT_URL=" + m.url, "AWS_ACCESS_KEY_ID=" + accounts.Dev, "AWS_SECRET_ACCESS_KEY=any",
		"AWS_REGION=" + accounts.Region}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("running status: %w\n%s", err, out[:min(len(out), 1000)])
	}
	return nil
}

// beside measures how long a deployment takes until UpdateService while all services are read, and alone.
func beside(read housekeeping) measurement {
	return func(ctx context.Context, b *bench, runs int) (product, alone []float64, err error) {
		m, closing, err := b.manyServices(ctx)
		if err != nil {
			return nil, nil, err
		}
		defer closing()
		if _, err := m.deployOne(ctx); err != nil { // the process starts
			return nil, nil, err
		}
		for range runs {
			if alone, err = m.measure(ctx, alone); err != nil {
				return nil, nil, err
			}
		}
		done := make(chan error, 1)
		go func() { done <- read(ctx, m) }()
		for {
			if product, err = m.measure(ctx, product); err != nil {
				return nil, nil, err
			}
			select {
			case err := <-done:
				return product, alone, err
			default:
			}
		}
	}
}

func (m *many) measure(ctx context.Context, all []float64) ([]float64, error) {
	time.Sleep(pause)
	took, err := m.deployOne(ctx)
	return append(all, milliseconds(took)), err
}

// manyServices creates the account and starts the function, in two processes.
func (b *bench) manyServices(ctx context.Context) (m *many, closing func(), err error) {
	m = &many{bench: b, file: filepath.Join(b.dir, "many.yaml")}
	m.aws = emulator.New(emulator.Options{RolloutStep: time.Second,
		Clock: func() time.Time { return time.Now().Add(-2 * time.Minute) }})
	server := httptest.NewServer(m.aws)
	m.url = server.URL
	s := fleet.Services{Count: besideServices, AutoDeploy: "v0"}
	text, err := s.Create(ctx, fleet.Connect(m.url, nil))
	if err == nil {
		err = os.WriteFile(m.file, text, 0o600)
	}
	if err == nil {
		m.host, err = b.start(ctx, product, m.url, func(o *lambdahost.Options) {
			o.Env["DEPLOYER_ENVIRONMENT_FILE"], o.Concurrency = m.file, 2
		})
	}
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	m.aws.LimitRates()
	m.aws.Inject(emulator.Fault{Operation: "*", Latency: perCall})
	return m, func() { m.host.Close(); server.Close() }, nil
}

// deployOne deploys one service by force, and returns the time from the event to UpdateService.
func (m *many) deployOne(ctx context.Context) (time.Duration, error) {
	m.sent++
	m.aws.ResetCalls()
	event := fmt.Sprintf(`{"version":"0","id":"e%d","detail-type":"DEPLOY","source":"action.dev","account":%q,`+
		`"time":%q,"region":%q,"resources":[],"detail":{"service":%q,"tag":"v0","force":true}}`, m.sent, accounts.Dev,
		time.Now().UTC().Format(time.RFC3339), accounts.Region, fleet.ServiceName(0))
	response, err := m.host.Invoke(ctx, []byte(event))
	if err != nil {
		return 0, err
	}
	for _, c := range m.aws.Calls() {
		if c.Operation == "UpdateService" && c.Error == "" {
			return c.Start.Sub(response.Begun), nil
		}
	}
	return 0, fmt.Errorf("UpdateService was not called: %s", response.Payload)
}

// externalRoundTrips counts the round trips before UpdateService if five revisions were registered that do not run.
func externalRoundTrips(ctx context.Context, b *bench, runs int) (ours, floor []float64, err error) {
	defer b.slowly()()
	dev := accounts.Connect(b.plain.URL, accounts.Dev, accounts.Region)
	family := cloud.ServiceName("backend", environment)
	one := func(p program) func() (float64, error) {
		return func() (float64, error) {
			if err := registerLikeTerraform(ctx, dev, family, 5); err != nil {
				return 0, err
			}
			host, err := b.start(ctx, p, b.plain.URL, nil)
			if err != nil {
				return 0, err
			}
			defer host.Close()
			b.aws.ResetCalls()
			if _, err := b.deploy(ctx, host); err != nil {
				return 0, err
			}
			return b.tripsBeforeUpdate()
		}
	}
	return inTurn(min(runs, 3), one(product), one(raw))
}

// registerLikeTerraform registers revisions as Terraform does for a service with ignore_changes: it does not move it.
func registerLikeTerraform(ctx context.Context, dev *accounts.Account, family string, revisions int) error {
	out, err := dev.ECS.DescribeTaskDefinition(ctx,
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(family)})
	if err != nil {
		return err
	}
	td := out.TaskDefinition
	for range revisions {
		if _, err := dev.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: td.Family, ContainerDefinitions: td.ContainerDefinitions, ExecutionRoleArn: td.ExecutionRoleArn,
			TaskRoleArn: td.TaskRoleArn, Cpu: td.Cpu, Memory: td.Memory, NetworkMode: td.NetworkMode,
			RequiresCompatibilities: td.RequiresCompatibilities,
		}); err != nil {
			return err
		}
	}
	return nil
}
