package cloud

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/internal/stack"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
)

// Template returns deploy/template.yaml of the project in root with the
// parameters that an environment file gives, and more of the form NAME=VALUE.
func Template(root string, env *environment.Environment, more ...string) (*cloudformation.Template, error) {
	source, err := os.ReadFile(filepath.Join(root, "deploy", "template.yaml"))
	if err != nil {
		return nil, err
	}
	parameters, err := stack.Parameters(env, more...)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	return cloudformation.Load(source, cloudformation.Parameters{Account: env.AccountID, Region: env.Region, Stack: stack.Name(env), Values: values})
}

// mayPull is what an execution role needs.
const mayPull = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
	{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],
	"Resource":"arn:aws:ecr:us-east-1:` + accounts.Dev + `:repository/` + accounts.Project + `_*"}]}`

// Furnish adds to the accounts of [accounts.CentralizedDev] what a project in good
// health has beside: what Equip adds, and the deployer's stack in each.
func Furnish(ctx context.Context, root string, aws *emulator.Emulator, byName map[string]*accounts.Account) error {
	if err := Equip(ctx, aws, byName); err != nil {
		return err
	}
	for _, e := range accounts.Environments {
		env, err := environment.Load(filepath.Join(root, "examples", "centralized-dev-ecr", e.Name+".yaml"))
		if err != nil {
			return err
		}
		t, err := Template(root, env)
		if err != nil {
			return err
		}
		if err := aws.LoadTemplate(env.AccountID, env.Region, t); err != nil {
			return fmt.Errorf("making the stack of %s: %w", e.Name, err)
		}
	}
	return nil
}

// Equip adds execution roles that may pull, and the configurations that the
// images refer to.
func Equip(ctx context.Context, aws *emulator.Emulator, byName map[string]*accounts.Account) error {
	document, err := iam.Parse([]byte(mayPull))
	if err != nil {
		return err
	}
	for _, w := range accounts.Workloads {
		if err := byName["dev"].PushConfiguration(ctx, w.Repository, "amd64"); err != nil {
			return fmt.Errorf("pushing the configuration of %s: %w", w.Repository, err)
		}
		for _, e := range accounts.Environments {
			aws.SetRolePolicy(e.Account, accounts.ExecutionRole(w.Name, e.Name), document)
		}
	}
	return nil
}
