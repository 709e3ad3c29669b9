package resolve

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// Pushed returns the reference of the image that has tag now, with its digest,
// and the time of its push. If no image has the tag, the digest is "". It calls
// ecr:DescribeImages, a permission of its own.
func (r *Resolver) Pushed(ctx context.Context, env *environment.Environment, w environment.Workload, tag string) (
	image.Reference, time.Time, error) {
	ref := w.Reference(tag)
	out, err := r.client(w.Registry.Region).DescribeImages(ctx, &ecr.DescribeImagesInput{
		RegistryId: aws.String(w.Registry.AccountID), RepositoryName: aws.String(w.Repository),
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String(tag)}},
	}, func(o *ecr.Options) { o.Retryer = searching{fault.UntilDeadline(ctx)} })
	if fault.HasCode(err, "ImageNotFoundException") {
		return ref, time.Time{}, nil
	}
	if err != nil {
		return ref, time.Time{}, callFailed(err, env, w, tag)
	}
	if len(out.ImageDetails) == 0 || !image.ValidDigest(aws.ToString(out.ImageDetails[0].ImageDigest)) ||
		out.ImageDetails[0].ImagePushedAt == nil {
		return ref, time.Time{}, fault.Incomplete(looking(w, tag), "digest and push time of the image")
	}
	ref.Digest = *out.ImageDetails[0].ImageDigest
	return ref, aws.ToTime(out.ImageDetails[0].ImagePushedAt), nil
}

// maxSearchAttempts is how often a search makes a call that fails, unless it is throttled. The
// rest of the search needs its time too, and the next search tries again.
const maxSearchAttempts = 3

// searching is a retryer for the calls of a search.
type searching struct{ aws.Retryer }

// RetryDelay implements [aws.Retryer].
func (s searching) RetryDelay(attempt int, err error) (time.Duration, error) {
	if attempt >= maxSearchAttempts && !fault.IsThrottled(err) {
		return 0, err
	}
	return s.Retryer.RetryDelay(attempt, err)
}
