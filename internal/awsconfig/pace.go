package awsconfig

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"deployer/internal/fault"
)

// rate is a token bucket: its size, and how many tokens it gains a second.
type rate struct{ burst, refill float64 }

// ECS's token buckets for reads, each for one account in one region ("Request throttling
// for the Amazon ECS API" in the ECS API reference). An account can have more (Service
// Quotas).
var (
	definitionReads = rate{50, 20}
	serviceReads    = rate{100, 20}
	taskReads       = rate{100, 20}
	deploymentReads = rate{50, 20}
)

// paces are the buckets that operations take their tokens from.
var paces = map[string]*rate{
	"DescribeTaskDefinition": &definitionReads, "ListTaskDefinitions": &definitionReads,
	"DescribeServices": &serviceReads, "ListServices": &serviceReads,
	"DescribeTasks": &taskReads, "ListTasks": &taskReads,
	"DescribeServiceDeployments": &deploymentReads, "ListServiceDeployments": &deploymentReads,
}

// yielded is for how many seconds of its share housekeeping leaves all tokens to others,
// after ECS throttled it: they need more than half.
const yielded = 2

// maxAtOnce is how many services a person may look at without waiting for tokens, unless
// ECS throttles a call.
const maxAtOnce = 100

// Pace is the half of ECS's tokens for reads in one account and region that clients take
// which read much and can wait, so that deployments always find some. If they read 100
// services at most, they take no tokens until ECS throttles one of their calls, and leave
// all to others for a while then. It is safe for concurrent use.
type Pace struct {
	pacer    pacer
	services int // that are read
}

// NewPace returns the pace for reading no services yet.
func NewPace() *Pace {
	return &Pace{pacer: pacer{share: 0.5, debt: yielded, buckets: map[*rate]*bucket{}}}
}

// Config returns a configuration for clients of ECS that read a number of services, besides
// those that the pace is for already.
func (p *Pace) Config(c aws.Config, services int) aws.Config {
	p.pacer.mu.Lock()
	defer p.pacer.mu.Unlock()
	p.services += services
	if p.services > maxAtOnce {
		p.pacer.always = true
		clear(p.pacer.buckets)
	}
	return paced(c, &p.pacer)
}

// Paced returns a configuration for clients of ECS that read much and can wait: see [Pace].
func Paced(c aws.Config) aws.Config { return NewPace().Config(c, maxAtOnce+1) }

// PacedIfThrottled returns a configuration for clients of ECS that deploy. Their reads
// are made at once, until ECS throttles one: then they are made one for each token that
// ECS gains, instead of each being tried again and again.
func PacedIfThrottled(c aws.Config) aws.Config {
	return paced(c, &pacer{share: 1, slots: make(chan struct{}, maxCalls), buckets: map[*rate]*bucket{}})
}

func paced(c aws.Config, p *pacer) aws.Config {
	c = c.Copy()
	c.APIOptions = append(slices.Clip(c.APIOptions), func(s *middleware.Stack) error {
		return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Pace", p.handle), "Retry", middleware.After)
	})
	return c
}

// pacer lets calls wait for their tokens. It is safe for concurrent use.
type pacer struct {
	share  float64       // of ECS's tokens
	always bool          // also before ECS has throttled a call
	debt   float64       // seconds without a token after that
	slots  chan struct{} // has an element for each call in progress, so that few are throttled first; nil: no limit

	mu      sync.Mutex
	buckets map[*rate]*bucket
}

// bucket is how many tokens there were at a time. Calls that wait make it negative.
type bucket struct {
	tokens float64
	at     time.Time
	open   bool // calls need no token
}

// handle is a middleware for each attempt of a call.
func (p *pacer) handle(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	r := paces[awsmiddleware.GetOperationName(ctx)]
	if r == nil {
		return next.HandleFinalize(ctx, in)
	}
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		case <-ctx.Done():
			return middleware.FinalizeOutput{}, middleware.Metadata{}, waited(ctx, r, context.Cause(ctx))
		}
	}
	if wait := p.take(r, time.Now()); wait > 0 {
		if err := fault.Wait(ctx, wait); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, waited(ctx, r, err)
		}
		fault.AddWait(ctx, wait)
	}
	out, metadata, err := next.HandleFinalize(ctx, in)
	if err != nil && fault.IsThrottled(err) {
		p.throttled(r, time.Now())
	}
	return out, metadata, err
}

// waited returns the error of a call whose turn did not come in time.
func waited(ctx context.Context, r *rate, err error) error {
	return fmt.Errorf("%s was not called in time: Amazon ECS throttles this account's reads to about %g a second: %w",
		awsmiddleware.GetOperationName(ctx), r.refill, err)
}

// bucket returns the bucket of a rate with what it has now. The pacer is locked.
func (p *pacer) bucket(r *rate, now time.Time) *bucket {
	b, full := p.buckets[r], r.burst*p.share
	if b == nil {
		b = &bucket{full, now, !p.always}
		p.buckets[r] = b
	}
	b.tokens, b.at = min(full, b.tokens+now.Sub(b.at).Seconds()*r.refill*p.share), now
	b.open = b.open || b.tokens == full && !p.always
	return b
}

// take takes a token, and returns how long the call has to wait for it.
func (p *pacer) take(r *rate, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(r, now)
	if b.open {
		return 0
	}
	if b.tokens--; b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / (r.refill * p.share) * float64(time.Second))
}

// throttled notes that ECS's bucket is empty.
func (p *pacer) throttled(r *rate, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(r, now)
	b.open, b.tokens = false, min(b.tokens, -p.debt*r.refill*p.share)
}
