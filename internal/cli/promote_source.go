package cli

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/resolve"
)

// promoted returns the digest of the image to promote, and its tag: the one that is
// named, else the image that the service runs, or that the task's next run starts.
func (a *app) promoted(ctx context.Context, from *end, named []string) (tag, digest string, err error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	images := resolve.New(from.config)
	if len(named) > 0 {
		if wrong := event.CheckTag(named[0]); wrong != "" {
			return "", "", wrongUsage("%s", wrong)
		}
		found, err := images.Image(ctx, from.env, from.workload, named[0])
		return named[0], found.Digest, a.withTags(ctx, from.config, from.env, from.workload, named[0], err)
	}
	tag, digest, err = from.running(ctx)
	if err != nil {
		return "", "", err
	}
	_, err = images.PinnedImage(ctx, from.env, from.workload, tag, digest)
	return tag, digest, err
}

// running returns the tag and the digest of the image that the service runs. While a
// rollout is in progress, it does not run one image.
func (e *end) running(ctx context.Context) (tag, digest string, err error) {
	if err := e.checkAccount("--from-profile"); err != nil {
		return "", "", err
	}
	target, services := ecsservice.TargetOf(e.env, e.workload), ecsservice.New(e.config)
	service, err := services.DescribeService(ctx, target)
	if err != nil {
		return "", "", err
	}
	for _, d := range service.Deployments {
		if d.RolloutState == "" || d.RolloutState == "COMPLETED" {
			continue
		}
		return "", "", hinted(target.Command("status")+" --watch",
			"service %s of %s is being rolled out: wait until it has ended, or name the tag to promote",
			e.workload.Label(), e.env.Name)
	}
	revision, err := services.DescribeRevision(ctx, aws.ToString(service.TaskDefinition))
	if err != nil {
		return "", "", err
	}
	record := target.Record(revision)
	switch {
	case record.Digest != "":
	case target.Task: // it may not run now, and its next run pulls what the tag is on then
		return "", "", hinted(target.Command("history"),
			"%s starts %s in %s, by a tag that may have been moved: name the tag to promote", e.workload.Label(),
			record.Image, e.env.Name)
	default:
		record.Digest, err = e.runningDigest(ctx, services, target, record.Image)
	}
	return record.Tag, record.Digest, err
}

// runningDigest returns the digest that the tasks of a service run which names its image
// by a tag: the tag may be on another image by now.
func (e *end) runningDigest(ctx context.Context, services *ecsservice.Client, t ecsservice.Target, reference string) (
	string, error,
) {
	digests, err := services.TaskDigests(ctx, t, reference)
	switch {
	case err != nil:
		return "", err
	case len(digests) == 0:
		return "", hinted(t.Command("history"),
			"%s runs %s in %s, and no running task has its digest: name the tag to promote", e.workload.Label(),
			reference, e.env.Name)
	case len(digests) > 1:
		return "", hinted(t.Command("history"),
			"the tasks of %s in %s run %d different images under %s: deploy one of them first, or name the tag to "+
				"promote", e.workload.Label(), e.env.Name, len(digests), reference)
	}
	return digests[0], nil
}
