package ecsservice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
	"deployer/internal/pointer"
)

const (
	maxServices = 10 // services in one DescribeServices call
	maxInFlight = 8  // calls at the same time
)

// Client reads Amazon ECS in one account and region. It is safe for concurrent use.
type Client struct {
	ecs       *ecs.Client
	pointers  *pointer.Client
	described *sync.Map // answers to DescribeTaskDefinition by what they describe; nil: none is kept
}

// New returns a client that calls ECS with the credentials and in the region of
// config.
func New(config aws.Config) *Client {
	return &Client{ecs: ecs.NewFromConfig(config), pointers: pointer.New(config)}
}

// NewOnce is [New] for a client that looks at ECS once: it describes no revision or family
// again.
func NewOnce(config aws.Config) *Client {
	c := New(config)
	c.described = &sync.Map{}
	return c
}

// SDK returns the SDK's client, so that packages that make other calls share its
// connections.
func (c *Client) SDK() *ecs.Client { return c.ecs }

// Snapshot is a service and the two revisions of its family that matter to a
// deployment, as they were read at one time.
type Snapshot struct {
	Service *types.Service
	Running Revision // the one that the service runs, or is being moved to
	Newest  Revision // the latest ACTIVE one of the family; if it has none, the running one

	// Between are those between the two that could be read, newest first, if an external
	// one is the newest: only [Group.Snapshot] reads them.
	Between []Revision

	Pointers []pointer.Pointer // of a task: what starts it
}

// maxBetween is how many revisions between the running and the newest one are read at
// the same time as the running one.
const maxBetween = 16

// Snapshot reads the target's service and its family's newest revision at the
// same time, and then the running revision if it is another one. If the service
// cannot be deployed to, the error is that of [Target.CheckDeployable].
func (c *Client) Snapshot(ctx context.Context, t Target) (Snapshot, error) {
	return c.snapshot(ctx, t, c.DescribeService, nil)
}

// describeRevision reads a revision by its ARN.
type describeRevision func(ctx context.Context, arn string) (Revision, error)

// snapshot reads a service with describe, and the revisions between with between, unless
// that is nil.
func (c *Client) snapshot(
	ctx context.Context, t Target, describe func(context.Context, Target) (*types.Service, error),
	between describeRevision,
) (Snapshot, error) {
	if t.Task {
		return c.snapshotTask(ctx, t)
	}
	var s Snapshot
	var serviceErr, runningErr, familyErr error
	var both sync.WaitGroup
	both.Go(func() { s.Service, serviceErr = describe(ctx, t) })
	both.Go(func() { s.Newest, familyErr = c.DescribeRevision(ctx, t.Family) })
	both.Wait()
	if serviceErr != nil {
		return Snapshot{}, serviceErr
	}
	runs := aws.ToString(s.Service.TaskDefinition)
	if runs == "" {
		return Snapshot{}, fault.Incomplete(t.describing(), "task definition of the service")
	}
	if familyErr == nil && s.Newest.ARN() == runs {
		s.Running = s.Newest
		return s, nil
	}
	// If the service runs another family than the conventional one, the
	// conventional one need not exist.
	family := FamilyOf(runs)
	if familyErr != nil && family == t.Family && !errors.Is(familyErr, fault.ErrTaskDefinitionNotFound) {
		return Snapshot{}, familyErr
	}
	both.Go(func() { s.Running, runningErr = c.DescribeRevision(ctx, runs) })
	if between != nil && familyErr == nil && t.Record(s.Newest).Foreign && FamilyOf(s.Newest.ARN()) == family {
		both.Go(func() { s.Between = readBetween(ctx, NumberOf(runs), s.Newest, between) })
	}
	if family != t.Family {
		both.Go(func() { s.Newest, familyErr = c.DescribeRevision(ctx, family) })
	}
	both.Wait()
	// A family whose revisions are all deregistered has no latest one. The one that
	// runs can still be described, and is cloned.
	if runningErr == nil && errors.Is(familyErr, fault.ErrTaskDefinitionNotFound) {
		s.Newest, familyErr = s.Running, nil
	}
	return s, errors.Join(runningErr, familyErr)
}

// readBetween reads the revisions between two. What could not be read is left out: a
// caller that needs it reads it again, and reports what is wrong.
func readBetween(ctx context.Context, low int, newest Revision, read describeRevision) []Revision {
	low = max(low, newest.Number()-1-maxBetween)
	all := make([]Revision, max(0, newest.Number()-1-low))
	var wait sync.WaitGroup
	for i := range all {
		wait.Go(func() {
			if r, err := read(ctx, Sibling(newest.ARN(), newest.Number()-1-i)); err == nil {
				all[i] = r
			}
		})
	}
	wait.Wait()
	return slices.DeleteFunc(all, func(r Revision) bool { return r.TaskDefinition == nil })
}

// DescribeService reads the target's service with DescribeServices. If the
// service is missing, the error is [fault.ErrServiceNotFound]. If it cannot be
// deployed to, it is returned together with the error of
// [Target.CheckDeployable].
func (c *Client) DescribeService(ctx context.Context, t Target) (*types.Service, error) {
	if t.Task {
		d := c.describeTask(ctx, t)
		return d.Service, d.Err
	}
	in := &ecs.DescribeServicesInput{Cluster: aws.String(t.Cluster), Services: []string{t.Service}}
	out, err := c.ecs.DescribeServices(ctx, in, retrying(ctx))
	if err != nil {
		return nil, t.describeFailed(err)
	}
	d := t.find(out)
	return d.Service, d.Err
}

// FindService reads the target's service even if it cannot be deployed to; it
// returns nil if there is none.
func (c *Client) FindService(ctx context.Context, t Target) (*types.Service, error) {
	service, err := c.DescribeService(ctx, t)
	if service != nil || errors.Is(err, fault.ErrServiceNotFound) {
		return service, nil
	}
	return nil, err
}

// Described is the part of a DescribeServices answer that concerns one service.
type Described struct {
	Service  *types.Service    // nil if it could not be read
	Err      error             // why it could not be read, or cannot be deployed to
	Pointers []pointer.Pointer // of a task: what starts it
}

// DescribeServices reads the services of targets in one cluster: ten a call, at
// most eight calls at the same time. If calls fail, it returns the first error,
// together with the services that other calls returned. Each task is read by itself.
func (c *Client) DescribeServices(ctx context.Context, cluster string, targets []Target) ([]Described, error) {
	all := make([]Described, len(targets))
	services := slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.Task })
	read := make([]Described, len(services))
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	for first := 0; first < len(services); first += maxServices {
		part := services[first:min(first+maxServices, len(services))]
		g.Go(func() error { return c.describeBatch(ctx, cluster, part, read[first:]) })
	}
	c.describeTasks(ctx, targets, all)
	err := g.Wait()
	for i, t := range targets {
		if !t.Task {
			all[i], read = read[0], read[1:]
		}
	}
	return all, err
}

// describeBatch reads the services of at most ten targets into the first
// elements of into.
func (c *Client) describeBatch(ctx context.Context, cluster string, targets []Target, into []Described) error {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.Service
	}
	in := &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: names}
	out, err := c.ecs.DescribeServices(ctx, in, retrying(ctx))
	for i, t := range targets {
		if err != nil {
			into[i] = Described{Err: t.describeFailed(err)}
		} else {
			into[i] = t.find(out)
		}
	}
	if err != nil {
		return into[0].Err
	}
	return nil
}

// describeFailed returns the fault of a DescribeServices call that failed.
func (t Target) describeFailed(err error) error {
	if fault.HasCode(err, "ClusterNotFoundException") {
		return fault.Misconfigured(fault.ErrClusterNotFound, t.describing(),
			fmt.Errorf("cluster %q does not exist in this account and region", t.Cluster),
			"create it, or correct deployer.cluster in "+t.File)
	}
	return fault.Classify(t.describing(), err)
}

// find returns the target's service in an answer.
func (t Target) find(out *ecs.DescribeServicesOutput) Described {
	i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == t.Service })
	if i >= 0 && aws.ToString(out.Services[i].Status) == "" {
		return Described{Err: fault.Incomplete(t.describing(), "status of the service")}
	}
	if i >= 0 {
		return Described{Service: &out.Services[i], Err: t.CheckDeployable(&out.Services[i])}
	}
	if !slices.ContainsFunc(out.Failures, func(f types.Failure) bool { return aws.ToString(f.Reason) != "" }) {
		return Described{Err: fault.Incomplete(t.describing(), "service, and no reason")}
	}
	name, cause := fault.ErrServiceNotFound, errors.New("the service does not exist")
	for _, f := range out.Failures {
		if strings.HasSuffix(aws.ToString(f.Arn), "/"+t.Service) && aws.ToString(f.Reason) != "MISSING" {
			name = "ServiceNotShown"
			cause = fmt.Errorf("ECS does not show the service: %s %s", aws.ToString(f.Reason), aws.ToString(f.Detail))
		}
	}
	return Described{Err: fault.Misconfigured(name, t.describing(), cause,
		"create it with the infrastructure, or correct deployer.workloads."+t.Workload+".service in "+t.File)}
}

// IsPrimary reports whether a deployment is the service's newest.
func IsPrimary(d types.Deployment) bool { return aws.ToString(d.Status) == "PRIMARY" }

// retrying makes one call retry until the deadline of ctx.
func retrying(ctx context.Context) func(*ecs.Options) {
	return func(o *ecs.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}
