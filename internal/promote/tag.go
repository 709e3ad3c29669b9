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

// taken returns the error of a tag that another image has, and whether the repository is known to refuse to move it. If
// the repository cannot be described, that is found out when the tag is put.
func (r *repository) taken(ctx context.Context, tag, holder, wanted string) *TagTakenError {
	e := &TagTakenError{Place: r.Place, Tag: tag, Has: holder, Wanted: wanted}
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	out, err := r.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RegistryId: r.registryID(),
		RepositoryNames: []string{r.Repository}}, retry)
	if err == nil && len(out.Repositories) > 0 && immutableTag(out.Repositories[0], tag) {
		e.Immutable, e.Exclude = true, excluding(out.Repositories[0], tag)
	}
	return e
}

// maxExclusions is how many exclusions from immutability a repository can have (ECR API reference,
// PutImageTagMutability).
const maxExclusions = 5

// excluding returns the filters that exclude one more tag from the immutability of a repository's tags, with those that
// it has: to set them replaces all. It returns nil if that is not possible, or makes more than this tag mutable.
func excluding(r types.Repository, tag string) (filters []string) {
	if r.ImageTagMutability != types.ImageTagMutabilityImmutable &&
		r.ImageTagMutability != types.ImageTagMutabilityImmutableWithExclusion {
		return nil
	}
	for _, f := range r.ImageTagMutabilityExclusionFilters {
		filters = append(filters, aws.ToString(f.Filter))
	}
	if len(filters) == maxExclusions {
		return nil
	}
	return append(filters, tag)
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
	Has, Wanted string   // digests; Has is "" if the repository refused the tag
	Immutable   bool     // the repository refuses to move the tag
	Exclude     []string // with Immutable: the filters that make the tag mutable; nil if they are not known
}

// Error says what has the tag.
func (e *TagTakenError) Error() string {
	text := fmt.Sprintf("tag %q in %s is on ", e.Tag, e.Place)
	if e.Immutable {
		return strings.TrimSuffix(text, " on ") + " immutable and on another image than " + e.Wanted
	}
	return text + e.Has + ", not on " + e.Wanted
}
