// Package dependents finds the services that depend on a parameter, a secret or an
// environment file: those whose running revision refers to it. It only reads.
package dependents

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
)

const (
	// maxCalls is how many revisions are read at the same time.
	maxCalls = 8
	// maxRemembered is how many revisions a process remembers. They never change.
	maxRemembered = 5000
)

// Finder finds dependent services. It is safe for concurrent use.
type Finder struct {
	services *ecsservice.Client

	mu   sync.Mutex
	read map[string][]string // what revisions refer to, by ARN
}

// New returns a finder that reads services with the given client.
func New(services *ecsservice.Client) *Finder {
	return &Finder{services: services, read: map[string][]string{}}
}

// Dependent is a service that depends on what changed.
type Dependent struct {
	Workload environment.Workload
	// RolledOut is when its newest rollout began that ECS lists neither as failed nor as a
	// rollback. It may be a rollback that has ended.
	RolledOut time.Time
}

// Of returns the services whose running revision refers to what changed, in the order of the
// environment file. A service that is missing is left out. Skipped are the names of the
// services that were not looked at, because they have another deployment controller than ECS.
// It reads ten services a call, and each running revision once in the life of a process. The
// error is a fault of package fault.
func (f *Finder) Of(ctx context.Context, env *environment.Environment, change event.Change) (found []Dependent,
	skipped []string, err error) {
	var all []Dependent
	var targets []ecsservice.Target
	for _, w := range env.Workloads {
		if w.Deployable() && slices.Contains(environment.Services, w.Kind) {
			all, targets = append(all, Dependent{Workload: w}), append(targets, ecsservice.TargetOf(env, w))
		}
	}
	services, err := f.services.DescribeServices(ctx, env.Cluster, targets)
	if err != nil {
		return nil, nil, err
	}
	refers := make([]bool, len(all))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxCalls)
	for i, one := range services {
		if fault.IsUnavailable(one.Err) {
			return nil, nil, one.Err
		}
		if errors.Is(one.Err, fault.ErrControllerNotECS) {
			skipped = append(skipped, all[i].Workload.Name)
		}
		if one.Err != nil {
			continue
		}
		for _, d := range one.Service.Deployments {
			failed := d.RolloutState == types.DeploymentRolloutStateFailed || ecsservice.IsRollback(d)
			if created := aws.ToTime(d.CreatedAt); !failed && created.After(all[i].RolledOut) {
				all[i].RolledOut = created
			}
		}
		g.Go(func() error {
			values, err := f.references(gctx, aws.ToString(one.Service.TaskDefinition))
			refers[i] = slices.ContainsFunc(values, func(v string) bool { return change.RefersTo(env, v) })
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	for i, one := range all {
		if refers[i] {
			found = append(found, one)
		}
	}
	return found, skipped, nil
}

// HaveNew returns the names of the services whose tasks have what was there at a time, because a
// rollout began then or later, and has not failed. A rollback by ECS is none: it keeps or
// starts tasks of an earlier rollout. ListServiceDeployments lists no rollback. Where it may not
// be called, every rollout counts that DescribeServices shows neither as failed nor as a
// rollback. The error is a fault that a retry may mend.
func (f *Finder) HaveNew(ctx context.Context, env *environment.Environment, all []Dependent, at time.Time) (
	names []string, err error) {
	has := make([]bool, len(all))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxCalls)
	for i, one := range all {
		if one.RolledOut.Before(at) {
			continue
		}
		g.Go(func() error {
			rollouts, err := f.services.ListRollouts(gctx, ecsservice.TargetOf(env, one.Workload))
			if fault.IsUnavailable(err) {
				return err
			}
			has[i] = err != nil || slices.ContainsFunc(rollouts, func(r ecsservice.PastRollout) bool {
				return !r.Created.Before(at) && !failed(r)
			})
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, one := range all {
		if has[i] {
			names = append(names, one.Workload.Name)
		}
	}
	return names, nil
}

// failed reports whether a rollout was rolled back or stopped.
func failed(r ecsservice.PastRollout) bool {
	return r.RolledBack || r.Status == types.ServiceDeploymentStatusStopped ||
		r.Status == types.ServiceDeploymentStatusStopRequested
}

// references returns what a revision refers to.
func (f *Finder) references(ctx context.Context, arn string) ([]string, error) {
	f.mu.Lock()
	values, known := f.read[arn]
	f.mu.Unlock()
	if known {
		return values, nil
	}
	r, err := f.services.DescribeRevision(ctx, arn)
	if err != nil {
		return nil, err
	}
	values = r.References()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.read) >= maxRemembered {
		clear(f.read)
	}
	f.read[arn] = values
	return values, nil
}
