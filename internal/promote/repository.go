package promote

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
)

const (
	batch       = 100             // images or layers of one call
	maxAtOnce   = 4               // blobs, or calls, at the same time
	callTimeout = 5 * time.Minute // of a call with all its retries
)

// mediaTypes are the manifests that are read. Without this list ECR may answer for an
// index with the manifest of one platform.
var mediaTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.artifact.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// repository calls ECR for one repository. It is safe for concurrent use.
type repository struct {
	Place
	ecr *ecr.Client
}

func newRepository(p Place) *repository {
	return &repository{p, ecr.NewFromConfig(p.Config, func(o *ecr.Options) { o.Region = p.Registry.Region })}
}

func (r *repository) registryID() *string { return aws.String(r.Registry.AccountID) }

// retried returns a context for one call, and the option that retries it.
func retried(ctx context.Context) (context.Context, context.CancelFunc, func(*ecr.Options)) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	return ctx, cancel, func(o *ecr.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}

// get reads up to 100 images.
func (r *repository) get(ctx context.Context, ids []types.ImageIdentifier) (*ecr.BatchGetImageOutput, error) {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	out, err := r.ecr.BatchGetImage(ctx, &ecr.BatchGetImageInput{RegistryId: r.registryID(),
		RepositoryName: &r.Repository, ImageIds: ids, AcceptedMediaTypes: mediaTypes}, retry)
	if err != nil {
		return nil, fault.Classify("reading images of "+r.String(), err)
	}
	return out, nil
}

// manifests returns the manifests with the given digests, all of which have to exist.
func (r *repository) manifests(ctx context.Context, digests []string) (map[string]*manifest, error) {
	found := map[string]*manifest{}
	for some := range slices.Chunk(digests, batch) {
		ids := make([]types.ImageIdentifier, len(some))
		for i := range some {
			ids[i].ImageDigest = &some[i]
		}
		out, err := r.get(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, f := range out.Failures {
			return nil, r.unreadable(f)
		}
		for _, i := range out.Images {
			if i.ImageId == nil {
				continue
			}
			digest := aws.ToString(i.ImageId.ImageDigest)
			m, err := parseManifest(aws.ToString(i.ImageManifest), aws.ToString(i.ImageManifestMediaType), digest)
			if err != nil {
				return nil, fault.Rejected(fault.ErrNotImage, "reading "+digest+" in "+r.String(), err, "")
			}
			found[digest] = m
		}
		for _, digest := range some {
			if found[digest] == nil {
				return nil, fault.Incomplete("reading "+digest+" in "+r.String(), "manifest")
			}
		}
	}
	return found, nil
}

// unreadable returns the fault of an image that exists in an index or as a signature,
// and cannot be read.
func (r *repository) unreadable(f types.ImageFailure) error {
	digest := "a manifest"
	if f.ImageId != nil && f.ImageId.ImageDigest != nil {
		digest = *f.ImageId.ImageDigest
	}
	hint := "push the image again"
	if f.FailureCode == types.ImageFailureCodeImageInaccessible {
		hint = fmt.Sprintf("if it is archived, restore it: aws ecr update-image-storage-class --registry-id %s "+
			"--region %s --repository-name %s --image-id imageDigest=%s --target-storage-class STANDARD",
			r.Registry.AccountID, r.Registry.Region, r.Repository, digest)
	}
	return fault.Rejected(fault.ErrImageNotFound, "reading "+digest+" in "+r.String(),
		fmt.Errorf("%s: %s", f.FailureCode, aws.ToString(f.FailureReason)), hint)
}

// present returns which of the manifests the repository has. An archived one counts as
// missing: putting it again restores it.
func (r *repository) present(ctx context.Context, all []*manifest) (map[string]bool, error) {
	found := map[string]bool{}
	for some := range slices.Chunk(all, batch) {
		ids := make([]types.ImageIdentifier, len(some))
		for i, m := range some {
			ids[i].ImageDigest = &m.digest
		}
		out, err := r.get(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, i := range out.Images {
			if i.ImageId != nil {
				found[aws.ToString(i.ImageId.ImageDigest)] = true
			}
		}
	}
	return found, nil
}

// absent returns which blobs the repository lacks.
func (r *repository) absent(ctx context.Context, blobs map[string]descriptor) (map[string]bool, error) {
	var digests []string
	for digest := range blobs {
		digests = append(digests, digest)
	}
	slices.Sort(digests)
	missing := map[string]bool{}
	for some := range slices.Chunk(digests, batch) {
		ctx, cancel, retry := retried(ctx)
		out, err := r.ecr.BatchCheckLayerAvailability(ctx, &ecr.BatchCheckLayerAvailabilityInput{
			RegistryId: r.registryID(), RepositoryName: &r.Repository, LayerDigests: some}, retry)
		cancel()
		if err != nil {
			return nil, fault.Classify("looking for layers in "+r.String(), err)
		}
		for _, digest := range some {
			missing[digest] = true
		}
		for _, l := range out.Layers {
			if l.LayerAvailability == types.LayerAvailabilityAvailable {
				delete(missing, aws.ToString(l.LayerDigest))
			}
		}
	}
	return missing, nil
}

// referrers returns the digests of the artifacts whose subject is one of the manifests.
func (r *repository) referrers(ctx context.Context, about []*manifest) ([]string, error) {
	found := make([][]string, len(about))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxAtOnce)
	for i, m := range about {
		g.Go(func() (err error) {
			found[i], err = r.referrersOf(ctx, m.digest)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func (r *repository) referrersOf(ctx context.Context, digest string) (found []string, err error) {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	in := &ecr.ListImageReferrersInput{RegistryId: r.registryID(), RepositoryName: &r.Repository,
		SubjectId: &types.SubjectIdentifier{ImageDigest: &digest}}
	for {
		out, err := r.ecr.ListImageReferrers(ctx, in, retry)
		if err != nil {
			return nil, fault.Classify("listing the signatures of "+digest+" in "+r.String()+
				", which --referrers=false leaves out", err)
		}
		for _, one := range out.Referrers {
			found = append(found, aws.ToString(one.Digest))
		}
		in.NextToken = out.NextToken
		if aws.ToString(in.NextToken) == "" {
			return found, nil
		}
	}
}

// put puts a manifest, under a tag unless it is "". It is no error if the repository
// has both already.
func (r *repository) put(ctx context.Context, m *manifest, tag string) error {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	in := &ecr.PutImageInput{RegistryId: r.registryID(), RepositoryName: &r.Repository, ImageManifest: &m.text,
		ImageDigest: &m.digest}
	if m.mediaType != "" {
		in.ImageManifestMediaType = &m.mediaType
	}
	doing := "putting " + m.digest + " into " + r.String()
	if tag != "" {
		in.ImageTag = &tag
		doing = "putting tag " + tag + " on " + m.digest + " in " + r.String()
	}
	_, err := r.ecr.PutImage(ctx, in, retry)
	switch {
	case err == nil, fault.HasCode(err, "ImageAlreadyExistsException"):
		return nil
	case fault.HasCode(err, "ImageTagAlreadyExistsException"):
		return &TagTakenError{Place: r.Place, Tag: tag, Wanted: m.digest, Immutable: true}
	}
	return fault.Classify(doing, err)
}
