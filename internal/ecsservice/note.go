package ecsservice

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
	"deployer/internal/journal"
)

// AddNote adds a note to the journal of a revision with TagResource. If the
// revision cannot take all of its tags, the note's essential ones are added. It does
// not tag the revisions of other tools.
func (c *Client) AddNote(ctx context.Context, r journal.Record, n journal.Note) error {
	if r.Foreign {
		return nil
	}
	in := &ecs.TagResourceInput{ResourceArn: aws.String(r.TaskDefinition), Tags: SDKTags(n.Tags())}
	_, err := c.ecs.TagResource(ctx, in, retrying(ctx))
	if essential := SDKTags(n.Essential().Tags()); fault.HasCode(err, "InvalidParameterException") &&
		len(essential) > 0 && len(essential) < len(in.Tags) {
		in.Tags = essential // the revision has many tags of its own, and the rest does not fit
		_, err = c.ecs.TagResource(ctx, in, retrying(ctx))
	}
	return fault.Classify(fmt.Sprintf("writing the outcome of a rollout to the tags of %q", r.TaskDefinition), err)
}

// Outcome reads the outcome in the journal of a revision, "" if there is none.
func (c *Client) Outcome(ctx context.Context, arn string) (journal.Phase, error) {
	r, err := c.describeRevision(ctx, arn)
	if err != nil {
		return "", err
	}
	return journal.Parse(journal.Revision{ARN: arn, Number: r.Number(), Registered: r.Registered(),
		Tags: r.tags()}).Outcome, nil
}

// SDKTags returns tags as the ECS API takes them.
func SDKTags(tags []journal.Tag) (all []types.Tag) {
	for _, t := range tags {
		all = append(all, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return all
}
