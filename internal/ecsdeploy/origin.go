package ecsdeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
)

// originSkew is how far the time of a rollback may be outside that of the service
// deployment that it is a part of.
const originSkew = 2 * time.Second

// readOrigin reads what started a rollout, and which revisions failed, from the service
// deployments. ECS has one for each move of the service, and none for a rollback, which
// is a part of the one that failed. If they cannot be read, the origin is unknown.
func (r *run) readOrigin(ctx context.Context, id string) converge.Answer {
	s, services := r.state, r.deployer.services
	s.origins[id] = converge.Unknown
	past, known := services.PastRollouts(ctx, s.target)
	if known {
		s.origins[id] = originOf(past, id, s.created(id))
	}
	var failed []ecsservice.PastRollout
	for _, p := range past {
		if p.RolledBack {
			failed = append(failed, p)
		}
	}
	if len(failed) > 0 && services.AddTaskDefinitions(ctx, s.service, failed) {
		for _, p := range failed {
			s.failed[p.TaskDefinition] = true
		}
	}
	return converge.Answer{Origin: s.origins[id]}
}

// originOf returns the origin of a rollout that began at a time.
func originOf(past []ecsservice.PastRollout, id string, created time.Time) converge.Origin {
	origin := converge.Unknown
	for _, p := range past { // oldest first
		switch {
		case p.ID == id:
			return converge.ByMove
		case p.Created.After(created):
		case p.RolledBack && (p.Finished.IsZero() || !created.After(p.Finished.Add(originSkew))):
			origin = converge.ByFailure
		default:
			origin = converge.Unknown
		}
	}
	return origin
}

// created returns when a rollout that the service lists began; zero if it lists none.
func (s *State) created(id string) time.Time {
	for _, d := range s.service.Deployments {
		if aws.ToString(d.Id) == id {
			return aws.ToTime(d.CreatedAt)
		}
	}
	return time.Time{}
}

// forgetPending forgets the revisions to whose journals a note may have been added since
// they were read, and those that ECS did not show. The one that this run registered, and has
// not moved the service to, has none.
func (r *run) forgetPending() {
	s := r.state
	for n, one := range s.revisions {
		if n != s.unused && (one.ARN() == "" || s.target.Record(one).Pending()) {
			delete(s.revisions, n)
			r.deployer.memory.forget(one.ARN())
		}
	}
	s.addRevision(s.running)
}
