package fleet

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Settle waits until ECS's rollouts have ended and their events are handled.
func (f *Fleet) Settle(ctx context.Context) error {
	for {
		calls := len(f.AWS.Calls())
		rolling, err := f.rolling(ctx)
		if err != nil {
			return err
		}
		calls += (f.services.Count + describedAtOnce - 1) / describedAtOnce // those that rolling made
		if err := f.AWS.Drain(ctx); err != nil {
			return err
		}
		if err := f.Function.Wait(ctx); err != nil {
			return err
		}
		if !rolling && len(f.AWS.Calls()) == calls {
			return nil
		}
		select {
		case <-time.After(4 * tickInterval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// describedAtOnce is how many services one call of DescribeServices may name.
const describedAtOnce = 10

// rolling reports whether the rollout of a service goes on.
func (f *Fleet) rolling(ctx context.Context) (bool, error) {
	var names []string
	for i := range f.services.Count {
		names = append(names, ECSName(i))
	}
	rolling := false
	for some := range slices.Chunk(names, describedAtOnce) {
		out, err := f.Account.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{
			Cluster: aws.String(cluster), Services: some,
		})
		if err != nil {
			return false, err
		}
		for _, s := range out.Services {
			rolling = rolling || slices.ContainsFunc(s.Deployments, func(d types.Deployment) bool {
				return d.RolloutState == types.DeploymentRolloutStateInProgress
			})
		}
	}
	return rolling, nil
}
