package rollout

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// missedFor is how long after its beginning a rollback is searched for: searches are at most an
// hour apart, and a service that was not moved lately costs no call of its own.
const missedFor = 6 * time.Hour

// missedAfter is how long after its end a rollback is searched for. Until then its event may be on
// its way, or wait for Lambda's retries, of which the last begins three minutes after the first
// attempt: if two invocations reported the same failure at once, people would get it twice.
const missedAfter = 5 * time.Minute

// MissedRollback returns the report on the rollout of a service that ECS rolled back, and whose
// failure no event has reported: ECS need not send one if a person requested the rollback, and
// the event of the rollback's end was lost, or the service deployments could not be read. It
// returns none if there is no such rollout. Service is the workload's service as it was read
// just now, and runs the revision that it runs. Calls are made only if its newest rollout
// began lately, has ended and may be a rollback: for the newest revision, and for the rollback
// if that revision has not ended. As after [Handler.Handle], the caller publishes the report,
// and notes it with [Handler.Journal].
func (h *Handler) MissedRollback(ctx context.Context, env *environment.Environment, w environment.Workload,
	service *types.Service, runs journal.Record, now time.Time) ([]Report, error) {
	ended, at, found := endedLately(service, runs, now)
	if !found || ecsservice.Shifts(service) {
		return nil, nil
	}
	t := ecsservice.TargetOf(env, w)
	newest, err := h.services.Record(ctx, t, ecsservice.FamilyOf(aws.ToString(service.TaskDefinition)))
	if err != nil || newest.Cause.ID == "" || !newest.Pending() ||
		newest.TaskDefinition == aws.ToString(service.TaskDefinition) {
		return nil, err
	}
	ended.Workload = w
	o, err := h.observe(ctx, t, ended, true)
	if err != nil || !o.Found || !o.IsRollback {
		return nil, err
	}
	draft, missed := received{event: ended, at: at, seen: o}.requestedRollback()
	if !missed {
		return nil, nil
	}
	previous, err := h.previous(ctx, t, draft.Revision)
	if err != nil {
		return nil, err
	}
	report, err := draft.report(env, w, at, previous, h.stopped(ctx, t, draft))
	report.Step = ended.Step
	return []Report{report}, err
}

// endedLately returns the event of the end of a service's newest rollout, and the time of that, if the rollout began
// lately, has ended, and may be a rollback.
func endedLately(service *types.Service, runs journal.Record, now time.Time) (e event.Rollout, at time.Time,
	found bool) {
	i := slices.IndexFunc(service.Deployments, ecsservice.IsPrimary)
	if i < 0 {
		return e, at, false
	}
	d := service.Deployments[i]
	began, id := aws.ToTime(d.CreatedAt), aws.ToString(d.Id)
	first := !began.After(aws.ToTime(service.CreatedAt).Add(time.Second))
	own := runs.DeploymentID == id && (runs.Finished.IsZero() || !runs.Finished.Before(began)) // brought it
	steps := map[types.DeploymentRolloutState]event.Step{
		types.DeploymentRolloutStateCompleted: event.RolloutCompleted,
		types.DeploymentRolloutStateFailed:    event.RolloutFailed,
	}
	e.DeploymentID, e.Step, at = id, steps[d.RolloutState], aws.ToTime(d.UpdatedAt).UTC()
	lately := now.Sub(began) <= missedFor && now.Sub(at) > missedAfter
	return e, at, e.Step != "" && !first && !own && lately
}
