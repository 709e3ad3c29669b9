package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"deployer/internal/awsconfig"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// maxLookups is how many tags are looked up at a time.
const maxLookups = 8

// board reads the status of services, once or repeatedly.
type board struct {
	env       *environment.Environment
	workloads []environment.Workload
	targets   []ecsservice.Target // of the workloads
	rollouts  *rollout.Client
	resolver  *resolve.Resolver
	memory    *rollout.Memory

	mu   sync.Mutex
	tags map[string]lookup // by reference
}

// lookup is what ECR answered for a tag, and when.
type lookup struct {
	drift TagDrift
	at    time.Time
}

// newBoard returns the board of an environment, which reads ECS at a pace.
func newBoard(p Place, pace *awsconfig.Pace) *board {
	b := &board{
		env: p.Env, rollouts: rollout.New(ecsservice.New(pace.Config(p.Config, len(p.Workloads)))),
		resolver: resolve.New(p.Config),
		memory:   &rollout.Memory{}, tags: map[string]lookup{},
	}
	for _, w := range p.Workloads {
		b.workloads = append(b.workloads, p.Env.Current(w))
		b.targets = append(b.targets, ecsservice.TargetOf(p.Env, w))
	}
	return b
}

// tag returns whether the tag that a workload runs is still on the image that it
// runs. ECR's answers are kept as long as ECS's.
func (b *board) tag(ctx context.Context, w environment.Workload, runs journal.Record) TagDrift {
	if why := untraceable(w, runs); why != "" {
		return TagDrift{State: "unknown", Reason: why}
	}
	key := w.Label() + " " + runs.Tag + " " + runs.Digest
	b.mu.Lock()
	known, ok := b.tags[key]
	b.mu.Unlock()
	if ok && time.Since(known.at) < rollout.MemoryTime {
		return known.drift
	}
	known = lookup{b.lookUp(ctx, w, runs), time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tags[key] = known
	return known.drift
}

// lookUp asks ECR which image the tag is on.
func (b *board) lookUp(ctx context.Context, w environment.Workload, runs journal.Record) TagDrift {
	now, err := b.resolver.Resolve(ctx, b.env, w, runs.Tag)
	switch {
	case err == nil && now.Digest == runs.Digest:
		return TagDrift{State: "none"}
	case err == nil:
		return TagDrift{State: "moved", Digest: now.Digest}
	case errors.Is(err, fault.ErrImageNotFound), errors.Is(err, fault.ErrRepositoryNotFound):
		return TagDrift{State: "gone"}
	case errors.Is(err, fault.ErrAccessDenied):
		return TagDrift{State: "unknown", Reason: "these credentials have no access to ECR"}
	default:
		return TagDrift{State: "unknown", Reason: "ECR answers " + fault.NameOf(err)}
	}
}

// untraceable returns why ECR cannot know a workload's tag, "" if it can.
func untraceable(w environment.Workload, runs journal.Record) string {
	ref, err := image.ParseReference(runs.Image)
	registry, ok := ref.Registry()
	switch {
	case err != nil || !ok:
		return "the image is from outside ECR"
	case ref.Repository != w.Repository || registry != w.Registry:
		return "the image is from another repository"
	case runs.Tag == "":
		return "the image was deployed without a tag"
	case runs.Digest == "":
		return "not by digest"
	}
	return ""
}

// read reads the status of all services, and which images their tags are on now.
func (b *board) read(ctx context.Context) ([]Service, error) {
	services := make([]Service, len(b.workloads))
	var lookups errgroup.Group
	lookups.SetLimit(maxLookups)
	err := b.rollouts.Statuses(ctx, b.env.Cluster, b.targets, b.memory, func(i int, s rollout.Status, err error) {
		w, row := b.workloads[i], &services[i]
		row.Name = w.Label()
		if w.HasService() {
			row.ECSService = w.Pointer.Name()
		}
		if err != nil {
			row.Error = ErrorOf(err)
			return
		}
		row.Condition, row.Since, row.Running = s.Condition, s.Since, &s.Running
		row.Troubled, row.Why, row.Stopped = s.Trouble.Revision, s.Trouble.Why, s.Trouble.Stopped
		p, deployment := s.Progress, s.Deployment
		row.Rollout = &Rollout{
			DeploymentID: p.DeploymentID, Reason: p.Reason,
			Desired: p.Desired, Running: p.Running, Pending: p.Pending, Failed: p.Failed,
			Stage: deployment.Stage, PausedUntil: deployment.Until, Then: deployment.Then,
		}
		row.Drift = &Drift{Newest: s.Newest, SameImage: s.SameImage}
		if task := s.Task; task != nil {
			row.Pointers, row.NextRun, row.DueAt = task.Pointers, task.Next, task.Due
			row.Disabled, row.Over = task.Disabled, task.Over
			row.Drift.Pointers = task.Others
		}
		lookups.Go(func() error {
			row.Drift.Tag = b.tag(ctx, w, s.Running)
			return nil
		})
	})
	return services, errors.Join(err, lookups.Wait())
}
