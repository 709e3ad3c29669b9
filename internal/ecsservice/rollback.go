package ecsservice

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Rollback is a rollback of a service by ECS, as the service's deployments show it.
//
// ECS rolls back in three steps. First the rollback is the PRIMARY deployment, with
// a reason that says so, and the failed deployment is ACTIVE and still IN_PROGRESS.
// Then the rollback may be COMPLETED, and its reason is that of any completed
// deployment. The failed deployment becomes FAILED and DRAINING seconds to minutes
// after the first step. (Answers of DescribeServices that accounts have published;
// see internal/rollout/testdata.)
type Rollback struct {
	By   types.Deployment // the rollback
	From types.Deployment // the deployment that failed
	// Certain means that ECS says so. Otherwise it follows from an older revision
	// having replaced a newer one, which a person may have done too.
	Certain bool
}

// Rollbacks returns the rollbacks that a service's deployments show, newest first.
func Rollbacks(s *types.Service) (all []Rollback) {
	for i, d := range s.Deployments {
		switch {
		case IsRollback(d):
			if from, found := failedBefore(s.Deployments, i, nil); found {
				all = append(all, Rollback{By: d, From: from, Certain: true})
			}
		case ended(d):
			newer := func(other types.Deployment) bool { return newerRevision(other, d) }
			if from, found := failedBefore(s.Deployments, i, newer); found {
				all = append(all, Rollback{By: d, From: from})
			}
		}
	}
	return all
}

// MovesBack returns the deployments of a service that move it to an older revision and are
// no rollback, as far as ECS's reasons say it while they are in progress: By is the one that
// moves it, and From the one that it replaced.
func MovesBack(s *types.Service) (all []Rollback) {
	for i, d := range s.Deployments {
		newer := func(other types.Deployment) bool { return newerRevision(other, d) }
		from, found := failedBefore(s.Deployments, i, newer)
		started := d.RolloutState == types.DeploymentRolloutStateInProgress && aws.ToString(d.RolloutStateReason) != ""
		if found && started && !IsRollback(d) {
			all = append(all, Rollback{By: d, From: from})
		}
	}
	return all
}

// failedBefore returns the newest deployment before the one with an index that did
// not complete and is no rollback itself. Also, if it is not nil, is a condition.
func failedBefore(
	all []types.Deployment, i int, also func(types.Deployment) bool,
) (from types.Deployment, found bool) {
	for j, d := range all {
		before := j > i // ECS lists the newest first
		if a, b := d.CreatedAt, all[i].CreatedAt; a != nil && b != nil && !a.Equal(*b) {
			before = a.Before(*b)
		}
		failing := d.RolloutState == types.DeploymentRolloutStateInProgress ||
			d.RolloutState == types.DeploymentRolloutStateFailed
		switch {
		case j == i, !before, !failing, IsPrimary(d), IsRollback(d), also != nil && !also(d):
			continue
		case !found || aws.ToTime(d.CreatedAt).After(aws.ToTime(from.CreatedAt)):
			from, found = d, true
		}
	}
	return from, found
}

// ended reports whether a deployment's rollout has ended.
func ended(d types.Deployment) bool {
	return d.RolloutState == types.DeploymentRolloutStateCompleted ||
		d.RolloutState == types.DeploymentRolloutStateFailed
}

// newerRevision reports whether a deployment's revision is a newer one of the same
// family than another's.
func newerRevision(a, b types.Deployment) bool {
	x, y := aws.ToString(a.TaskDefinition), aws.ToString(b.TaskDefinition)
	return FamilyOf(x) == FamilyOf(y) && NumberOf(x) > NumberOf(y)
}

// RollingBack reports whether a deployment is a rollback that ECS started after a
// failure, and that has neither ended nor been replaced by a newer deployment.
func RollingBack(d types.Deployment) bool {
	return IsPrimary(d) && d.RolloutState == types.DeploymentRolloutStateInProgress && IsRollback(d)
}

// IsRollback reports whether a deployment is a rollback that ECS started after a
// failure. Only its rolloutStateReason shows that, and only until it has ended.
func IsRollback(d types.Deployment) bool { return SaysRollback(aws.ToString(d.RolloutStateReason)) }

// SaysRollback reports whether ECS's reason for a deployment is that it rolls back,
// such as "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".
func SaysRollback(reason string) bool {
	return strings.Contains(strings.ToLower(reason), "rolling back")
}

// FailedRevisions returns the ARNs of the revisions that have a deployment in the
// rolloutState FAILED, or one from which ECS rolls back or has rolled back. The
// revision that the service runs is not one of them if another deployment of it
// has not failed.
func FailedRevisions(s *types.Service) map[string]bool {
	failed := map[string]bool{}
	for _, d := range s.Deployments {
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			failed[aws.ToString(d.TaskDefinition)] = true
		}
	}
	for _, r := range Rollbacks(s) {
		failed[aws.ToString(r.From.TaskDefinition)] = true
	}
	runs := slices.IndexFunc(s.Deployments, IsPrimary)
	if runs >= 0 && s.Deployments[runs].RolloutState != types.DeploymentRolloutStateFailed {
		delete(failed, aws.ToString(s.Deployments[runs].TaskDefinition))
	}
	return failed
}
