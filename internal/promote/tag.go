package promote

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// holders returns the digests of the images that have the tags, by tag, without the
// tags that do not exist.
func (r *repository) holders(ctx context.Context, tags []string) (map[string]string, error) {
	found := map[string]string{}
	for some := range slices.Chunk(tags, batch) {
		ids := make([]types.ImageIdentifier, len(some))
		for i := range some {
			ids[i].ImageTag = &some[i]
		}
		out, err := r.get(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, i := range out.Images {
			if i.ImageId != nil {
				found[aws.ToString(i.ImageId.ImageTag)] = aws.ToString(i.ImageId.ImageDigest)
			}
		}
	}
	return found, nil
}

// tagged returns the digest of the image that has the tag, "" if none has.
func (r *repository) tagged(ctx context.Context, tag string) (string, error) {
	holders, err := r.holders(ctx, []string{tag})
	return holders[tag], err
}

// immutable reports whether the repository is known to refuse to move the tag. If it
// cannot be described, that is found out when the tag is put.
func (r *repository) immutable(ctx context.Context, tag string) bool {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	out, err := r.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RegistryId: r.registryID(),
		RepositoryNames: []string{r.Repository}}, retry)
	return err == nil && len(out.Repositories) > 0 && immutableTag(out.Repositories[0], tag)
}

// immutableTag reports whether a repository's settings make a tag immutable (ECR user
// guide, "Preventing image tags from being overwritten").
func immutableTag(r types.Repository, tag string) bool {
	excluded := slices.ContainsFunc(r.ImageTagMutabilityExclusionFilters,
		func(f types.ImageTagMutabilityExclusionFilter) bool {
			matched, err := path.Match(aws.ToString(f.Filter), tag) // neither has a slash
			return err == nil && matched
		})
	switch r.ImageTagMutability {
	case types.ImageTagMutabilityImmutable:
		return true
	case types.ImageTagMutabilityImmutableWithExclusion:
		return !excluded
	case types.ImageTagMutabilityMutableWithExclusion:
		return excluded
	}
	return false
}

// TagTakenError is the error of a tag that another image has.
type TagTakenError struct {
	Place       Place
	Tag         string
	Has, Wanted string // digests; Has is "" if the repository refused the tag
	Immutable   bool   // the repository refuses to move the tag
}

// Error says what has the tag.
func (e *TagTakenError) Error() string {
	text := fmt.Sprintf("tag %q in %s is on ", e.Tag, e.Place)
	if e.Immutable {
		return strings.TrimSuffix(text, " on ") + " immutable and on another image than " + e.Wanted
	}
	return text + e.Has + ", not on " + e.Wanted
}
