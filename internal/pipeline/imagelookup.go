package pipeline

import (
	"context"
	"fmt"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/resolve"
)

// imageLookup finds the image of a request in ECR.
type imageLookup func(context.Context) (resolve.Image, error)

// lookupFor returns how to find the image of a request: by its tag, for a push by
// the digest that was pushed, for a redeployment as the image that runs, or for a
// rollback as that of an earlier revision; with both it completes the request. The
// result of a rollback that was carried out before is returned at once.
func (p *Pipeline) lookupFor(ctx context.Context, env *environment.Environment, request *event.Request) (
	imageLookup, *ecsdeploy.Deployment, error) {
	w := request.Workload
	if w.External != "" && (request.Redeploy || request.Rollback) { // explain says the same
		doing := map[bool]string{true: "redeploying", false: "rolling back"}[request.Redeploy]
		return nil, nil, fault.Rejected(fault.ErrImageOutsideECR, fmt.Sprintf("%s %s %q", doing, w.Kind, w.Name),
			fmt.Errorf("its image %q is not in ECR", w.External),
			"to deploy from ECR, remove the image from "+env.File+" and apply the infrastructure")
	}
	if request.Redeploy {
		lookup, err := p.runningImage(ctx, env, request)
		return lookup, nil, err
	}
	if request.Rollback {
		return p.rollbackImage(ctx, env, request)
	}
	digest := request.Digest
	if !image.ValidDigest(digest) {
		digest = ""
	}
	lookup := p.lookup(env, w, request.Tag, digest)
	if request.Replicated && p.scheduler != nil {
		return p.awaitReplica(*request, lookup), nil, nil
	}
	return lookup, nil, nil
}

// lookup returns a lookup of the image with a digest; of the one that has the tag now, if the
// digest is "". By now the tag may be on an image that was pushed later.
func (p *Pipeline) lookup(env *environment.Environment, w environment.Workload, tag, digest string) imageLookup {
	return func(ctx context.Context) (resolve.Image, error) {
		if digest == "" {
			return p.resolver.Image(ctx, env, w, tag)
		}
		return p.resolver.PinnedImage(ctx, env, w, tag, digest)
	}
}

// rollbackImage returns how to find the image that a rollback restores, with which it completes
// the request. The result of a rollback that was carried out before is returned at once.
func (p *Pipeline) rollbackImage(ctx context.Context, env *environment.Environment, request *event.Request) (
	imageLookup, *ecsdeploy.Deployment, error) {
	w := request.Workload
	t := ecsservice.TargetOf(env, w)
	back, done, err := p.deployer.RollbackTo(ctx, t, request.To, request.Cause.ID)
	if err != nil {
		return nil, nil, err
	}
	if done {
		service := t.Service
		if t.Task {
			service = ""
		}
		return nil, &ecsdeploy.Deployment{
			Service: w.Label(), Status: ecsdeploy.Unchanged, Reason: "this event was carried out before",
			Cluster: t.Cluster, ECSService: service, TaskDefinition: back.TaskDefinition,
			Image: back.Image, Tag: back.Tag, Digest: back.Digest,
		}, nil
	}
	ref, err := image.ParseReference(back.Image)
	registry, isECR := ref.Registry()
	if err != nil || !isECR {
		return nil, nil, fault.Rejected(fault.ErrImageOutsideECR,
			fmt.Sprintf("rolling back %s to revision %d", t, back.Revision),
			fmt.Errorf("its image %q is not in ECR, so the deployer cannot check that it exists", back.Image),
			"choose another revision: "+t.Command("history"))
	}
	request.Tag, request.Digest, request.Restores = back.Tag, back.Digest, back.Origin()
	request.Cause.Reason = ecsdeploy.RollbackReason(back.Revision, request.Cause.Reason)
	w.Registry, w.Repository = registry, ref.Repository // of the old image: the ECR strategy may have changed since
	return p.lookup(env, w, back.Tag, back.Digest), nil, nil
}

// runningImage returns how to find the image that the service of a redeployment runs,
// with which it completes the request.
func (p *Pipeline) runningImage(ctx context.Context, env *environment.Environment, request *event.Request) (
	imageLookup, error) {
	w := request.Workload
	t := ecsservice.TargetOf(env, w)
	runs, err := p.deployer.Running(ctx, t)
	if err != nil {
		return nil, err
	}
	ref, err := image.ParseReference(runs.Image)
	registry, isECR := ref.Registry()
	if err != nil || !isECR || runs.Tag == "" && runs.Digest == "" {
		return nil, fault.Rejected(fault.ErrImageOutsideECR,
			fmt.Sprintf("redeploying %s, which runs revision %d", t, runs.Revision),
			fmt.Errorf("its image %q is not in ECR, so the deployer cannot check that it exists", runs.Image),
			"deploy a tag instead: "+t.Command("deploy")+" TAG")
	}
	request.Tag, request.Digest = runs.Tag, runs.Digest
	w.Registry, w.Repository = registry, ref.Repository
	return p.lookup(env, w, runs.Tag, runs.Digest), nil
}
