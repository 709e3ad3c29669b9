package function

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
	"deployer/internal/environment"
	"deployer/internal/pipeline"
)

// connectTimeout limits how long a cold start waits for connections.
const connectTimeout = time.Second

// connecting opens the connections of the first deployment. Lambda gives a cold start a whole
// processor, and the first event only the share of the function's memory.
type connecting struct {
	region string // of the function, "" if it is not known
	loaded aws.Config
	err    error
	open   opener
	done   chan struct{} // closed when the connections in the region are open, or could not be opened
}

// opener is [pipeline.Connect].
type opener func(ctx context.Context, config aws.Config, registry string)

// connectEarly begins to open connections to ECS and ECR in the function's region, which is
// nearly always the environment's and the registry's, while the environment file is read.
func connectEarly(region string) *connecting { return connectBy(region, pipeline.Connect) }

func connectBy(region string, open opener) *connecting {
	c := &connecting{region: region, open: open, done: make(chan struct{})}
	c.loaded, c.err = awsconfig.Load(context.Background(), region)
	go func() {
		defer close(c.done)
		if c.err == nil && region != "" {
			c.connect(region, region)
		}
	}()
	return c
}

func (c *connecting) connect(region, registry string) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	config := c.loaded.Copy()
	config.Region = region
	c.open(ctx, config, registry)
}

// config returns the SDK's configuration for an environment.
func (c *connecting) config(env *environment.Environment) (aws.Config, error) {
	config := c.loaded
	config.Region = env.Region
	return config, c.err
}

// wait returns when the connections are open that deployments of an environment need, or
// could not be opened.
func (c *connecting) wait(env *environment.Environment) {
	<-c.done
	if region := env.Registry().Region; c.region != env.Region || c.region != region {
		c.connect(env.Region, region)
	}
}
