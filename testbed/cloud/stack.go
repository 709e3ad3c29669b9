package cloud

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/internal/stack"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
)

// Template loads deploy/template.yaml of the project in root with the parameters that an environment file gives, and
// with further parameters of the form NAME=VALUE.
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
	return cloudformation.LoadOnce(source, cloudformation.Parameters{
		Account: env.AccountID, Region: env.Region, Stack: stack.Name(env), Values: values,
	})
}

// InstallStacks adds to the accounts of [CentralizedDev] what a healthy installation has besides: the task execution
// roles, the config blobs of the images, and the deployer's stack in each account. Its
// functions accept every event and do nothing.
func InstallStacks(
	ctx context.Context, root string, aws *emulator.Emulator, byName map[string]*accounts.Account,
) error {
	if err := addRolesAndConfigs(ctx, aws, byName); err != nil {
		return err
	}
	if err := keepUp(ctx, root, byName["dev"]); err != nil {
		return err
	}
	for _, e := range Environments {
		file := filepath.Join(root, "examples", "centralized-dev-ecr", e.Name+".yaml")
		env, err := environment.Load(file)
		if err != nil {
			return err
		}
		code, err := codeWith(file)
		if err != nil {
			return err
		}
		t, err := Template(root, env)
		if err != nil {
			return err
		}
		if err := aws.LoadTemplate(env.AccountID, env.Region, t); err != nil {
			return fmt.Errorf("creating the stack of environment %q: %w", e.Name, err)
		}
		for _, f := range t.Functions() {
			aws.SetFunctionCode(f.ARN, code)
			aws.HandleLambda(f.ARN, func(context.Context, []byte) error { return nil })
		}
	}
	return nil
}

// keepUp gives dev's repositories the lifecycle policy and the scan on push of deploy/registry.yaml.
func keepUp(ctx context.Context, root string, dev *accounts.Account) error {
	t, err := Registry(root)
	if err != nil {
		return err
	}
	for _, r := range t.Repositories() {
		if strings.HasPrefix(r.Name, Project+"_task_") {
			continue // see PushTask
		}
		_, err := dev.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{
			RepositoryName: &r.Name, LifecyclePolicyText: &r.Lifecycle})
		if err != nil {
			return fmt.Errorf("setting the lifecycle policy of repository %q: %w", r.Name, err)
		}
		_, err = dev.ECR.PutImageScanningConfiguration(ctx, &ecr.PutImageScanningConfigurationInput{
			RepositoryName:             &r.Name,
			ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: r.ScanOnPush}})
		if err != nil {
			return fmt.Errorf("setting the scanning of repository %q: %w", r.Name, err)
		}
	}
	return nil
}

// Registry loads deploy/registry.yaml of the project in root for the repositories of [CentralizedDev]: staging and prod
// may read. Every tag may move, because tests move any.
func Registry(root string) (*cloudformation.Template, error) {
	source, err := os.ReadFile(filepath.Join(root, "deploy", "registry.yaml"))
	if err != nil {
		return nil, err
	}
	env, err := environment.Load(filepath.Join(root, "examples", "centralized-dev-ecr", "dev.yaml"))
	if err != nil {
		return nil, err
	}
	return registryOf(source, env, "ReaderAccountIds="+accounts.Staging+","+accounts.Prod, "MutableTags=*")
}

// registryOf loads the template of an environment's repositories, with further parameters.
func registryOf(source []byte, env *environment.Environment, more ...string) (*cloudformation.Template, error) {
	parameters, err := stack.RegistryParameters(env, false, more...)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	return cloudformation.LoadOnce(source, cloudformation.Parameters{
		Account: env.AccountID, Region: env.Region, Stack: stack.RegistryName(env), Values: values,
	})
}

// executionPolicy returns what a task execution role needs to pull the project's images from a registry.
func executionPolicy(registry string) string {
	return `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
	{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],
	"Resource":"arn:aws:ecr:us-east-1:` + registry + `:repository/` + Project + `_*"}]}`
}

// addRolesAndConfigs adds the task execution roles and the config blobs of the images.
func addRolesAndConfigs(ctx context.Context, aws *emulator.Emulator, byName map[string]*accounts.Account) error {
	document, err := iam.Parse([]byte(executionPolicy(accounts.Dev)))
	if err != nil {
		return err
	}
	for _, w := range Workloads {
		if err := byName["dev"].PushConfig(ctx, w.Repository, "amd64"); err != nil {
			return fmt.Errorf("pushing the image config to repository %q: %w", w.Repository, err)
		}
		for _, e := range Environments {
			aws.SetRolePolicy(e.Account, ExecutionRole(w.Name, e.Name), document)
		}
	}
	return nil
}
