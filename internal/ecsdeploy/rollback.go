package ecsdeploy

import (
	"context"
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
	maxRollback   = 200 // revisions among which a rollback looks for one that succeeded
	rollbackBatch = 8   // of them that are read at the same time
)

// RollbackTo returns the revision that a rollback of the target's service
// restores: the last one before the running one whose rollout succeeded and
// whose image is another. That is not simply the previous one, which may have
// failed, or only journal an event for an image that ran already. With to it is
// the revision of that number, or the last one with that tag that did not fail.
// If there is none, the error is a [fault.Rejection].
//
// The event that asks may have been handled already: then done is true, and the
// revision is the one that was registered for it. Otherwise a second delivery
// of the event would roll back further.
func (d *Deployer) RollbackTo(ctx context.Context, t ecsservice.Target, to, event string) (back journal.Record, done bool, err error) {
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
	doing := fmt.Sprintf("rolling back service %q from revision %d", t.Service, runs.Revision)
	if number, err := strconv.Atoi(to); err == nil && number > 0 {
		back, err = d.rollbackToNumber(ctx, t, runs, number, doing)
		return back, false, err
	}
	below := ecsservice.NumberOf(runs.Origin()) // a rollback of a rollback restores an older one
	if to != "" {
		below = runs.Revision
	}
	for r, err := range d.recordsBelow(ctx, t, ecsservice.FamilyOf(arn), runs.Revision) {
		switch {
		case err != nil:
			return journal.Record{}, false, err
		case r.Cause.ID == journal.Value(event):
			return r, true, nil
		}
		if r.Revision >= below || r.Foreign || r.Digest == "" || r.Digest == runs.Digest {
			continue
		}
		if to == "" && r.Outcome == journal.Succeeded || to != "" && r.Tag == to && r.Outcome != journal.Failed {
			return r, false, nil
		}
	}
	return journal.Record{}, false, noRollback(t, runs, below, to, doing)
}

// noRollback is the fault of a rollback for which no revision was found.
func noRollback(t ecsservice.Target, runs journal.Record, below int, to, doing string) error {
	family, before := ecsservice.FamilyOf(runs.TaskDefinition), "it"
	if below != runs.Revision {
		before = fmt.Sprintf("revision %d, which it restored,", below)
	}
	f := fault.Fault{Name: "NoRollback", Doing: doing, Err: fmt.Errorf("no revision of family %q before %s has another image and a rollout that is known to have succeeded", family, before),
		Hint: "see what ran: deployer history -f FILE " + t.Workload + "; name a revision: deployer rollback -f FILE " + t.Workload + " -to REVISION"}
	if to != "" {
		f.Err = fmt.Errorf("no revision of family %q before it was made for tag %q, has another image and did not fail", family, to)
		f.Hint = "deploy the tag: deployer deploy -f FILE " + t.Workload + " " + to
	}
	return &fault.Rejection{Fault: f}
}

// rollbackToNumber returns the revision with a number. Its image must have a
// tag or a digest.
func (d *Deployer) rollbackToNumber(ctx context.Context, t ecsservice.Target, runs journal.Record, number int, doing string) (journal.Record, error) {
	r, err := d.services.Record(ctx, t, fmt.Sprintf("%s:%d", ecsservice.FamilyOf(runs.TaskDefinition), number))
	f := fault.Fault{Name: "NoRollback", Doing: doing, Hint: "see what there is: deployer history -f FILE " + t.Workload}
	switch {
	case fault.NameOf(err) == "TaskDefinitionNotFound":
		f.Err = fmt.Errorf("there is no revision %d", number)
	case err != nil:
		return journal.Record{}, err
	case r.Tag == "" && r.Digest == "":
		f.Err = fmt.Errorf("the image %q of revision %d has neither tag nor digest", r.Image, number)
	default:
		return r, nil
	}
	return journal.Record{}, &fault.Rejection{Fault: f}
}

// recordsBelow yields the ACTIVE revisions of a family below a number, newest
// first. It reads a few at the same time, and no more than are asked for.
func (d *Deployer) recordsBelow(ctx context.Context, t ecsservice.Target, family string, below int) iter.Seq2[journal.Record, error] {
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
