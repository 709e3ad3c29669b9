package ecsdeploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
)

// readRevisions reads revisions at the same time, unless this process remembers them.
// One that was deleted counts as deregistered.
func (r *run) readRevisions(ctx context.Context, calls []converge.Call) error {
	s, read := r.state, make([]ecsservice.Revision, len(calls))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxReads)
	for i, c := range calls {
		g.Go(func() (err error) {
			read[i], err = r.deployer.remembered(gctx, s.target, s.arn(c.Number))
			if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
				deleted := types.TaskDefinitionStatusDeleteInProgress
				read[i].TaskDefinition = &types.TaskDefinition{Revision: int32(c.Number), Status: deleted}
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, one := range read {
		s.addRevision(one)
	}
	return nil
}

// remembered reads a revision by its ARN, unless this process remembers it.
func (d *Deployer) remembered(ctx context.Context, t ecsservice.Target, arn string) (ecsservice.Revision, error) {
	if one, ok := d.memory.get(arn, d.now()); ok {
		return one, nil
	}
	one, err := d.services.DescribeRevision(ctx, arn)
	if err == nil {
		d.memory.put(t, one, d.now())
	}
	return one, err
}

// readService reads the service again, and the revision that it runs now. If another
// delivery is to be waited for, it waits first.
func (r *run) readService(ctx context.Context, wait bool) (converge.Answer, error) {
	s := r.state
	if wait {
		if err := fault.Wait(ctx, twinPause); err != nil {
			return converge.Answer{}, fault.Classify("waiting for another delivery of the event", err)
		}
		r.forgetPending()
	}
	s.readAt(r.deployer.now())
	if s.pointers != nil {
		return r.readPointers(ctx)
	}
	service, err := r.deployer.services.DescribeService(ctx, s.target)
	if err != nil {
		return converge.Answer{}, err
	}
	if s.rollouts(service).OlderThan(s.rolls) { // ECS's reads are eventually consistent
		return converge.Answer{Service: s.rolls}, nil
	}
	runs := aws.ToString(service.TaskDefinition)
	if ecsservice.FamilyOf(runs) != s.familyName {
		return converge.Answer{}, fault.Unavailable("FamilyChanged",
			fmt.Sprintf("describing service %q in cluster %q", s.target.Service, s.target.Cluster),
			fmt.Errorf("its task definition changed from family %q to %q during the deployment", s.familyName, runs),
			"the event is retried")
	}
	number := ecsservice.NumberOf(runs)
	one, known := s.revisions[number]
	if !known {
		if one, err = r.deployer.services.DescribeRevision(ctx, runs); err != nil {
			return converge.Answer{}, err
		}
		s.addRevision(one)
	}
	s.running = one
	s.updateService(service)
	if number == s.unused { // the answer to the move was lost
		s.unused, s.rollout = 0, rollout(service, runs)
	}
	return converge.Answer{Service: s.rolls}, nil
}
