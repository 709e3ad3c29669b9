package pipeline

import (
	"context"
	"sync"

	"deployer/internal/awsconfig"
)

// Connect opens the connections that the reads of a deployment need: two to ECS, and one
// to ECR. It returns when they are open, or could not be opened: the reads then open their
// own, and report what is wrong.
func (p *Pipeline) Connect(ctx context.Context) {
	client, ok := p.config.HTTPClient.(*awsconfig.Client)
	if !ok {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		if endpoint, err := p.services.Endpoint(ctx); err == nil {
			client.Connect(ctx, endpoint, 2)
		}
	})
	both.Go(func() {
		if endpoint, err := p.resolver.Endpoint(ctx, p.env.Registry().Region); err == nil {
			client.Connect(ctx, endpoint, 1)
		}
	})
	both.Wait()
}
