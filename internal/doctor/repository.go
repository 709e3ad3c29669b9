package doctor

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// repository is an ECR repository. Its parts are read once, when they are needed.
type repository struct {
	registry image.Registry
	reason   string // what decides the registry
	name     string
	arn      arn.ARN
	ecr      *ecr.Client
	http     aws.HTTPClient

	policy    func() (string, error) // "" if it has none
	lifecycle func() (string, error) // the lifecycle policy; "" if it has none
	scanning  func() (types.RepositoryScanningConfiguration, error)
	images    func() ([]types.ImageDetail, error)
}

// repositoryOf returns the repository of a workload's images.
func (c *checker) repositoryOf(ctx context.Context, w environment.Workload) *repository {
	name := w.Registry.RepositoryARN(w.Repository)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.repositories[name]; r != nil {
		return r
	}
	r := &repository{registry: w.Registry, reason: w.RegistryReason, name: w.Repository,
		ecr: c.ecrIn(w.Registry.Region), http: c.http}
	r.arn, _ = arn.Parse(name) // always valid
	r.policy = sync.OnceValues(func() (string, error) { return r.readPolicy(ctx) })
	r.lifecycle = sync.OnceValues(func() (string, error) { return r.readLifecycle(ctx) })
	r.scanning = sync.OnceValues(func() (types.RepositoryScanningConfiguration, error) { return r.readScanning(ctx) })
	r.images = sync.OnceValues(func() ([]types.ImageDetail, error) { return r.readImages(ctx) })
	c.repositories[name] = r
	return r
}

func (r *repository) readPolicy(ctx context.Context) (string, error) {
	out, err := r.ecr.GetRepositoryPolicy(ctx,
		&ecr.GetRepositoryPolicyInput{RegistryId: aws.String(r.registry.AccountID), RepositoryName: aws.String(r.name)})
	if fault.HasCode(err, "RepositoryPolicyNotFoundException") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.PolicyText), nil
}

func (r *repository) readLifecycle(ctx context.Context) (string, error) {
	out, err := r.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RegistryId: aws.String(r.registry.AccountID),
		RepositoryName: aws.String(r.name)})
	if fault.HasCode(err, "LifecyclePolicyNotFoundException") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.LifecyclePolicyText), nil
}

func (r *repository) readImages(ctx context.Context) (all []types.ImageDetail, err error) {
	pages := ecr.NewDescribeImagesPaginator(r.ecr, &ecr.DescribeImagesInput{
		RegistryId: aws.String(r.registry.AccountID), RepositoryName: aws.String(r.name), MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.ImageDetails...)
	}
	return all, nil
}

// get reads an image with ecr:BatchGetImage, as a pull does: its manifest, or why ECR
// does not return it.
func (r *repository) get(ctx context.Context, id types.ImageIdentifier) (*types.Image, *types.ImageFailure, error) {
	out, err := r.ecr.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RegistryId: aws.String(r.registry.AccountID), RepositoryName: aws.String(r.name),
		ImageIds: []types.ImageIdentifier{id},
		AcceptedMediaTypes: []string{
			"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
			"application/vnd.docker.distribution.manifest.list.v2+json",
			"application/vnd.docker.distribution.manifest.v2+json",
		},
	})
	switch {
	case err != nil:
		return nil, nil, err
	case len(out.Images) > 0:
		return &out.Images[0], nil, nil
	case len(out.Failures) > 0:
		return nil, &out.Failures[0], nil
	}
	return nil, &types.ImageFailure{FailureReason: aws.String("ECR returned neither the image nor a reason")}, nil
}

// archived reports whether an image is archived: it can be described, but not pulled.
// It returns false if the caller may not describe images.
func (r *repository) archived(ctx context.Context, id types.ImageIdentifier) bool {
	out, err := r.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{RegistryId: aws.String(r.registry.AccountID),
		RepositoryName: aws.String(r.name),
		ImageIds:       []types.ImageIdentifier{id},
		Filter:         &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny}})
	return err == nil && len(out.ImageDetails) > 0 && out.ImageDetails[0].ImageStatus != types.ImageStatusActive
}
