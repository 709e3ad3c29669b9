package ecsservice

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// RunningImage is the image that a service runs.
type RunningImage struct {
	TaskDefinition string         // ARN of the revision
	Since          time.Time      // the time of the revision's event; if it has none, of its registration
	Service        *types.Service // as it was read
	Record         journal.Record // of the revision
	identity       string

	target   Target
	revision Revision
}

// Is reports whether the service runs the given image, which must have a digest.
func (r RunningImage) Is(ref image.Reference) bool { return r.identity == IdentityOf(ref) }

// RunningImages returns the image that the service of each target in one cluster
// runs; nil if the service is missing or cannot be deployed to. It reads ten
// services a call, and each running revision, with at most eight calls at the
// same time.
func (c *Client) RunningImages(ctx context.Context, cluster string, targets []Target) ([]*RunningImage, error) {
	services, err := c.DescribeServices(ctx, cluster, targets)
	if err != nil {
		return nil, err
	}
	all := make([]*RunningImage, len(targets))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxInFlight)
	for i, one := range services {
		if fault.IsUnavailable(one.Err) {
			return nil, one.Err
		}
		if one.Err != nil {
			continue
		}
		arn := aws.ToString(one.Service.TaskDefinition)
		g.Go(func() error {
			r, err := c.DescribeRevision(gctx, arn)
			if targets[i].Task && errors.Is(err, fault.ErrTaskDefinitionNotFound) {
				return nil // its pointer still holds a revision that was deleted
			}
			if err != nil {
				return err
			}
			all[i] = &RunningImage{TaskDefinition: arn, Since: targets[i].since(r), Service: one.Service,
				Record: targets[i].Record(r), identity: targets[i].Identity(r), target: targets[i], revision: r}
			return nil
		})
	}
	return all, g.Wait()
}

// since returns the time of a revision's event; if it has none, of its registration.
func (t Target) since(r Revision) time.Time {
	if at := t.Record(r).Cause.Time; !at.IsZero() {
		return at
	}
	return r.Registered()
}

// maxRedeployments is of how many redeployments [Client.ChosenSince] reads what ran before. A
// lost push is found within minutes, and few redeployments. It is far less than the number of
// revisions in which a rollout of the pushed image that failed is looked for.
const maxRedeployments = 5

// ChosenSince returns Since of the revision for which the running image was chosen. It is that
// of the running revision, unless changes of configuration led to that: then it is that of the
// revision which ran before them with the same image. It reads one revision for each of them.
func (c *Client) ChosenSince(ctx context.Context, running *RunningImage) (time.Time, error) {
	t, r := running.target, running.revision
	for range maxRedeployments {
		record := t.Record(r)
		if !event.IsChange(record.Source) || record.Previous == "" {
			break
		}
		previous, err := c.DescribeRevision(ctx, record.Previous)
		if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			break
		}
		if err != nil {
			return time.Time{}, err
		}
		if !t.Record(previous).SameImage(record) {
			break
		}
		r = previous
	}
	return t.since(r), nil
}
