package ecsservice

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Group reads the services of several targets together, ten a call. It is safe for
// concurrent use.
type Group struct {
	client  *Client
	batches map[serviceKey]*batch
}

type serviceKey struct{ cluster, service string }

// batch is one call.
type batch struct {
	cluster string
	targets []Target

	begun atomic.Bool
	ended chan struct{}
	read  map[serviceKey]Described
}

// Group returns the group of targets. It calls nothing yet.
func (c *Client) Group(targets []Target) *Group {
	g := &Group{c, map[serviceKey]*batch{}}
	filling := map[string]*batch{} // by cluster
	for _, t := range targets {
		key := serviceKey{t.Cluster, t.Service}
		if g.batches[key] != nil || t.Task {
			continue
		}
		b := filling[t.Cluster]
		if b == nil || len(b.targets) == maxServices {
			b = &batch{cluster: t.Cluster, ended: make(chan struct{})}
			filling[t.Cluster] = b
		}
		b.targets = append(b.targets, t)
		g.batches[key] = b
	}
	return g
}

// DescribeService is [Client.DescribeService] for a target of the group. The first one of
// ten that is asked for reads all of them, under its context; the others get what it read.
// If that call fails for good, which one of the ten may be to blame for, each is read by
// itself.
func (g *Group) DescribeService(ctx context.Context, t Target) (*types.Service, error) {
	key := serviceKey{t.Cluster, t.Service}
	b := g.batches[key]
	if b == nil {
		return g.client.DescribeService(ctx, t)
	}
	if b.begun.CompareAndSwap(false, true) {
		b.describe(ctx, g.client)
		close(b.ended)
	}
	select {
	case <-b.ended:
	case <-ctx.Done():
		return nil, fault.Classify(t.describing(), context.Cause(ctx))
	}
	d, ok := b.read[key]
	if !ok {
		return g.client.DescribeService(ctx, t)
	}
	return d.Service, d.Err
}

// Snapshot is [Client.Snapshot] for a deployment to a target of the group, or to another
// one. It reads the revisions between with read. External revisions that do not run, such
// as Terraform registers, cost no further round trip then.
func (g *Group) Snapshot(ctx context.Context, t Target, read func(ctx context.Context, arn string) (Revision, error)) (
	Snapshot, error) {
	return g.client.snapshot(ctx, t, g.DescribeService, read)
}

// describe makes the call.
func (b *batch) describe(ctx context.Context, c *Client) {
	into := make([]Described, len(b.targets))
	err := c.describeBatch(ctx, b.cluster, b.targets, into)
	if err != nil && len(b.targets) > 1 && !fault.IsUnavailable(err) {
		return
	}
	b.read = make(map[serviceKey]Described, len(into))
	for i, t := range b.targets {
		b.read[serviceKey{t.Cluster, t.Service}] = into[i]
	}
}
