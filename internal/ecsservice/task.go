package ecsservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// A task has no ECS service. It is read as if it had one: a service that runs the revision
// which the task's first pointer holds, and whose rollout has completed.

// taskTarget completes the target of a task. Its journals name it as a service with the
// name "task:NAME", whatever its pointers are: several of them share the revisions.
func taskTarget(t Target, env *environment.Environment, w environment.Workload) Target {
	t.Task, t.Pointers, t.Region, t.Environment = true, w.Pointers, env.Region, env.Name
	t.Account = env.AccountID
	schedules, rules := env.StartRoles()
	t.StartRoles = slices.Concat(schedules, rules)
	t.Service = environment.TaskPrefix + w.Name
	return t
}

// Noun returns what the target is: "service" or "task".
func (t Target) Noun() string {
	if t.Task {
		return "task"
	}
	return "service"
}

// String returns what the target is for people: service "NAME", or task "NAME".
func (t Target) String() string {
	if t.Task {
		return fmt.Sprintf("task %q", strings.TrimPrefix(t.Workload, environment.TaskPrefix))
	}
	return fmt.Sprintf("service %q", t.Service)
}

// owner returns the target as package pointer needs it.
func (t Target) owner() pointer.Owner {
	name := strings.TrimPrefix(t.Workload, environment.TaskPrefix)
	return pointer.Owner{Task: name, File: t.File, Environment: t.Environment, Cluster: t.Cluster, Region: t.Region,
		Account: t.Account, Family: t.Family, StartRoles: t.StartRoles}
}

// Pointers reads what starts the target's task.
func (c *Client) Pointers(ctx context.Context, t Target) ([]pointer.Pointer, error) {
	return c.pointers.Read(ctx, t.owner(), t.Pointers)
}

// MovePointer makes a pointer of the target's task hold the revision with an ARN. The
// pointer has to be as it was just read: see [pointer.Client.Move].
func (c *Client) MovePointer(ctx context.Context, t Target, p pointer.Pointer, arn string) error {
	return c.pointers.Move(ctx, t.owner(), p, arn)
}

// CheckTime returns the fault of the first pointer of the target's task that must not be changed any more: see
// [pointer.Owner.CheckTime]. One that floats is never changed.
func (t Target) CheckTime(pointers []pointer.Pointer, now time.Time) error {
	for _, p := range pointers {
		if p.Floating() {
			continue
		}
		if err := t.owner().CheckTime(p, now); err != nil {
			return err
		}
	}
	return nil
}

// PassAdvice returns what to do so that the function may pass the role of a pointer of the
// target's task.
func (t Target) PassAdvice(p pointer.Pointer) string {
	_, role, _ := strings.Cut(p.Role, ":role/")
	return t.owner().PassAdvice(p.Rule, role)
}

// PointerRights asks IAM what the roles of pointers lack to start the revision of their
// family with a number: see [pointer.Client.Rights].
func (c *Client) PointerRights(ctx context.Context, pointers []pointer.Pointer, number int,
	roles []string) []pointer.Answer {
	return c.pointers.Rights(ctx, pointers, number, roles)
}

// RevisionARN returns the ARN of the revision that a pointer holds, or the ARN of the
// newest one if it floats.
func RevisionARN(p pointer.Pointer, newest string) string {
	if p.Floating() {
		return newest
	}
	arn := strings.SplitN(p.Cluster, ":", 6) // the cluster and the family are in one account
	return fmt.Sprintf("%s:task-definition/%s:%d", strings.Join(arn[:min(5, len(arn))], ":"), p.Family(), p.Revision())
}

// asService returns a task as a service that runs the revision with an ARN.
func asService(pointers []pointer.Pointer, t Target, runs string) *types.Service {
	var how struct {
		LaunchType               types.LaunchType
		CapacityProviderStrategy []struct{ CapacityProvider string }
	}
	_ = json.Unmarshal(pointers[0].EcsParameters, &how) // it was read before
	s := &types.Service{ServiceName: aws.String(t.Service), Status: aws.String("ACTIVE"), LaunchType: how.LaunchType,
		TaskDefinition: aws.String(runs)}
	for _, one := range how.CapacityProviderStrategy {
		s.CapacityProviderStrategy = append(s.CapacityProviderStrategy,
			types.CapacityProviderStrategyItem{CapacityProvider: aws.String(one.CapacityProvider)})
	}
	s.Deployments = []types.Deployment{{Status: aws.String("PRIMARY"), TaskDefinition: aws.String(runs),
		RolloutState: types.DeploymentRolloutStateCompleted}}
	return s
}

// describeTask reads a task as a service. If its first pointer floats, it reads the
// family's newest revision too.
func (c *Client) describeTask(ctx context.Context, t Target) Described {
	pointers, err := c.Pointers(ctx, t)
	if err != nil {
		return Described{Err: err}
	}
	newest := ""
	if pointers[0].Floating() {
		r, err := c.DescribeRevision(ctx, t.Family)
		if err != nil {
			return Described{Err: err}
		}
		newest = r.ARN()
	}
	return Described{Service: asService(pointers, t, RevisionARN(pointers[0], newest)), Pointers: pointers}
}

// describeTasks completes what DescribeServices read with the tasks among the targets, at
// most eight at the same time.
func (c *Client) describeTasks(ctx context.Context, targets []Target, into []Described) {
	var g errgroup.Group
	g.SetLimit(maxInFlight)
	for i, t := range targets {
		if t.Task {
			g.Go(func() error {
				into[i] = c.describeTask(ctx, t)
				return nil
			})
		}
	}
	_ = g.Wait() // each has its own error
}

// snapshotTask is [Client.Snapshot] for a task.
func (c *Client) snapshotTask(ctx context.Context, t Target) (Snapshot, error) {
	var s Snapshot
	var pointerErr, familyErr error
	var both sync.WaitGroup
	both.Go(func() { s.Pointers, pointerErr = c.Pointers(ctx, t) })
	both.Go(func() { s.Newest, familyErr = c.DescribeRevision(ctx, t.Family) })
	both.Wait()
	none := errors.Is(familyErr, fault.ErrTaskDefinitionNotFound) // no revision of the family is ACTIVE
	switch {
	case pointerErr != nil:
		return Snapshot{}, pointerErr
	case familyErr != nil && (!none || s.Pointers[0].Floating()):
		return Snapshot{}, familyErr
	}
	runs := ""
	if none {
		runs = RevisionARN(s.Pointers[0], "")
	} else {
		runs = RevisionARN(s.Pointers[0], s.Newest.ARN())
	}
	s.Running = s.Newest
	if none || s.Newest.ARN() != runs {
		running, err := c.DescribeRevision(ctx, runs)
		switch {
		case err == nil:
			s.Running = running
		case none || !errors.Is(err, fault.ErrTaskDefinitionNotFound): // one that was deleted runs no more
			return Snapshot{}, err
		}
	}
	if none {
		s.Newest = s.Running
	}
	s.Service = asService(s.Pointers, t, s.Running.ARN())
	return s, nil
}
