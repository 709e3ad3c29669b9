package ecsdeploy

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/image"
)

const (
	batch    = 10 // services that one DescribeServices takes
	inFlight = 8  // calls at a time
)

// Running is what a service runs.
type Running struct {
	TaskDefinition string    // ARN of the revision
	Since          time.Time // of the event that the revision was made for; else when it was registered
	identity       string
}

// Runs reports whether the service runs an image, given with its digest.
func (r Running) Runs(ref image.Reference) bool { return r.identity == identityOf(ref) }

// Survey returns what each of the targets runs, all of one cluster; nil for a
// service that is missing or that cannot be deployed to. It reads ten services
// a call, and each revision, with at most eight calls at a time.
func (d *Deployer) Survey(ctx context.Context, cluster string, targets []Target) ([]*Running, error) {
	services, err := d.describeServices(ctx, cluster, targets)
	if err != nil {
		return nil, err
	}
	all := make([]*Running, len(targets))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i, one := range services {
		if one.err != nil {
			continue
		}
		arn := aws.ToString(one.service.TaskDefinition)
		g.Go(func() error {
			r, err := d.describeRevision(gctx, arn)
			if err != nil {
				return err
			}
			all[i] = &Running{TaskDefinition: arn, Since: aws.ToTime(r.RegisteredAt), identity: targets[i].identity(r)}
			if at, err := time.Parse(time.RFC3339Nano, tagValue(r.tags, keyTime)); err == nil {
				all[i].Since = at
			}
			return nil
		})
	}
	return all, g.Wait()
}

// described is a service as it was read, or why it was not or cannot be deployed to.
type described struct {
	service *types.Service
	err     error
}

// describeServices reads the targets' services, all of one cluster: ten a call,
// at most eight calls at a time. Its error is the first of a call that failed;
// the services of the other calls are read all the same.
func (d *Deployer) describeServices(ctx context.Context, cluster string, targets []Target) ([]described, error) {
	all := make([]described, len(targets))
	var g errgroup.Group
	g.SetLimit(inFlight)
	for part := range slices.Chunk(indexes(len(targets)), batch) {
		g.Go(func() error {
			names := make([]string, len(part))
			for i, n := range part {
				names[i] = targets[n].Service
			}
			out, err := d.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: names}, within(ctx))
			for _, n := range part {
				if err != nil {
					all[n].err = targets[n].unreadable(err)
				} else {
					all[n] = targets[n].find(out)
				}
			}
			if err != nil {
				return all[part[0]].err
			}
			return nil
		})
	}
	return all, g.Wait()
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
