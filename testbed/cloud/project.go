package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
)

// Project is the project of the files in examples/.
const Project = "myproject"

// Environments are the project's environments, in the order of a release.
var Environments = []struct{ Name, Account string }{
	{"dev", accounts.Dev}, {"staging", accounts.Staging}, {"prod", accounts.Prod},
}

// Workloads are the services of the files in examples/, with the parts of the names that Terraform gives their AWS
// resources.
var Workloads = []struct{ Name, Repository, infix, role string }{
	{"backend", Project + "_backend", "", "_backend"},
	{"web-api", Project + "_service_web-api", "_web-api", "_service_web-api"},
	{"worker", Project + "_service_worker", "_worker", "_service_worker"},
}

// pullPolicy lets staging and prod pull from dev's repositories (docs/strategies.md). It does not let them find lost
// pushes, as the policy of deploy/registry.yaml does.
const pullPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
	"Principal":{"AWS":["arn:aws:iam::` + accounts.Staging + `:root","arn:aws:iam::` + accounts.Prod + `:root"]},
	"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","ecr:BatchCheckLayerAvailability"]}]}`

// CentralizedDev sets up the ECR strategy "centralized dev ECR" (docs/strategies.md) behind the endpoint at url:
// repositories in dev that staging and prod may read, and in each environment a cluster whose services run the image
// v1. It returns the accounts by environment.
func CentralizedDev(ctx context.Context, url string) (map[string]*accounts.Account, error) {
	byName := map[string]*accounts.Account{}
	for _, env := range Environments {
		byName[env.Name] = accounts.Connect(url, env.Account, accounts.Region)
	}
	dev := byName["dev"]
	for _, w := range Workloads {
		if _, err := dev.Push(ctx, w.Repository, w.Name+" v1", "v1"); err != nil {
			return nil, err
		}
		_, err := dev.ECR.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{
			RepositoryName: aws.String(w.Repository), PolicyText: aws.String(pullPolicy),
		})
		if err != nil {
			return nil, fmt.Errorf("setting the policy of repository %q: %w", w.Repository, err)
		}
	}
	for _, env := range Environments {
		if err := createServices(ctx, byName[env.Name], env.Name, accounts.Dev); err != nil {
			return nil, fmt.Errorf("creating the services of environment %q: %w", env.Name, err)
		}
	}
	return byName, nil
}

// createServices creates the cluster and the services of one environment, with images of a registry.
func createServices(ctx context.Context, a *accounts.Account, env, registry string) error {
	cluster := ClusterName(env)
	if err := a.Cluster(ctx, cluster); err != nil {
		return err
	}
	for _, w := range Workloads {
		image := registry + ".dkr.ecr." + accounts.Region + ".amazonaws.com/" + w.Repository + ":v1"
		role := "arn:aws:iam::" + a.ID + ":role/"
		setRoles := func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			in.TaskRoleArn = aws.String(role + Project + w.role + "_task_" + env)
			in.ExecutionRoleArn = aws.String(role + ExecutionRole(w.Name, env))
			in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs,
				Options: map[string]string{"awslogs-group": LogGroup(w.Name, env), "awslogs-region": accounts.Region,
					"awslogs-stream-prefix": "ecs"}}
		}
		if _, err := a.Service(ctx, cluster, ServiceName(w.Name, env), image, setRoles); err != nil {
			return err
		}
	}
	return nil
}

// ClusterName returns the name of the ECS cluster of an environment.
func ClusterName(env string) string { return Project + "_cluster_" + env }

// ServiceName returns the name of a workload's ECS service in an environment; "" for an unknown workload.
func ServiceName(workload, env string) string {
	for _, w := range Workloads {
		if w.Name == workload {
			return Project + "_service" + w.infix + "_" + env
		}
	}
	return ""
}

// LogGroup returns the name of the log group of a workload's containers in an environment.
func LogGroup(workload, env string) string { return "/ecs/" + ServiceName(workload, env) }

// ExecutionRole returns the name of a workload's task execution role in an environment; "" for an unknown workload.
func ExecutionRole(workload, env string) string {
	for _, w := range Workloads {
		if w.Name == workload {
			return Project + w.role + "_task_execution_" + env
		}
	}
	return ""
}

// PushTask pushes the image v1 of the project's task to dev's registry, from which the other accounts may pull it.
func PushTask(ctx context.Context, dev *accounts.Account) error { return PushImageOf(ctx, dev, Task) }

// PushImageOf is [PushTask] for any task.
func PushImageOf(ctx context.Context, dev *accounts.Account, task string) error {
	repository := Project + "_task_" + task
	if _, err := dev.Push(ctx, repository, task+" v1", "v1"); err != nil {
		return err
	}
	_, err := dev.ECR.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String(repository), PolicyText: aws.String(pullPolicy),
	})
	return err
}
