package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// ReconcileSource is the source of a deployment for which no event came.
const ReconcileSource = "deployer.reconcile"

// candidate is a tag that deploys a service when it is pushed, and the image it is on.
type candidate struct {
	workload environment.Workload
	tag      string
	image    image.Reference
	pushed   time.Time
}

// reconcile looks for pushes whose events were lost, for ECR sends them as best
// it can: where a service does not run the image that an auto_deploy tag is on,
// and that image was pushed after the event that the service runs by, it is
// deployed as of its push. A service that a person moved back since is left
// alone. Tags that are patterns cannot be asked for, and are passed over.
func (p *Pipeline) reconcile(ctx context.Context, env *environment.Environment, id string) (Result, error) {
	result := Result{EventID: id, Status: ecsdeploy.Ignored, Deployments: []ecsdeploy.Deployment{}}
	if p.reconcileDenied.Load() {
		result.Reason = "reconciling is off: the registry does not let this function describe images"
		return result, nil
	}
	candidates, targets := reconcilable(env)
	var running []*ecsservice.RunningImage
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { running, err = p.services.RunningImages(gctx, env.Cluster, targets); return err })
	g.Go(func() error { return p.lookUp(gctx, env, candidates) })
	if err := g.Wait(); fault.NameOf(err) == "AccessDenied" && p.reconcileDenied.Load() {
		slog.WarnContext(ctx, "reconciling is off until the next cold start", "event_id", id, "error", err.Error())
		result.Reason = err.Error()
		return result, nil
	} else if err != nil {
		return Result{}, err
	}
	requests, compared := lost(candidates, running, id)
	result.Status, result.Reason = ecsdeploy.Unchanged, fmt.Sprintf("%d of %d services run what their tags are on, or newer; for the others there is no such image or no service that can be deployed to", compared-len(requests), len(candidates))
	if compared == len(candidates) {
		result.Reason = fmt.Sprintf("%d services run what their tags are on, or newer", compared-len(requests))
	}
	slog.InfoContext(ctx, "reconciled", "event_id", id, "services", len(candidates), "compared", compared, "lost", len(requests))
	p.teller.reconciled()
	if len(requests) == 0 {
		return result, nil
	}
	return p.run(ctx, env, result, nil, requests)
}

// reconcilable returns what there is to compare: a candidate for each service
// and whole tag, and its target beside it.
func reconcilable(env *environment.Environment) (candidates []candidate, targets []ecsservice.Target) {
	for _, w := range env.Workloads {
		if w.ECSService == "" || w.Repository == "" {
			continue
		}
		for _, tag := range env.AutoDeployTags() {
			candidates = append(candidates, candidate{workload: w, tag: tag})
			targets = append(targets, ecsservice.TargetOf(env, w))
		}
	}
	return candidates, targets
}

// lookUp asks ECR which images the candidates' tags are on.
func (p *Pipeline) lookUp(ctx context.Context, env *environment.Environment, candidates []candidate) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range candidates {
		g.Go(func() error {
			c := &candidates[i]
			var err error
			c.image, c.pushed, err = p.resolver.Pushed(gctx, env, c.workload, c.tag)
			switch fault.NameOf(err) {
			case "AccessDenied":
				p.reconcileDenied.Store(true)
			case "RepositoryNotFound": // nothing was ever pushed
				return nil
			}
			return err
		})
	}
	return g.Wait()
}

// lost returns a request for each push that should have deployed and did not,
// and how many services could be compared.
func lost(candidates []candidate, running []*ecsservice.RunningImage, id string) (requests []event.Request, compared int) {
	for i, c := range candidates {
		r := running[i]
		if r == nil || c.image.Digest == "" {
			continue
		}
		compared++
		if r.Is(c.image) || !c.pushed.After(r.Since) {
			continue
		}
		requests = append(requests, event.Request{
			Cause: event.Cause{
				ID:   "reconcile-" + c.image.Digest[len("sha256:"):][:16], // the same for every schedule that sees it
				Time: c.pushed.UTC(), Source: ReconcileSource, Reason: "the event of the push was lost; found by " + id,
			},
			Workload: c.workload, Tag: c.tag, Digest: c.image.Digest, Push: true,
		})
	}
	return requests, compared
}
