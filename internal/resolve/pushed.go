package resolve

import (
	"context"
	"time"

	smithytime "github.com/aws/smithy-go/time"

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
	var out describedImages
	in := describeImages{repository: repositoryOf(w), IDs: []imageID{{Tag: tag}}}
	err := r.call(ctx, w, "DescribeImages", in, &out)
	if fault.HasCode(err, "ImageNotFoundException") {
		return ref, time.Time{}, nil
	}
	if err != nil {
		return ref, time.Time{}, callFailed(err, env, w, tag)
	}
	if len(out.Details) == 0 || !image.ValidDigest(out.Details[0].Digest) || out.Details[0].Pushed == nil {
		return ref, time.Time{}, fault.Incomplete(looking(w, tag), "digest and push time of the image")
	}
	ref.Digest = out.Details[0].Digest
	return ref, out.Details[0].pushed(), nil
}

// pushed returns when the image was pushed, the zero time if it is not known.
func (d imageDetail) pushed() time.Time {
	if d.Pushed == nil {
		return time.Time{}
	}
	return smithytime.ParseEpochSeconds(*d.Pushed)
}
