// Package cloud sets up a project after the guide's first pattern on emulated
// AWS, complete: three accounts, in each what deploy/template.yaml makes, and
// behind it the function's real bootstrap. The demo plays on it, and tests that
// need the whole way of an event.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/lambdahost"
)

// Options say what a stage is made of.
type Options struct {
	Root        string                     // the project's directory
	Bootstrap   string                     // the function's bootstrap, built already
	Files       string                     // the directory of dev.yaml, staging.yaml and prod.yaml; "" for the examples
	RolloutStep time.Duration              // as in [emulator.Options]
	Clock       func() time.Time           // of AWS; nil for the real one, by which rollouts go on by themselves
	BakeMinute  time.Duration              // as in [emulator.Options]
	RetryWaits  []time.Duration            // of failed invocations; AWS waits one and two minutes
	Parameters  map[string][]string        // more parameters of a stack, as NAME=VALUE, by environment
	Env         map[string]string          // more of the functions' environment variables
	Logs        func(env string) io.Writer // where a function's log goes; nil for nowhere
}

// Stage is the project, up and running.
type Stage struct {
	AWS       *emulator.Emulator
	URL       string                       // of emulated AWS
	Accounts  map[string]*accounts.Account // by environment
	Functions map[string]*lambdahost.Host  // by environment
	options   Options
	stop      func() error // of serving AWS
	closed    chan struct{}
	ticking   sync.WaitGroup
}

// New brings up the emulator, the accounts and the functions.
func New(ctx context.Context, o Options) (*Stage, error) {
	if o.Files == "" {
		o.Files = filepath.Join(o.Root, "examples", "centralized-dev-ecr")
	}
	s := &Stage{
		AWS:       emulator.New(emulator.Options{RolloutStep: o.RolloutStep, BakeMinute: o.BakeMinute, Clock: o.Clock}),
		Functions: map[string]*lambdahost.Host{}, options: o, closed: make(chan struct{}),
	}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if o.Clock == nil {
		s.ticking.Go(s.tick)
	}
	return s, nil
}

// tick lets rollouts go on, and be told of, while nobody looks.
func (s *Stage) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-ticker.C:
			s.AWS.Tick()
		}
	}
}

const tickEvery = 50 * time.Millisecond

func (s *Stage) start(ctx context.Context) error {
	var err error
	if s.URL, s.stop, err = accounts.Serve(s.AWS); err != nil {
		return err
	}
	if s.Accounts, err = accounts.CentralizedDev(ctx, s.URL); err != nil {
		return err
	}
	if err := Equip(ctx, s.AWS, s.Accounts); err != nil {
		return err
	}
	for _, env := range accounts.Environments {
		file, err := filepath.Abs(filepath.Join(s.options.Files, env.Name+".yaml"))
		if err != nil {
			return err
		}
		if err := s.install(ctx, file); err != nil {
			return fmt.Errorf("making the stack of %s: %w", env.Name, err)
		}
	}
	return nil
}

// install does for one environment what `make deploy` does in AWS: the rules,
// the role and the function of the template.
func (s *Stage) install(ctx context.Context, file string) error {
	env, err := environment.Load(file)
	if err != nil {
		return err
	}
	more := s.options.Parameters[env.Name]
	if env.Name == "dev" { // staging is the only other environment that takes pushes
		more = append(more, "ForwardPushesTo=arn:aws:events:us-east-1:"+accounts.Staging+":event-bus/default")
	}
	t, err := Template(s.options.Root, env, more...)
	if err != nil {
		return err
	}
	if err := s.AWS.LoadTemplate(env.AccountID, env.Region, t); err != nil {
		return err
	}
	function, ok := t.Function("DeployerFunction")
	if !ok {
		return errors.New("the template has no DeployerFunction")
	}
	role := filepath.Base(function.RoleARN)
	s.AWS.SetRolePolicy(env.AccountID, role, t.FunctionPolicies("DeployerFunction")...)
	variables := map[string]string{"AWS_ENDPOINT_URL": s.URL, "DEPLOYER_ENVIRONMENT_FILE": file}
	for name, value := range s.options.Env {
		variables[name] = value
	}
	options := lambdahost.Options{
		Bootstrap: s.options.Bootstrap, FunctionARN: function.ARN, Timeout: 2 * time.Minute, Concurrency: 4,
		AccessKeyID: env.AccountID + "-" + role, SecretAccessKey: "emulated",
		Env: variables, RetryWaits: s.options.RetryWaits,
	}
	if s.options.Logs != nil {
		options.Logs = s.options.Logs(env.Name)
	}
	host, err := lambdahost.Start(ctx, options)
	if err != nil {
		return err
	}
	s.Functions[env.Name] = host
	s.AWS.HandleLambda(function.ARN, func(_ context.Context, event []byte) error {
		_, err := host.InvokeAsync(event)
		return err
	})
	return nil
}

// Settle waits until every event has arrived and every function has answered,
// and what they sent has arrived too. It does not wait for rollouts.
func (s *Stage) Settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for calls := -1; calls != len(s.AWS.Calls()); { // until nothing more came of it
		calls = len(s.AWS.Calls())
		if err := s.AWS.Drain(ctx); err != nil {
			return fmt.Errorf("waiting for the events to arrive: %w", err)
		}
		for name, f := range s.Functions {
			if err := f.Wait(ctx); err != nil {
				return fmt.Errorf("waiting for %s's function: %w", name, err)
			}
		}
	}
	return nil
}

// Close stops everything.
func (s *Stage) Close() {
	close(s.closed)
	s.ticking.Wait()
	for _, f := range s.Functions {
		f.Close()
	}
	if s.stop != nil {
		s.stop()
	}
}
