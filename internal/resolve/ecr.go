package resolve

import (
	"context"

	"deployer/internal/environment"
	"deployer/internal/signed"
)

// The operations of ECR that are called, as far as they are needed ("Actions" in the ECR
// API reference). The SDK's client would make each cold start of the function longer: see
// "Size and cold start" in docs/architecture.md.

// imageID identifies an image by tag or digest.
type imageID struct {
	Tag    string `json:"imageTag,omitempty"`
	Digest string `json:"imageDigest,omitempty"`
}

// repository is the repository that an operation is for.
type repository struct {
	Registry string `json:"registryId"`
	Name     string `json:"repositoryName"`
}

func repositoryOf(w environment.Workload) repository {
	return repository{w.Registry.AccountID, w.Repository}
}

// batchGetImage is the request of BatchGetImage.
type batchGetImage struct {
	repository
	IDs        []imageID `json:"imageIds"`
	MediaTypes []string  `json:"acceptedMediaTypes"`
}

// gotImages is its answer. An image that does not exist is one of its failures.
type gotImages struct {
	Images   []gotImage     `json:"images"`
	Failures []imageFailure `json:"failures"`
}

type gotImage struct {
	ID        imageID `json:"imageId"`
	Manifest  string  `json:"imageManifest"`
	MediaType string  `json:"imageManifestMediaType"`
}

type imageFailure struct {
	Code   string `json:"failureCode"`
	Reason string `json:"failureReason"`
}

// describeImages is the request of DescribeImages.
type describeImages struct {
	repository
	IDs    []imageID    `json:"imageIds,omitempty"`
	Filter *imageFilter `json:"filter,omitempty"`
	Max    int          `json:"maxResults,omitempty"`
	Token  string       `json:"nextToken,omitempty"`
}

type imageFilter struct {
	Tags string `json:"tagStatus"`
}

// describedImages is its answer.
type describedImages struct {
	Details []imageDetail `json:"imageDetails"`
	Token   string        `json:"nextToken"`
}

type imageDetail struct {
	Digest string   `json:"imageDigest"`
	Tags   []string `json:"imageTags"`
	Pushed *float64 `json:"imagePushedAt"` // in seconds since 1970
}

// getDownloadURL is the request of GetDownloadUrlForLayer.
type getDownloadURL struct {
	repository
	Digest string `json:"layerDigest"`
}

// downloadURL is its answer.
type downloadURL struct {
	URL string `json:"downloadUrl"`
}

// call calls ECR in the region of the workload's registry, and decodes the answer into
// out. It retries until the deadline of ctx. Its error is not classified.
func (r *Resolver) call(ctx context.Context, w environment.Workload, operation string, in, out any) error {
	return r.client(w.Registry.Region).Call(ctx, "ecr", "AmazonEC2ContainerRegistry_V20150921."+operation, in, out)
}

// client returns the client for a region: a registry is reached in its own only.
func (r *Resolver) client(region string) signed.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[region]
	if !ok {
		config := r.config.Copy()
		config.Region = region
		c = signed.New(config)
		r.clients[region] = c
	}
	return c
}
