package rollout

import (
	"context"
	"errors"
	"math"
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

// History reads at most limit of the newest revisions of the target's family, including
// deregistered ones, without those of another service that shares the family. An outcome that is
// not in the journal comes from the service's deployments, if they show it. If the
// service is missing, the family is the conventional one.
func (c *Client) History(ctx context.Context, t ecsservice.Target, limit int) (*History, error) {
	service, err := c.services.DescribeService(ctx, t)
	h := &History{Family: t.Family, Why: err}
	switch {
	case err == nil:
		h.Runs = aws.ToString(service.TaskDefinition)
		h.Family = ecsservice.FamilyOf(h.Runs)
	case errors.Is(err, fault.ErrServiceNotFound):
	case errors.Is(err, fault.ErrPointerNotFound):
	case errors.Is(err, fault.ErrServiceNotActive):
	case errors.Is(err, fault.ErrControllerNotECS):
	default:
		return nil, err
	}
	if h.Records, err = c.records(ctx, t, h.Family, h.Runs, limit); err != nil {
		return nil, err
	}
	for i := range h.Records {
		if one := &h.Records[i]; h.Runs != "" && one.Outcome == "" {
			one.Outcome, one.Why = c.listedPhase(ctx, t, service, one.TaskDefinition)
			if one.Outcome == "" && one.HasSucceeded() {
				one.Outcome = journal.Succeeded
			}
		}
	}
	return h, c.findUnchanged(ctx, t, h)
}

// findUnchanged sets the outcome of the revisions that are only records of their events. The
// journals of services do not say so, and those of tasks that earlier versions noted say that
// they succeeded. A revision that is too old for the list is read.
func (c *Client) findUnchanged(ctx context.Context, t ecsservice.Target, h *History) error {
	known := map[string]journal.Record{}
	var missing []string // revisions that ran before one of the list
	for _, one := range h.Records {
		known[one.TaskDefinition] = one
	}
	candidate := func(r journal.Record) bool {
		unknown := r.Outcome == "" || t.Task && r.Outcome == journal.Succeeded
		return !r.Foreign && unknown && r.DeploymentID == "" && r.TaskDefinition != h.Runs && r.Previous != ""
	}
	for _, one := range h.Records {
		if _, ok := known[one.Previous]; !ok && candidate(one) && !slices.Contains(missing, one.Previous) {
			missing = append(missing, one.Previous)
		}
	}
	records, err := c.services.Records(ctx, t, missing)
	if err != nil {
		return err
	}
	for _, one := range records {
		known[one.TaskDefinition] = one
	}
	for i := range h.Records {
		if one := &h.Records[i]; candidate(*one) && one.OnlyRecords(known[one.Previous]) {
			one.Outcome = journal.Unchanged
		}
	}
	return nil
}

// maxSearched is how many revisions of a family are read for a history, if another
// service registers most of them.
const maxSearched = 500

// records returns the newest records of a family, at most limit of them. Revisions that
// the deployer registered for another service are left out, except one that runs: then
// older ones are read in their place.
func (c *Client) records(ctx context.Context, t ecsservice.Target, family, runs string, limit int) (
	own []journal.Record, err error) {
	oldest := math.MaxInt // number of the oldest revision that was read
	for listed := limit; ; listed *= 2 {
		arns, err := c.services.NewestRevisions(ctx, family, listed)
		if err != nil {
			return nil, err
		}
		last := len(arns) < listed || listed >= max(limit, maxSearched)
		arns = slices.DeleteFunc(arns, func(arn string) bool { return ecsservice.NumberOf(arn) >= oldest })
		records, err := c.services.Records(ctx, t, arns)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			oldest = min(oldest, r.Revision)
			if !r.Other || r.TaskDefinition == runs {
				own = append(own, r)
			}
		}
		if last || len(own) >= limit {
			return own[:min(len(own), limit)], nil
		}
	}
}

// listedPhase returns the phase of a revision's rollout that a service's
// deployments show, and the reason of a failure; "" if they do not include it, or if
// the status of its service deployment is needed and cannot be read.
func (c *Client) listedPhase(
	ctx context.Context, t ecsservice.Target, service *types.Service, arn string,
) (phase journal.Phase, why string) {
	p := progressOf(service, c.rollbacks(ctx, t, service, arn), arn)
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
