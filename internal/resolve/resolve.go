// Package resolve turns a workload and a tag into an image that exists: in the
// registry that the environment's ECR strategy chooses, pinned by digest. Only
// this package speaks to Amazon ECR.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// Resolver asks ECR which image a tag names. It is safe for concurrent use.
type Resolver struct {
	config  aws.Config
	mu      sync.Mutex
	clients map[string]*ecr.Client // by region: a registry answers only in its own
}

// New returns a resolver that calls ECR with the credentials of config.
func New(config aws.Config) *Resolver {
	return &Resolver{config: config, clients: map[string]*ecr.Client{}}
}

// mediaTypes are the manifests a tag may name. Without the list ECR may answer
// for a multi-platform image with the manifest of one platform.
var mediaTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Resolve returns the image that tag names in the workload's repository, with
// both tag and digest set. It asks with BatchGetImage, which both forms of the
// cross-account repository policy allow, and which one call answers with
// existence and digest. A tag that does not exist is a [fault.Rejection]; a
// missing repository or permission a [fault.Misconfiguration].
func (r *Resolver) Resolve(ctx context.Context, env *environment.Environment, w environment.Workload, tag string) (image.Reference, error) {
	if w.Repository == "" {
		return image.Reference{}, &fault.Rejection{Fault: fault.Fault{
			Name:  "ImageOutsideECR",
			Doing: fmt.Sprintf("resolving tag %q of %s %q", tag, w.Kind, w.Name),
			Err:   fmt.Errorf("its image %q comes from outside ECR, where it can be neither checked nor pinned", w.External),
			Hint:  "change the image in " + env.File + " and apply the infrastructure, or remove it there to deploy from ECR",
		}}
	}
	return r.find(ctx, env, w, tag, types.ImageIdentifier{ImageTag: aws.String(tag)})
}

// Pinned is [Resolver.Resolve] for an image that is known by its digest, and
// was under the tag once: its tag may have moved on, or be gone.
func (r *Resolver) Pinned(ctx context.Context, env *environment.Environment, w environment.Workload, tag, digest string) (image.Reference, error) {
	ref, err := r.find(ctx, env, w, digest, types.ImageIdentifier{ImageDigest: aws.String(digest)})
	ref.Tag = tag
	return ref, err
}

// find asks ECR for the image with a name, which is a tag or a digest.
func (r *Resolver) find(ctx context.Context, env *environment.Environment, w environment.Workload, name string, id types.ImageIdentifier) (image.Reference, error) {
	registry, ref := w.Registry, w.Reference(aws.ToString(id.ImageTag))
	out, err := r.client(registry.Region).BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RegistryId:         aws.String(registry.AccountID),
		RepositoryName:     aws.String(w.Repository),
		ImageIds:           []types.ImageIdentifier{id},
		AcceptedMediaTypes: mediaTypes,
	}, func(o *ecr.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	if err != nil {
		return image.Reference{}, refused(err, env, w, name)
	}
	if len(out.Images) == 0 || out.Images[0].ImageId == nil || !image.ValidDigest(aws.ToString(out.Images[0].ImageId.ImageDigest)) {
		return image.Reference{}, missing(out.Failures, env, w, name)
	}
	ref.Digest = aws.ToString(out.Images[0].ImageId.ImageDigest)
	return ref, nil
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

// doing says what was being done, for the faults of one resolution. The name is
// a tag or a digest.
func doing(env *environment.Environment, w environment.Workload, name string) string {
	kind := "tag"
	if image.ValidDigest(name) {
		kind = "digest"
	}
	return fmt.Sprintf("looking for %s %q in ECR repository %q of %s", kind, name, w.Repository, w.Registry)
}

// missing returns the fault of a tag that ECR gave no image for. ECR answers
// it with HTTP 200 and a reason in failures.
func missing(failures []types.ImageFailure, env *environment.Environment, w environment.Workload, name string) error {
	f := fault.Fault{
		Name:  "ImageNotFound",
		Doing: doing(env, w, name),
		Err:   errors.New("ECR returned neither the image nor a reason"),
		Hint:  "push the image first, or check the tag: aws ecr describe-images --registry-id " + w.Registry.AccountID + " --region " + w.Registry.Region + " --repository-name " + w.Repository,
	}
	if image.ValidDigest(name) {
		f.Hint = "it was deleted, or a lifecycle policy expired it: choose another revision, or push the image again"
	}
	if len(failures) == 0 {
		return &fault.Outage{Fault: f}
	}
	code, reason := failures[0].FailureCode, aws.ToString(failures[0].FailureReason)
	f.Err = fmt.Errorf("image not found: %s: %s", code, reason)
	switch code {
	case types.ImageFailureCodeImageNotFound, types.ImageFailureCodeInvalidImageTag, types.ImageFailureCodeInvalidImageDigest,
		types.ImageFailureCodeImageTagDoesNotMatchDigest, types.ImageFailureCodeMissingDigestAndTag, types.ImageFailureCodeImageReferencedByManifestList:
		return &fault.Rejection{Fault: f}
	case types.ImageFailureCodeUpstreamTooManyRequests, types.ImageFailureCodeUpstreamUnavailable:
		f.Err, f.Name, f.Hint = fmt.Errorf("image not available: %s: %s", code, reason), string(code), ""
		return &fault.Outage{Fault: f}
	}
	f.Err, f.Name, f.Hint = fmt.Errorf("image not available: %s: %s", code, reason), string(code), "ECR has the image and does not give it out: see the reason"
	return &fault.Misconfiguration{Fault: f}
}
