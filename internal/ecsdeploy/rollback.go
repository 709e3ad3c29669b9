package ecsdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

const (
	maxRollback   = 200 // revisions that RollbackTo lists
	rollbackBatch = 8   // revisions that it reads at the same time
)

// RollbackTo returns the revision that a rollback of the target's service
// restores: the newest one below the running one whose rollout succeeded and
// whose image is another. The previous revision may have failed, or may only
// journal an event for an image that was already running. If to is a number, it
// is the revision with that number; if to is a tag, the newest one with that tag
// that did not fail. If there is none, the error is [fault.ErrNoRollback].
//
// If a revision that was registered for the event was rolled out, done is true and back is
// that revision: a second delivery of the event does not roll back further. If it was not,
// back is what it was to restore.
func (d *Deployer) RollbackTo(
	ctx context.Context, t ecsservice.Target, to, event string,
) (back journal.Record, done bool, err error) {
	service, err := d.services.DescribeService(ctx, t)
	if err != nil {
		return journal.Record{}, false, err
	}
	arn := aws.ToString(service.TaskDefinition)
	runs, err := d.services.Record(ctx, t, arn)
	if err != nil {
		return journal.Record{}, false, err
	}
	if runs.Cause.ID == journal.Value(event) {
		return runs, true, nil
	}
	doing := fmt.Sprintf("rolling back %s from revision %d", t, runs.Revision)
	if number, err := strconv.Atoi(to); err == nil && number > 0 {
		back, err = d.rollbackToNumber(ctx, t, runs, number, doing)
		return back, false, err
	}
	below := ecsservice.NumberOf(runs.Origin()) // a rollback of a rollback restores an older one
	if to != "" {
		below = runs.Revision
	}
	var others rollbackTargets
	for r, err := range d.recordsBelow(ctx, t, ecsservice.FamilyOf(arn), runs.Revision) {
		if err == nil {
			others.add(runs, r, below)
		}
		switch {
		case err != nil:
			return journal.Record{}, false, err
		case r.Cause.ID == journal.Value(event) && r.DeploymentID == "" && r.Outcome == "" && r.Restores != "":
			back, err = d.rollbackToNumber(ctx, t, runs, ecsservice.NumberOf(r.Restores), doing)
			return back, false, err
		case r.Cause.ID == journal.Value(event):
			return r, true, nil
		}
		if to == "" && !r.Foreign && r.Digest == runs.Digest {
			below = min(below, ecsservice.NumberOf(r.Origin())) // a rollback's image was redeployed since
		}
		if r.Revision >= below || r.Foreign || r.Digest == "" || r.Digest == runs.Digest {
			continue
		}
		if to == "" && r.HasSucceeded() || to != "" && r.Tag == to && r.Outcome != journal.Failed {
			return r, false, nil
		}
	}
	return journal.Record{}, false, noRollback(t, runs, below, to, doing, others)
}

// Running returns the record of the revision that the target's service runs.
func (d *Deployer) Running(ctx context.Context, t ecsservice.Target) (journal.Record, error) {
	service, err := d.services.DescribeService(ctx, t)
	if err != nil {
		return journal.Record{}, err
	}
	return d.services.Record(ctx, t, aws.ToString(service.TaskDefinition))
}

// noRollback is the fault of a rollback for which no revision was found.
func noRollback(t ecsservice.Target, runs journal.Record, below int, to, doing string, others rollbackTargets) error {
	in, before := "", strconv.Itoa(below)
	if family := ecsservice.FamilyOf(runs.TaskDefinition); family != t.Service {
		in = fmt.Sprintf("in family %q, ", family)
	}
	if below != runs.Revision {
		before = fmt.Sprintf("%d, which revision %d restored,", below, runs.Revision)
		if runs.Restores == "" { // a deployment of the image that ran
			before = fmt.Sprintf("%d, which has the image of revision %d,", below, runs.Revision)
		}
	}
	if to != "" {
		return fault.Rejected(fault.ErrNoRollback, doing,
			fmt.Errorf("%sno earlier revision than %s has the tag %q, another image and a rollout that did not fail",
				in, before, to),
			"list the revisions and their tags: "+t.Command("history"))
	}
	return fault.Rejected(fault.ErrNoRollback, doing,
		fmt.Errorf("%sno earlier revision than %s succeeded with another image", in, before),
		cmp.Or(others.advice(t), "list the revisions, and roll back to one by its number: "+t.Command("history")))
}

// rollbackToNumber returns the revision with a number. Its image must have a
// tag or a digest.
func (d *Deployer) rollbackToNumber(
	ctx context.Context, t ecsservice.Target, runs journal.Record, number int, doing string,
) (journal.Record, error) {
	r, err := d.services.Record(ctx, t, fmt.Sprintf("%s:%d", ecsservice.FamilyOf(runs.TaskDefinition), number))
	var cause error
	switch {
	case errors.Is(err, fault.ErrTaskDefinitionNotFound):
		cause = fmt.Errorf("there is no revision %d", number)
	case err != nil:
		return journal.Record{}, err
	case r.Other && r.TaskDefinition != runs.TaskDefinition:
		cause = fmt.Errorf("revision %d is another service's, which shares the family %q", number,
			ecsservice.FamilyOf(r.TaskDefinition))
	case r.Tag == "" && r.Digest == "":
		cause = fmt.Errorf("the image %q of revision %d has neither tag nor digest", r.Image, number)
	default:
		return r, nil
	}
	hint := "list the revisions: " + t.Command("history")
	return journal.Record{}, fault.Rejected(fault.ErrNoRollback, doing, cause, hint)
}

// recordsBelow yields the ACTIVE revisions of a family below a number, newest
// first. It reads them in batches, as they are needed.
func (d *Deployer) recordsBelow(
	ctx context.Context, t ecsservice.Target, family string, below int,
) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		arns, err := d.services.ListRevisions(ctx, family, types.TaskDefinitionStatusActive, maxRollback)
		if err != nil {
			yield(journal.Record{}, err)
			return
		}
		arns = slices.DeleteFunc(arns, func(arn string) bool { return ecsservice.NumberOf(arn) >= below })
		for part := range slices.Chunk(arns, rollbackBatch) {
			records, err := d.services.Records(ctx, t, part)
			if err != nil {
				yield(journal.Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// RollbackReason returns the reason of a rollback for its journal: which
// revision it restores, and the sender's reason if there is one.
func RollbackReason(revision int, reason string) string {
	restored := fmt.Sprintf("rollback to revision %d", revision)
	if reason == "" {
		return restored
	}
	return restored + reasonSeparator + reason
}

// SenderReason returns the sender's reason in what [RollbackReason] returned.
func SenderReason(rollbackReason string) string {
	_, reason, _ := strings.Cut(rollbackReason, reasonSeparator)
	return reason
}

const reasonSeparator = ": "
