package accounts

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Cluster creates an ECS cluster.
func (a *Account) Cluster(ctx context.Context, name string) error {
	_, err := a.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name)})
	return err
}

// Service creates a Fargate service of two tasks. The service, its task definition family and its only container have
// the same name; the container runs image. The changes are applied to the requests before they are sent. It returns the
// ARN of the task definition's first revision.
func (a *Account) Service(
	ctx context.Context, cluster, name, image string,
	changes ...func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput),
) (string, error) {
	definition := a.definition(name, name, image)
	service := &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: aws.String(name), DesiredCount: aws.Int32(2),
		LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-0a1b2c3d"}},
		},
		DeploymentConfiguration: &types.DeploymentConfiguration{
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
	}
	for _, change := range changes {
		change(definition, service)
	}
	registered, err := a.ECS.RegisterTaskDefinition(ctx, definition)
	if err != nil {
		return "", fmt.Errorf("registering task definition %q: %w", name, err)
	}
	arn := aws.ToString(registered.TaskDefinition.TaskDefinitionArn)
	external := service.DeploymentController != nil &&
		service.DeploymentController.Type == types.DeploymentControllerTypeExternal
	if external {
		service.LaunchType, service.NetworkConfiguration, service.DeploymentConfiguration = "", nil, nil
	} else {
		service.TaskDefinition = aws.String(arn)
	}
	if _, err := a.ECS.CreateService(ctx, service); err != nil {
		return "", fmt.Errorf("creating service %q: %w", name, err)
	}
	return arn, nil
}

// Runs returns the task definition, with its tags, that a service runs or is being moved to.
func (a *Account) Runs(ctx context.Context, cluster, service string) (*ecs.DescribeTaskDefinitionOutput, error) {
	services, err := a.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: aws.String(cluster), Services: []string{service},
	})
	if err != nil {
		return nil, err
	}
	if len(services.Services) != 1 {
		return nil, fmt.Errorf("describing service %q in cluster %q: got %d services", service, cluster,
			len(services.Services))
	}
	return a.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: services.Services[0].TaskDefinition,
		Include:        []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
}
