package accounts

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// The accounts of the guide's patterns.
const (
	Dev     = "111111111111"
	Staging = "222222222222"
	Prod    = "333333333333"
	Region  = "us-east-1"
	Project = "myproject"
)

// Environments are the environments of the guide's patterns, in the order of a release.
var Environments = []struct{ Name, Account string }{{"dev", Dev}, {"staging", Staging}, {"prod", Prod}}

// Workloads are the services of the files in examples/, with what the
// infrastructure's names for them are made of.
var Workloads = []struct{ Name, Repository, infix, role string }{
	{"backend", Project + "_backend", "", "_backend"},
	{"web-api", Project + "_service_web-api", "_web-api", "_service_web-api"},
	{"worker", Project + "_service_worker", "_worker", "_service_worker"},
}

// manualPolicy is the guide's repository policy for accounts outside an organisation.
const manualPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
	"Principal":{"AWS":["arn:aws:iam::` + Staging + `:root","arn:aws:iam::` + Prod + `:root"]},
	"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","ecr:BatchCheckLayerAvailability"]}]}`

// CentralizedDev makes the guide's first pattern behind the endpoint at url:
// repositories in dev that staging and prod may read, and in each environment a
// cluster whose services run the image v1. It returns the accounts by environment.
func CentralizedDev(ctx context.Context, url string) (map[string]*Account, error) {
	accounts := map[string]*Account{}
	for _, env := range Environments {
		accounts[env.Name] = Connect(url, env.Account, Region)
	}
	dev := accounts["dev"]
	for _, w := range Workloads {
		if _, err := dev.Push(ctx, w.Repository, w.Name+" v1", "v1"); err != nil {
			return nil, err
		}
		if _, err := dev.ECR.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String(w.Repository), PolicyText: aws.String(manualPolicy)}); err != nil {
			return nil, fmt.Errorf("setting the policy of repository %q: %w", w.Repository, err)
		}
	}
	for _, env := range Environments {
		if err := accounts[env.Name].environment(ctx, env.Name); err != nil {
			return nil, fmt.Errorf("making environment %q: %w", env.Name, err)
		}
	}
	return accounts, nil
}

// environment makes the cluster and the services of one environment.
func (a *Account) environment(ctx context.Context, name string) error {
	cluster := Project + "_cluster_" + name
	if err := a.Cluster(ctx, cluster); err != nil {
		return err
	}
	for _, w := range Workloads {
		image := Dev + ".dkr.ecr." + Region + ".amazonaws.com/" + w.Repository + ":v1"
		role := "arn:aws:iam::" + a.ID + ":role/"
		_, err := a.Service(ctx, cluster, ServiceName(w.Name, name), image, func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			in.TaskRoleArn, in.ExecutionRoleArn = aws.String(role+Project+w.role+"_task_"+name), aws.String(role+ExecutionRole(w.Name, name))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ServiceName returns the name of a workload's ECS service in an environment.
func ServiceName(workload, env string) string {
	for _, w := range Workloads {
		if w.Name == workload {
			return Project + "_service" + w.infix + "_" + env
		}
	}
	return ""
}

// ExecutionRole returns the name of a workload's execution role in an environment.
func ExecutionRole(workload, env string) string {
	for _, w := range Workloads {
		if w.Name == workload {
			return Project + w.role + "_task_execution_" + env
		}
	}
	return ""
}
