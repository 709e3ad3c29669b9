// Package infra makes what a deployment needs to find in an AWS account:
// repositories with images, clusters with services. It works through AWS's own
// API, so that the same set-up runs against the emulator and against any other
// double of AWS.
package infra

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Account is one account in one region, behind an endpoint.
type Account struct {
	ID     string // the account id
	Config aws.Config
	ECR    *ecr.Client
	ECS    *ecs.Client
}

// Connect returns account id in a region, behind the endpoint at url; the id
// serves as access key id too. Nothing is called yet.
func Connect(url, id, region string) *Account {
	config := aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: "any"}, nil
		}),
	}
	return account(id, config)
}

func account(id string, config aws.Config) *Account {
	return &Account{ID: id, Config: config, ECR: ecr.NewFromConfig(config), ECS: ecs.NewFromConfig(config)}
}

// With returns the same account with another configuration.
func (a *Account) With(change func(*aws.Config)) *Account {
	config := a.Config.Copy()
	change(&config)
	return account(a.ID, config)
}

// Push puts a small image made of content under each tag of a repository,
// which is made if need be, and returns the image's digest. The same content
// has the same digest.
func (a *Account) Push(ctx context.Context, repository, content string, tags ...string) (digest string, err error) {
	_, err = a.ECR.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(repository)})
	var exists *ecrtypes.RepositoryAlreadyExistsException
	if err != nil && !errors.As(err, &exists) {
		return "", fmt.Errorf("creating repository %q: %w", repository, err)
	}
	const layer = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[],"annotations":{"content":%q}}`, layer, content)
	digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))
	for _, tag := range tags {
		_, err := a.ECR.PutImage(ctx, &ecr.PutImageInput{
			RepositoryName: aws.String(repository), ImageTag: aws.String(tag), ImageManifest: aws.String(manifest),
			ImageManifestMediaType: aws.String("application/vnd.oci.image.manifest.v1+json"),
		})
		var same *ecrtypes.ImageAlreadyExistsException
		if err != nil && !errors.As(err, &same) {
			return "", fmt.Errorf("pushing %q to %q: %w", tag, repository, err)
		}
	}
	return digest, nil
}

// Cluster makes a cluster.
func (a *Account) Cluster(ctx context.Context, name string) error {
	_, err := a.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name)})
	return err
}

// Service makes a service that runs revision 1 of a family of its own name
// with one container, also of that name, from image; each change may alter it
// before it is made. It returns the revision's ARN.
func (a *Account) Service(ctx context.Context, cluster, name, image string, changes ...func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) (string, error) {
	definition := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(name), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::" + a.ID + ":role/" + name + "_task_execution"),
		ContainerDefinitions:    []ecstypes.ContainerDefinition{{Name: aws.String(name), Image: aws.String(image), Essential: aws.Bool(true)}},
	}
	service := &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: aws.String(name), DesiredCount: aws.Int32(2), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-0a1b2c3d"}}},
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
			DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}},
	}
	for _, change := range changes {
		change(definition, service)
	}
	registered, err := a.ECS.RegisterTaskDefinition(ctx, definition)
	if err != nil {
		return "", fmt.Errorf("registering %q: %w", name, err)
	}
	arn := aws.ToString(registered.TaskDefinition.TaskDefinitionArn)
	if service.DeploymentController == nil || service.DeploymentController.Type != ecstypes.DeploymentControllerTypeExternal {
		service.TaskDefinition = aws.String(arn)
	} else {
		service.LaunchType, service.NetworkConfiguration, service.DeploymentConfiguration = "", nil, nil
	}
	if _, err := a.ECS.CreateService(ctx, service); err != nil {
		return "", fmt.Errorf("creating service %q: %w", name, err)
	}
	return arn, nil
}

// Runs returns the task definition that a service runs or is being moved to.
func (a *Account) Runs(ctx context.Context, cluster, service string) (*ecs.DescribeTaskDefinitionOutput, error) {
	services, err := a.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil {
		return nil, err
	}
	if len(services.Services) != 1 {
		return nil, fmt.Errorf("describing service %q in %q: %d services", service, cluster, len(services.Services))
	}
	return a.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: services.Services[0].TaskDefinition, Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags}})
}
