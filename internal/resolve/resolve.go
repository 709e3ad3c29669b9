// Package resolve finds the image that a tag names in a workload's ECR
// repository, and returns its reference with the digest.
package resolve

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// Resolver reads images from ECR. It is safe for concurrent use.
type Resolver struct {
	config    aws.Config
	mu        sync.Mutex
	clients   map[string]*ecr.Client    // by region: a registry is reached in its own only
	platforms map[string]image.Manifest // of single images, by the digest of the configuration
	images    shared[*ecr.BatchGetImageOutput]
	configs   shared[image.Manifest]
}

// New returns a resolver that calls ECR with the credentials of config.
func New(config aws.Config) *Resolver {
	return &Resolver{config: config, clients: map[string]*ecr.Client{}, platforms: map[string]image.Manifest{}}
}

// mediaTypes are the manifests that a tag may name. Without this list ECR may
// answer for a multi-platform image with the manifest of one platform.
var mediaTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Image is an image as ECR has it.
type Image struct {
	image.Reference                // with tag and digest
	Manifest        image.Manifest // what its manifest says of its platforms
}

// Image returns the image that has tag in the workload's repository. It calls
// ecr:BatchGetImage, which each repository policy that lets other accounts pull allows. A
// tag that does not exist, or that is not one of a container image
// ([fault.ErrNotImage]), is a [fault.Rejection]; a missing repository or permission a
// [fault.Misconfiguration]. The environment is used in their texts only.
func (r *Resolver) Image(ctx context.Context, env *environment.Environment, w environment.Workload, tag string) (
	Image, error) {
	if w.Repository == "" {
		return Image{}, notInECR(env, w, tag)
	}
	return r.find(ctx, env, w, tag, types.ImageIdentifier{ImageTag: aws.String(tag)})
}

// PinnedImage returns the image with the given digest, if it still exists, under a tag
// that it had before. The tag may name another image now. Errors are those of
// [Resolver.Image].
func (r *Resolver) PinnedImage(ctx context.Context, env *environment.Environment, w environment.Workload, tag,
	digest string) (Image, error) {
	found, err := r.find(ctx, env, w, digest, types.ImageIdentifier{ImageDigest: aws.String(digest)})
	found.Tag = tag
	return found, err
}

// Resolve is [Resolver.Image] for the reference alone.
func (r *Resolver) Resolve(ctx context.Context, env *environment.Environment, w environment.Workload, tag string) (
	image.Reference, error) {
	found, err := r.Image(ctx, env, w, tag)
	return found.Reference, err
}

// find reads the image with the given id from ECR. Name is the same id, for messages.
func (r *Resolver) find(
	ctx context.Context, env *environment.Environment, w environment.Workload, name string, id types.ImageIdentifier,
) (Image, error) {
	key := strings.Join([]string{w.Registry.AccountID, w.Registry.Region, w.Repository, name}, " ")
	out, err := r.images.do(ctx, key, func() (*ecr.BatchGetImageOutput, error) {
		return r.client(w.Registry.Region).BatchGetImage(ctx, &ecr.BatchGetImageInput{
			RegistryId:         aws.String(w.Registry.AccountID),
			RepositoryName:     aws.String(w.Repository),
			ImageIds:           []types.ImageIdentifier{id},
			AcceptedMediaTypes: mediaTypes,
		}, func(o *ecr.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	})
	if err != nil {
		return Image{}, callFailed(err, env, w, name)
	}
	if len(out.Images) > 0 && out.Images[0].ImageId != nil {
		ref := w.Reference(aws.ToString(id.ImageTag))
		ref.Digest = aws.ToString(out.Images[0].ImageId.ImageDigest)
		if image.ValidDigest(ref.Digest) {
			manifest, err := manifestOf(out.Images[0])
			if err != nil {
				return Image{}, notImage(err, w, name)
			}
			return Image{ref, manifest}, nil
		}
	}
	return Image{}, imageMissing(out.Failures, w, name)
}

// manifestOf returns what the manifest of an image says. One that cannot be read says
// nothing: whether its image can run is for ECS to find out.
func manifestOf(i types.Image) (image.Manifest, error) {
	text, mediaType := aws.ToString(i.ImageManifest), aws.ToString(i.ImageManifestMediaType)
	m, err := image.ParseManifest([]byte(text), mediaType)
	if err != nil && !errors.Is(err, image.ErrNotImage) {
		return image.Manifest{Partial: true}, nil
	}
	return m, err
}

// Endpoint returns the address of ECR in a region.
func (r *Resolver) Endpoint(ctx context.Context, region string) (*url.URL, error) {
	o := r.client(region).Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
	})
	return &endpoint.URI, err
}

func (r *Resolver) client(region string) *ecr.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.clients[region]
	if c == nil {
		c = ecr.NewFromConfig(r.config, func(o *ecr.Options) { o.Region = region })
		r.clients[region] = c
	}
	return c
}
