package pipeline

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
	"deployer/internal/signed"
)

// Connect opens the connections that the reads of a deployment need: two to ECS in the
// region of config, and one to ECR in another one or the same. It returns when they are
// open, or could not be opened: the reads then open their own, and report what is wrong.
func Connect(ctx context.Context, config aws.Config, registry string) {
	client, ok := config.HTTPClient.(*awsconfig.Client)
	if !ok {
		return
	}
	open := func(service, region string, n int) {
		c := config.Copy()
		c.Region = region
		if endpoint, err := signed.New(c).Endpoint(ctx, service); err == nil {
			client.Connect(ctx, endpoint, n)
		}
	}
	var both sync.WaitGroup
	both.Go(func() { open("ecr", registry, 1) })
	open("ecs", config.Region, 2)
	both.Wait()
}
