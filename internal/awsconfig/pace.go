package awsconfig

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// rate is a token bucket: its size, and how many tokens it gains a second.
type rate struct{ burst, refill float64 }

// The half of ECS's token buckets for reads, each for one account in one region ("Request
// throttling for the Amazon ECS API" in the ECS API reference): task definitions have 50
// tokens and gain 20 a second, services and tasks have 100 and gain 20, and service
// deployments have 50 and gain 20.
var (
	definitionReads = rate{25, 10}
	serviceReads    = rate{50, 10}
	taskReads       = rate{50, 10}
	deploymentReads = rate{25, 10}
)

// paces are the buckets that operations take their tokens from.
var paces = map[string]*rate{
	"DescribeTaskDefinition": &definitionReads, "ListTaskDefinitions": &definitionReads,
	"DescribeServices": &serviceReads, "ListServices": &serviceReads,
	"DescribeTasks": &taskReads, "ListTasks": &taskReads,
	"DescribeServiceDeployments": &deploymentReads, "ListServiceDeployments": &deploymentReads,
}

// Paced returns a configuration for clients of ECS that read much and can wait. All of
// them together take half of ECS's tokens for reads, so that the deployments of the same
// account and region always find some.
func Paced(c aws.Config) aws.Config {
	c = c.Copy()
	p := &pacer{buckets: map[*rate]*bucket{}}
	c.APIOptions = append(slices.Clip(c.APIOptions), func(s *middleware.Stack) error {
		return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Pace", p.handle), "Retry", middleware.After)
	})
	return c
}

// pacer lets calls wait for their tokens. It is safe for concurrent use.
type pacer struct {
	mu      sync.Mutex
	buckets map[*rate]*bucket
}

// bucket is how many tokens there were at a time. Calls that wait make it negative.
type bucket struct {
	tokens float64
	at     time.Time
}

// handle is a middleware for each attempt of a call.
func (p *pacer) handle(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	if r := paces[awsmiddleware.GetOperationName(ctx)]; r != nil {
		if wait := p.take(r, time.Now()); wait > 0 {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return middleware.FinalizeOutput{}, middleware.Metadata{}, context.Cause(ctx)
			}
		}
	}
	return next.HandleFinalize(ctx, in)
}

// take takes a token, and returns how long the call has to wait for it.
func (p *pacer) take(r *rate, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[r]
	if b == nil {
		b = &bucket{r.burst, now}
		p.buckets[r] = b
	}
	b.tokens, b.at = min(r.burst, b.tokens+now.Sub(b.at).Seconds()*r.refill)-1, now
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / r.refill * float64(time.Second))
}
