package rollout

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
)

// rollbacks are ECS's rollbacks of a service. Its deployments show for certain that one
// is in progress. Once it has ended, they only show that an older revision replaced a
// newer one that was in progress, which a person may have done: then moves has the two
// rollouts.
type rollbacks struct {
	all   []ecsservice.Rollback
	moves []ecsservice.Rollback
}

// rollbacksOf returns the rollbacks that a service and an event show. The first event
// of a rollback gives a reason that says so, and that of any other rollout another one.
func rollbacksOf(service *types.Service, e event.Rollout) (found rollbacks) {
	if service == nil {
		return found
	}
	started := e.Step == event.RolloutStarted && e.Reason != ""
	for _, r := range ecsservice.Rollbacks(service) {
		if !r.Certain && started && aws.ToString(r.By.Id) == e.DeploymentID {
			if !ecsservice.SaysRollback(e.Reason) {
				found.moves = append(found.moves, r)
				continue
			}
			r.Certain = true
		}
		found.all = append(found.all, r)
	}
	found.moves = append(found.moves, ecsservice.MovesBack(service)...)
	_, rollsBack := breakers(service.DeploymentConfiguration)
	if rollsBack && e.Step == event.RolloutFailed && saysFailed(e.Reason) {
		found.addFailed(service, e.DeploymentID)
	}
	return found
}

// saysFailed reports whether ECS's reason for the end of a rollout is that it failed, such
// as "ECS deployment circuit breaker: tasks failed to start.".
func saysFailed(reason string) bool {
	reason = strings.ToLower(reason)
	return strings.Contains(reason, "circuit breaker") || strings.Contains(reason, "alarm")
}

// addFailed adds the rollback of a rollout with an id that failed for certain: the next
// one, if it has ended. It may also be a newer deployment that replaced the rollback.
func (f *rollbacks) addFailed(s *types.Service, id string) {
	if _, found := f.of(id); found {
		return
	}
	at := slices.IndexFunc(s.Deployments, func(d types.Deployment) bool { return aws.ToString(d.Id) == id })
	if at < 1 { // ECS lists the newest first
		return
	}
	next := s.Deployments[at-1]
	switch next.RolloutState {
	case types.DeploymentRolloutStateCompleted, types.DeploymentRolloutStateFailed:
		f.all = append(f.all, ecsservice.Rollback{By: next, From: s.Deployments[at]})
	}
}

// confirmed returns the rollbacks after ECS's service deployments have decided on
// those that concern the rollout with an id. It calls ECS only for these. They also decide
// whether a move is a rollback: AWS does not document the reason of one that a person
// requested (StopServiceDeployment), and it may be that of any rollout.
func (f rollbacks) confirmed(
	ctx context.Context, services *ecsservice.Client, t ecsservice.Target, service *types.Service, id string,
) (decided rollbacks) {
	startedOn := func(r ecsservice.Rollback) (own, known bool) {
		by, from := aws.ToString(r.By.Id), aws.ToString(r.From.Id)
		if by != id && from != id {
			return false, false
		}
		return services.StartedOn(ctx, t, service, by)
	}
	for _, r := range f.moves {
		if own, known := startedOn(r); known && !own {
			r.Certain = true
			decided.all = append(decided.all, r)
			continue
		}
		decided.moves = append(decided.moves, r)
	}
	for _, r := range f.all {
		if !r.Certain {
			own, known := startedOn(r)
			if known && own {
				decided.moves = append(decided.moves, r)
				continue
			}
			r.Certain = known
		}
		decided.all = append(decided.all, r)
	}
	return decided
}

// moved reports whether the rollout with an id is a move to an older revision that
// is no rollback.
func (f rollbacks) moved(id string) bool {
	return slices.ContainsFunc(f.moves, func(r ecsservice.Rollback) bool { return aws.ToString(r.By.Id) == id })
}

// of returns ECS's rollback of the rollout with an id, if there is one.
func (f rollbacks) of(id string) (r ecsservice.Rollback, found bool) {
	for _, r := range f.all {
		if aws.ToString(r.From.Id) == id {
			return r, true
		}
	}
	return r, false
}

// failed reports whether a service's deployments show that a rollout of a revision
// failed, given by its ARN.
func (f rollbacks) failed(s *types.Service, revision string) bool {
	return slices.ContainsFunc(s.Deployments, func(d types.Deployment) bool {
		_, back := f.of(aws.ToString(d.Id))
		return aws.ToString(d.TaskDefinition) == revision &&
			(back || d.RolloutState == types.DeploymentRolloutStateFailed)
	})
}
