package rollout

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// History is the newest revisions of a family with their journals.
type History struct {
	Family  string
	Runs    string           // ARN of the revision that the service runs, or is being moved to; "" if Why is set
	Why     error            // why Runs is not known, such as that the service is missing
	Records []journal.Record // newest first
}

// History reads at most limit of the newest revisions of the target's family,
// including deregistered ones. An outcome that is not in the journal comes from the
// service's deployments, if they show it. If the service is missing, the family is
// the conventional one.
func (c *Client) History(ctx context.Context, t ecsservice.Target, limit int) (*History, error) {
	service, err := c.services.DescribeService(ctx, t)
	h := &History{Family: t.Family, Why: err}
	switch {
	case err == nil:
		h.Runs = aws.ToString(service.TaskDefinition)
		h.Family = ecsservice.FamilyOf(h.Runs)
	case errors.Is(err, fault.ErrServiceNotFound):
	case errors.Is(err, fault.ErrServiceNotActive):
	case errors.Is(err, fault.ErrControllerNotECS):
	default:
		return nil, err
	}
	arns, err := c.services.NewestRevisions(ctx, h.Family, limit)
	if err != nil {
		return nil, err
	}
	if h.Records, err = c.services.Records(ctx, t, arns); err != nil {
		return nil, err
	}
	// Another service may share the family.
	h.Records = slices.DeleteFunc(h.Records, func(r journal.Record) bool {
		return r.Other && r.TaskDefinition != h.Runs
	})
	for i := range h.Records {
		if one := &h.Records[i]; h.Runs != "" && one.Outcome == "" {
			one.Outcome, one.Why = c.listedPhase(ctx, t, service, one.TaskDefinition)
		}
	}
	return h, nil
}

// listedPhase returns the phase of a revision's rollout that a service's
// deployments show, and the reason of a failure; "" if they do not include it, or if
// the status of its service deployment is needed and cannot be read.
func (c *Client) listedPhase(
	ctx context.Context, t ecsservice.Target, service *types.Service, arn string,
) (phase journal.Phase, why string) {
	p := progressOf(service, c.returns(ctx, t, service, arn), arn)
	if p.DeploymentID != "" && ecsservice.Shifts(service) {
		d, found, err := c.services.DeploymentOf(ctx, t, service, p.DeploymentID)
		if err != nil || !found {
			return "", ""
		}
		p.Phase, p.Reason = shiftedPhase(d, p.DeploymentID, isPrimary(service, p.DeploymentID)), d.Reason
	}
	switch {
	case p.DeploymentID == "":
		return "", ""
	case p.Phase == journal.Failed:
		return p.Phase, p.Reason
	}
	return p.Phase, ""
}
