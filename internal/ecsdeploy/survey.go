package ecsdeploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
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
	arns := make([]string, len(targets))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for part := range slices.Chunk(indexes(len(targets)), batch) {
		g.Go(func() error { return d.surveyServices(gctx, cluster, targets, part, arns) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := make([]*Running, len(targets))
	g, gctx = errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i, arn := range arns {
		if arn == "" {
			continue
		}
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

// surveyServices notes the ARNs of the revisions that some of the targets' services run.
func (d *Deployer) surveyServices(ctx context.Context, cluster string, targets []Target, part []int, arns []string) error {
	names := make([]string, len(part))
	for i, n := range part {
		names[i] = targets[n].Service
	}
	out, err := d.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: names}, within(ctx))
	if err != nil {
		return fault.Of(fmt.Sprintf("describing services of cluster %q", cluster), err)
	}
	for _, n := range part {
		i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == targets[n].Service })
		if i >= 0 && targets[n].Refuse(&out.Services[i]) == nil {
			arns[n] = aws.ToString(out.Services[i].TaskDefinition)
		}
	}
	return nil
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
