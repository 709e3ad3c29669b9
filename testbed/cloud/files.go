package cloud

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/internal/image"
	"deployer/testbed/accounts"
)

// setUp does what a person does by the pages about the installation, for the environments of the files: the stack of
// the repositories in each account with a registry, by the file of the account's first environment, the images that
// run, the services with their roles, and the deployer's stack in each account. A registry's stack lets those accounts
// pull that run its images, and those of Readers; its account's deployer forwards pushes to those that deploy them.
func (c *Cloud) setUp(ctx context.Context) error {
	var envs []*environment.Environment
	c.Accounts = map[string]*accounts.Account{}
	for _, e := range Environments {
		file, err := filepath.Abs(filepath.Join(c.options.Files, e.Name+".yaml"))
		if err != nil {
			return err
		}
		env, err := environment.Load(file)
		if err != nil {
			return err
		}
		envs = append(envs, env)
		c.Accounts[env.Name] = accounts.Connect(c.URL, env.AccountID, env.Region)
	}
	created := map[image.Registry]bool{}
	for _, env := range envs {
		if env.Strategy.Name == environment.Local && !created[env.Registry()] {
			created[env.Registry()] = true
			if err := c.createRegistry(ctx, env, envs); err != nil {
				return fmt.Errorf("creating the registry of environment %q: %w", env.Name, err)
			}
		}
	}
	for _, env := range envs {
		if err := c.createServices(ctx, env); err != nil {
			return fmt.Errorf("creating the services of environment %q: %w", env.Name, err)
		}
		if c.options.Tasks {
			family, registry := familyOf(env, Task), env.Registry().AccountID
			if err := createTask(ctx, c.Accounts[env.Name], registry, family, Task, env.Name); err != nil {
				return fmt.Errorf("creating the task of environment %q: %w", env.Name, err)
			}
		}
		more := c.options.Parameters[env.Name]
		if buses := receivers(env, envs); len(buses) > 0 {
			more = append(more, "ForwardPushesTo="+strings.Join(buses, ","))
		}
		if err := c.install(ctx, env.File, more...); err != nil {
			return fmt.Errorf("creating the stack of environment %q: %w", env.Name, err)
		}
	}
	return nil
}

// familyOf returns the family of a task; its name, if the file does not have the task.
func familyOf(env *environment.Environment, task string) string {
	for _, w := range env.Workloads {
		if w.Name == task && !w.HasService() {
			return w.Family
		}
	}
	return task
}

// createRegistry creates the repositories of an environment, with the images that run.
func (c *Cloud) createRegistry(
	ctx context.Context, env *environment.Environment, all []*environment.Environment,
) error {
	source, err := os.ReadFile(filepath.Join(c.options.Root, "deploy", "registry.yaml"))
	if err != nil {
		return err
	}
	readers := slices.Clone(c.options.Readers[env.Name])
	for _, other := range all {
		if other.Registry() == env.Registry() && other.AccountID != env.AccountID &&
			!slices.Contains(readers, other.AccountID) {
			readers = append(readers, other.AccountID)
		}
	}
	t, err := registryOf(source, env, "ReaderAccountIds="+strings.Join(readers, ","))
	if err != nil {
		return err
	}
	if err := c.AWS.LoadTemplate(env.AccountID, env.Region, t); err != nil {
		return err
	}
	c.Stacks = append(c.Stacks, t)
	for _, w := range Workloads {
		if _, err := c.Accounts[env.Name].Push(ctx, w.Repository, w.Name+" v1", "v1"); err != nil {
			return err
		}
	}
	if c.options.Tasks {
		_, err = c.Accounts[env.Name].Push(ctx, Project+"_task_"+Task, Task+" v1", "v1")
	}
	return err
}

// createServices creates an environment's services, and the roles with which their tasks pull images.
func (c *Cloud) createServices(ctx context.Context, env *environment.Environment) error {
	registry := env.Registry().AccountID
	document, err := iam.Parse([]byte(executionPolicy(registry)))
	if err != nil {
		return err
	}
	for _, w := range Workloads {
		c.AWS.SetRolePolicy(env.AccountID, ExecutionRole(w.Name, env.Name), document)
	}
	return createServices(ctx, c.Accounts[env.Name], env.Name, registry)
}

// receivers returns the buses of the other accounts in which pushes to an environment's own registry deploy.
func receivers(env *environment.Environment, all []*environment.Environment) (buses []string) {
	for _, other := range all {
		if env.Strategy.Name == environment.Local && other.Registry() == env.Registry() &&
			other.AccountID != env.AccountID && !other.AutoDeploy.IsEmpty() {
			buses = append(buses, "arn:aws:events:"+other.Region+":"+other.AccountID+":event-bus/default")
		}
	}
	return buses
}
