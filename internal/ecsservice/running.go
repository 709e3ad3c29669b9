package ecsservice

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"deployer/internal/image"
)

// RunningImage is the image that a service runs.
type RunningImage struct {
	TaskDefinition string    // ARN of the revision
	Since          time.Time // of the event that the revision was registered for; else when it was registered
	identity       string
}

// Is reports whether the service runs the given image, which must have a digest.
func (r RunningImage) Is(ref image.Reference) bool { return r.identity == IdentityOf(ref) }

// RunningImages returns the image that each target's service runs; all are in
// one cluster. A service that is missing or that cannot be deployed to is nil.
// It reads ten services a call, and each revision, with at most eight calls at
// the same time.
func (c *Client) RunningImages(ctx context.Context, cluster string, targets []Target) ([]*RunningImage, error) {
	services, err := c.DescribeServices(ctx, cluster, targets)
	if err != nil {
		return nil, err
	}
	all := make([]*RunningImage, len(targets))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxInFlight)
	for i, one := range services {
		if one.Err != nil {
			continue
		}
		arn := aws.ToString(one.Service.TaskDefinition)
		g.Go(func() error {
			r, err := c.DescribeRevision(gctx, arn)
			if err != nil {
				return err
			}
			since := targets[i].Record(r).Cause.Time
			if since.IsZero() {
				since = r.Registered()
			}
			all[i] = &RunningImage{TaskDefinition: arn, Since: since, identity: targets[i].Identity(r)}
			return nil
		})
	}
	return all, g.Wait()
}
