package stage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"deployer/internal/emulator"
	"deployer/internal/emulator/infra"
	"deployer/internal/emulator/template"
	"deployer/internal/environment"
	"deployer/internal/policy"
	"deployer/internal/stack"
)

// Template returns deploy/template.yaml of the project in root with the
// parameters that an environment file gives, and more of the form NAME=VALUE.
func Template(root string, env *environment.Environment, more ...string) (*template.Template, error) {
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
	return template.Load(source, template.Parameters{Account: env.AccountID, Region: env.Region, Stack: stack.Name(env), Values: values})
}

// mayPull is what an execution role needs.
const mayPull = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
	{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],
	"Resource":"arn:aws:ecr:us-east-1:` + infra.Dev + `:repository/` + infra.Project + `_*"}]}`

// Furnish adds to the accounts of [infra.CentralizedDev] what a project in good
// health has beside: what Equip adds, and the deployer's stack in each.
func Furnish(ctx context.Context, root string, aws *emulator.Emulator, accounts map[string]*infra.Account) error {
	if err := Equip(ctx, aws, accounts); err != nil {
		return err
	}
	for _, e := range infra.Environments {
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
func Equip(ctx context.Context, aws *emulator.Emulator, accounts map[string]*infra.Account) error {
	document, err := policy.Parse([]byte(mayPull))
	if err != nil {
		return err
	}
	for _, w := range infra.Workloads {
		if err := accounts["dev"].PushConfiguration(ctx, w.Repository, "amd64"); err != nil {
			return fmt.Errorf("pushing the configuration of %s: %w", w.Repository, err)
		}
		for _, e := range infra.Environments {
			aws.SetRolePolicy(e.Account, infra.ExecutionRole(w.Name, e.Name), document)
		}
	}
	return nil
}
