package ecsdeploy

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
)

// oldest is how many revisions back a rollback looks for one that ran well.
const oldest = 200

// RollbackTo returns the revision that a rollback of the target's service goes
// back to: the last one before what runs whose rollout succeeded and whose
// image is another. It is never simply the one before, which may be the one
// that failed, or an entry for an image that ran already. With to it is the
// revision of that number, or the last one with that tag that did not fail.
// That there is none is a [fault.Rejection]: asking again does not mend it.
//
// The event that asks may have been carried out already: then, with done, the
// revision is the one that was made for it. Without this a second delivery of
// the event would go back further.
func (d *Deployer) RollbackTo(ctx context.Context, t Target, to, event string) (back Record, done bool, err error) {
	service, err := d.describeService(ctx, t)
	if err != nil {
		return Record{}, false, err
	}
	arn := aws.ToString(service.TaskDefinition)
	runs, err := d.recordOf(ctx, t, arn)
	if err != nil {
		return Record{}, false, err
	}
	if runs.Cause.ID == TagValue(event) {
		return runs, true, nil
	}
	doing := fmt.Sprintf("rolling back service %q from revision %d", t.Service, runs.Revision)
	if number, err := strconv.Atoi(to); err == nil && number > 0 {
		back, err = d.exactly(ctx, t, runs, number, doing)
		return back, false, err
	}
	below := revisionOf(runs.Origin()) // a rollback of a rollback goes further back
	if to != "" {
		below = runs.Revision
	}
	for r, err := range d.before(ctx, t, familyOf(arn), runs.Revision) {
		switch {
		case err != nil:
			return Record{}, false, err
		case r.Cause.ID == TagValue(event):
			return r, true, nil
		}
		if r.Revision >= below || r.Foreign || r.Digest == "" || r.Digest == runs.Digest {
			continue
		}
		if to == "" && r.Outcome == Succeeded || to != "" && r.Tag == to && r.Outcome != Failed {
			return r, false, nil
		}
	}
	before := "it"
	if below != runs.Revision {
		before = fmt.Sprintf("revision %d, which it restored,", below)
	}
	f := fault.Fault{Name: "NoRollback", Doing: doing, Err: fmt.Errorf("no revision of family %q before %s has another image and a rollout that is known to have succeeded", familyOf(arn), before),
		Hint: "see what ran: deployer history -f FILE " + t.Workload + "; name a revision: deployer rollback -f FILE " + t.Workload + " -to REVISION"}
	if to != "" {
		f.Err = fmt.Errorf("no revision of family %q before it was made for tag %q, has another image and did not fail", familyOf(arn), to)
		f.Hint = "deploy the tag: deployer deploy -f FILE " + t.Workload + " " + to
	}
	return Record{}, false, &fault.Rejection{Fault: f}
}

// Origin returns the ARN of the revision that was first made for the image: of
// a rollback the one that it goes back to, else itself.
func (r Record) Origin() string { return cmp.Or(r.Restores, r.TaskDefinition) }

// exactly returns the revision with a number, which has to have an image that can be pinned.
func (d *Deployer) exactly(ctx context.Context, t Target, runs Record, number int, doing string) (Record, error) {
	r, err := d.recordOf(ctx, t, fmt.Sprintf("%s:%d", familyOf(runs.TaskDefinition), number))
	f := fault.Fault{Name: "NoRollback", Doing: doing, Hint: "see what there is: deployer history -f FILE " + t.Workload}
	switch {
	case fault.NameOf(err) == "TaskDefinitionNotFound":
		f.Err = fmt.Errorf("there is no revision %d", number)
	case err != nil:
		return Record{}, err
	case r.Tag == "" && r.Digest == "":
		f.Err = fmt.Errorf("the image %q of revision %d has neither tag nor digest", r.Image, number)
	default:
		return r, nil
	}
	return Record{}, &fault.Rejection{Fault: f}
}

// before yields the ACTIVE revisions of a family below a number, from new to
// old, and reads a few at a time.
func (d *Deployer) before(ctx context.Context, t Target, family string, below int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		arns, err := d.listed(ctx, family, types.TaskDefinitionStatusActive, oldest)
		if err != nil {
			yield(Record{}, err)
			return
		}
		arns = slices.DeleteFunc(arns, func(arn string) bool { return revisionOf(arn) >= below })
		for part := range slices.Chunk(arns, inFlight) {
			records, err := d.records(ctx, t, part)
			if err != nil {
				yield(Record{}, err)
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

// records reads several revisions at the same time.
func (d *Deployer) records(ctx context.Context, t Target, arns []string) ([]Record, error) {
	records := make([]Record, len(arns))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i, arn := range arns {
		g.Go(func() (err error) {
			records[i], err = d.recordOf(gctx, t, arn)
			return err
		})
	}
	return records, g.Wait()
}
