package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"deployer/internal/emulator"
	"deployer/internal/emulator/infra"
	"deployer/internal/emulator/template"
	"deployer/internal/environment"
	"deployer/internal/lambdahost"
)

// stack is the guide's first pattern, complete: three accounts with what
// deploy/template.yaml makes in each, and the function's real bootstrap.
type stack struct {
	aws       *emulator.Emulator
	url       string
	stop      func() error // of serving aws
	accounts  map[string]*infra.Account
	functions map[string]*lambdahost.Host // by environment
	said      *decisions
}

// newStack builds the bootstrap and starts everything.
func newStack(ctx context.Context, root, bootstrap string, step time.Duration) (*stack, error) {
	if err := infra.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return nil, err
	}
	s := &stack{aws: emulator.New(emulator.Options{RolloutStep: step}), functions: map[string]*lambdahost.Host{}, said: &decisions{}}
	if err := s.start(ctx, root, bootstrap); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// start brings up the emulator, the accounts and the functions.
func (s *stack) start(ctx context.Context, root, bootstrap string) error {
	var err error
	if s.url, s.stop, err = infra.Serve(s.aws); err != nil {
		return err
	}
	if s.accounts, err = infra.CentralizedDev(ctx, s.url); err != nil {
		return err
	}
	for _, env := range infra.Environments {
		file, err := filepath.Abs(filepath.Join(root, "examples", "centralized-dev-ecr", env.Name+".yaml"))
		if err != nil {
			return err
		}
		if err := s.deploy(ctx, root, file, bootstrap); err != nil {
			return fmt.Errorf("making the stack of %s: %w", env.Name, err)
		}
	}
	return nil
}

// deploy does for one environment what `sam deploy` does in AWS: the rules, the
// role and the function of the template.
func (s *stack) deploy(ctx context.Context, root, file, bootstrap string) error {
	env, err := environment.Load(file)
	if err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(root, "deploy", "template.yaml"))
	if err != nil {
		return err
	}
	t, err := template.Load(source, template.Parameters{Account: env.AccountID, Region: env.Region, Stack: "deployer", Values: parameters(env)})
	if err != nil {
		return err
	}
	if err := s.aws.LoadTemplate(env.AccountID, env.Region, t); err != nil {
		return err
	}
	function, ok := t.Function("DeployerFunction")
	if !ok {
		return errors.New("the template has no DeployerFunction")
	}
	role := filepath.Base(function.RoleARN)
	s.aws.SetRolePolicy(env.AccountID, role, t.FunctionPolicies("DeployerFunction")...)
	host, err := lambdahost.Start(ctx, lambdahost.Options{
		Bootstrap: bootstrap, FunctionARN: function.ARN, Timeout: 2 * time.Minute, Concurrency: 4,
		AccessKeyID: env.AccountID + "-" + role, SecretAccessKey: "emulated",
		Env:        map[string]string{"AWS_ENDPOINT_URL": s.url, "DEPLOYER_ENVIRONMENT_FILE": file},
		RetryWaits: []time.Duration{time.Second, 2 * time.Second}, // Lambda waits one and two minutes
		Logs:       s.said.of(env.Name),
	})
	if err != nil {
		return err
	}
	s.functions[env.Name] = host
	s.aws.HandleLambda(function.ARN, func(_ context.Context, event []byte) error {
		_, err := host.InvokeAsync(event)
		return err
	})
	return nil
}

// parameters are the template's, as the environment file has them. Dev's
// registry forwards its pushes to staging, the only other environment that
// takes them.
func parameters(env *environment.Environment) map[string]string {
	p := map[string]string{"Project": env.Project, "Env": env.Name}
	if env.Strategy.Name == environment.CrossAccount {
		p["EcrAccountId"], p["EcrAccountRegion"] = env.ECRAccountID, env.ECRAccountRegion
	}
	if env.Name == "dev" {
		p["ForwardPushesTo"] = "arn:aws:events:us-east-1:" + infra.Staging + ":event-bus/default"
	}
	return p
}

// settle waits until every event has arrived and every function has answered.
func (s *stack) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.aws.Drain(ctx); err != nil {
		return fmt.Errorf("waiting for the events to arrive: %w", err)
	}
	for name, f := range s.functions {
		if err := f.Wait(ctx); err != nil {
			return fmt.Errorf("waiting for %s's function: %w", name, err)
		}
	}
	return nil
}

func (s *stack) close() {
	for _, f := range s.functions {
		f.Close()
	}
	if s.stop != nil {
		s.stop()
	}
}
