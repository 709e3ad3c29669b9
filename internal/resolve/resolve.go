// Package resolve finds the image that a tag names in a workload's ECR
// repository, and returns its reference with the digest.
package resolve

import (
	"context"
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
	config  aws.Config
	mu      sync.Mutex
	clients map[string]*ecr.Client // by region: a registry is reached in its own only
}

// New returns a resolver that calls ECR with the credentials of config.
func New(config aws.Config) *Resolver {
	return &Resolver{config: config, clients: map[string]*ecr.Client{}}
}

// mediaTypes are the manifests that a tag may name. Without this list ECR may
// answer for a multi-platform image with the manifest of one platform.
var mediaTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Resolve returns the reference of the image that has tag in the workload's
// repository, with tag and digest. It calls ecr:BatchGetImage, which both forms
// of the cross-account repository policy allow. A tag that does not exist is a
// [fault.Rejection], a missing repository or permission a
// [fault.Misconfiguration]. The environment is used in their texts only.
func (r *Resolver) Resolve(ctx context.Context, env *environment.Environment, w environment.Workload, tag string) (
	image.Reference, error) {
	if w.Repository == "" {
		return image.Reference{}, notInECR(env, w, tag)
	}
	return r.find(ctx, env, w, tag, types.ImageIdentifier{ImageTag: aws.String(tag)})
}

// Pinned returns the reference of the image with the given digest, if it still
// exists, under a tag that it had before. The tag may name another image now.
// Errors are those of [Resolver.Resolve].
func (r *Resolver) Pinned(ctx context.Context, env *environment.Environment, w environment.Workload, tag,
	digest string) (image.Reference, error) {
	ref, err := r.find(ctx, env, w, digest, types.ImageIdentifier{ImageDigest: aws.String(digest)})
	ref.Tag = tag
	return ref, err
}

// find reads the image with the given id from ECR. Name is the same id, for messages.
func (r *Resolver) find(
	ctx context.Context, env *environment.Environment, w environment.Workload, name string, id types.ImageIdentifier,
) (image.Reference, error) {
	out, err := r.client(w.Registry.Region).BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RegistryId:         aws.String(w.Registry.AccountID),
		RepositoryName:     aws.String(w.Repository),
		ImageIds:           []types.ImageIdentifier{id},
		AcceptedMediaTypes: mediaTypes,
	}, func(o *ecr.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	if err != nil {
		return image.Reference{}, callFailed(err, env, w, name)
	}
	if len(out.Images) > 0 && out.Images[0].ImageId != nil {
		ref := w.Reference(aws.ToString(id.ImageTag))
		ref.Digest = aws.ToString(out.Images[0].ImageId.ImageDigest)
		if image.ValidDigest(ref.Digest) {
			return ref, nil
		}
	}
	return image.Reference{}, imageMissing(out.Failures, w, name)
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
