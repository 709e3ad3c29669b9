// Package accounts makes what a deployment needs to find in an AWS account:
// repositories with images, clusters with services. It works through AWS's own
// API, so that the same set-up runs against the emulator and against any other
// double of AWS.
package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

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
	return a.PushFor(ctx, "amd64", repository, content, tags...)
}

// PushFor is [Account.Push] for an image of linux on another architecture.
func (a *Account) PushFor(ctx context.Context, architecture, repository, content string, tags ...string) (digest string, err error) {
	_, err = a.ECR.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(repository)})
	var exists *ecrtypes.RepositoryAlreadyExistsException
	if err != nil && !errors.As(err, &exists) {
		return "", fmt.Errorf("creating repository %q: %w", repository, err)
	}
	config := configuration(architecture)
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[],"annotations":{"content":%q}}`,
		digestOf(config), len(config), content)
	return digestOf(manifest), a.put(ctx, repository, manifest, "application/vnd.oci.image.manifest.v1+json", tags...)
}

// PushIndex puts an index of images for several platforms, such as
// "linux/amd64", under each tag of a repository.
func (a *Account) PushIndex(ctx context.Context, repository, content string, platforms []string, tags ...string) (digest string, err error) {
	var manifests []string
	for _, platform := range platforms {
		system, architecture, _ := strings.Cut(platform, "/")
		child, err := a.PushFor(ctx, architecture, repository, content+" "+platform, "child-"+architecture)
		if err != nil {
			return "", err
		}
		manifests = append(manifests, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":2,"platform":{"os":%q,"architecture":%q}}`, child, system, architecture))
	}
	index := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(manifests, ",") + `]}`
	return digestOf(index), a.put(ctx, repository, index, "application/vnd.oci.image.index.v1+json", tags...)
}

func (a *Account) put(ctx context.Context, repository, manifest, mediaType string, tags ...string) error {
	for _, tag := range tags {
		_, err := a.ECR.PutImage(ctx, &ecr.PutImageInput{
			RepositoryName: aws.String(repository), ImageTag: aws.String(tag), ImageManifest: aws.String(manifest), ImageManifestMediaType: aws.String(mediaType),
		})
		var same *ecrtypes.ImageAlreadyExistsException
		if err != nil && !errors.As(err, &same) {
			return fmt.Errorf("pushing %q to %q: %w", tag, repository, err)
		}
	}
	return nil
}

// PushConfiguration uploads the configuration that the images of an
// architecture refer to, as a real push does; few need it.
func (a *Account) PushConfiguration(ctx context.Context, repository, architecture string) error {
	config := configuration(architecture)
	begun, err := a.ECR.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RepositoryName: aws.String(repository)})
	if err != nil {
		return err
	}
	_, err = a.ECR.UploadLayerPart(ctx, &ecr.UploadLayerPartInput{RepositoryName: aws.String(repository), UploadId: begun.UploadId,
		PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(int64(len(config)) - 1), LayerPartBlob: []byte(config)})
	if err != nil {
		return err
	}
	_, err = a.ECR.CompleteLayerUpload(ctx, &ecr.CompleteLayerUploadInput{RepositoryName: aws.String(repository), UploadId: begun.UploadId, LayerDigests: []string{digestOf(config)}})
	return err
}

// configuration is that of every image of an architecture.
func configuration(architecture string) string {
	return fmt.Sprintf(`{"architecture":%q,"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`, architecture)
}

func digestOf(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

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
