package ecsservice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
	"deployer/internal/journal"
)

// maxListed is the largest page of ListTaskDefinitions.
const maxListed = 100

// Revision is a task definition revision with its tags.
type Revision struct {
	TaskDefinition *types.TaskDefinition
	Tags           []types.Tag

	// Raw is the task definition as ECS returned it, which may have members that
	// TaskDefinition has no fields for.
	Raw json.RawMessage
}

// Complete reports whether the revision has what every revision has. Other methods need it.
func (r Revision) Complete() bool {
	td := r.TaskDefinition
	if slices.ContainsFunc(r.Tags, func(t types.Tag) bool { return t.Key == nil }) {
		return false
	}
	return td != nil && td.Revision > 0 && NumberOf(aws.ToString(td.TaskDefinitionArn)) == int(td.Revision) &&
		len(td.ContainerDefinitions) > 0
}

// ARN returns the revision's ARN.
func (r Revision) ARN() string { return aws.ToString(r.TaskDefinition.TaskDefinitionArn) }

// Number returns the revision's number in its family.
func (r Revision) Number() int { return int(r.TaskDefinition.Revision) }

// Registered returns when the revision was registered.
func (r Revision) Registered() time.Time { return aws.ToTime(r.TaskDefinition.RegisteredAt).UTC() }

// Inactive reports whether the revision was deregistered: services can no longer
// be updated to it.
func (r Revision) Inactive() bool {
	status := r.TaskDefinition.Status
	return status != "" && status != types.TaskDefinitionStatusActive
}

// tags returns the revision's tags by key.
func (r Revision) tags() map[string]string {
	all := make(map[string]string, len(r.Tags))
	for _, t := range r.Tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

// Record returns the record of a revision of the target's family.
func (t Target) Record(r Revision) journal.Record {
	revision := journal.Revision{
		ARN: r.ARN(), Number: r.Number(), Registered: r.Registered(), Inactive: r.Inactive(), Tags: r.tags(),
		RegisteredBy: aws.ToString(r.TaskDefinition.RegisteredBy), Service: journal.ServiceName(t.Cluster, t.Service),
	}
	if chosen, err := t.Containers(r.TaskDefinition); err == nil {
		revision.Image = aws.ToString(r.TaskDefinition.ContainerDefinitions[chosen[0]].Image)
	}
	return journal.Parse(revision)
}

// DescribeRevision reads a revision by its ARN, or the latest ACTIVE one of a
// family by the family's name, with DescribeTaskDefinition. If it does not exist,
// the error is [fault.ErrTaskDefinitionNotFound].
func (c *Client) DescribeRevision(ctx context.Context, name string) (Revision, error) {
	if c.described == nil {
		return c.describeRevision(ctx, name)
	}
	if r, ok := c.described.Load(name); ok {
		return r.(Revision), nil
	}
	r, err := c.describeRevision(ctx, name)
	if err == nil {
		c.described.Store(name, r)
		c.described.Store(r.ARN(), r)
	}
	return r, err
}

func (c *Client) describeRevision(ctx context.Context, name string) (Revision, error) {
	describing := fmt.Sprintf("describing task definition %q", name)
	var raw json.RawMessage
	out, err := c.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(name), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	}, retrying(ctx), KeepTaskDefinition(&raw))
	if err == nil {
		r := Revision{out.TaskDefinition, out.Tags, raw}
		if !r.Complete() {
			return Revision{}, fault.Incomplete(describing, "task definition")
		}
		return r, nil
	}
	// ECS reports a missing family as a ClientException: "Unable to describe task definition."
	if fault.HasCode(err, "ClientException") {
		hint := "register a first revision of the family with the infrastructure, " +
			"or correct the family in deployer.workloads of the environment file"
		if NumberOf(name) > 0 {
			hint = "deploy an image by its tag, which registers a new revision"
		}
		return Revision{}, fault.Misconfigured(fault.ErrTaskDefinitionNotFound, describing, fault.Plain(err), hint)
	}
	return Revision{}, fault.Classify(describing, err)
}

// Record is [Client.DescribeRevision] for the revision's record.
func (c *Client) Record(ctx context.Context, t Target, name string) (journal.Record, error) {
	r, err := c.DescribeRevision(ctx, name)
	if err != nil {
		return journal.Record{}, err
	}
	return t.Record(r), nil
}

// RecordOrARN reads the record of a revision by its ARN. If the revision was
// deleted, the record contains only its ARN and number.
func (c *Client) RecordOrARN(ctx context.Context, t Target, arn string) (journal.Record, error) {
	r, err := c.Record(ctx, t, arn)
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
		return journal.Record{TaskDefinition: arn, Revision: NumberOf(arn)}, nil
	}
	return r, err
}

// Records reads the records of several revisions, at most eight at the same time.
func (c *Client) Records(ctx context.Context, t Target, arns []string) ([]journal.Record, error) {
	records := make([]journal.Record, len(arns))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxInFlight)
	for i, arn := range arns {
		g.Go(func() (err error) {
			records[i], err = c.Record(gctx, t, arn)
			return err
		})
	}
	return records, g.Wait()
}

// NewestRevisions returns the ARNs of at most limit revisions of a family,
// newest first, including deregistered ones.
func (c *Client) NewestRevisions(ctx context.Context, family string, limit int) ([]string, error) {
	var active, inactive []string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		active, err = c.ListRevisions(gctx, family, types.TaskDefinitionStatusActive, limit)
		return err
	})
	g.Go(func() (err error) {
		inactive, err = c.ListRevisions(gctx, family, types.TaskDefinitionStatusInactive, limit)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := append(active, inactive...)
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(NumberOf(b), NumberOf(a)) })
	return all[:min(len(all), limit)], nil
}

// ListRevisions returns the ARNs of at most limit revisions of a family that
// have a status, newest first, with ListTaskDefinitions. It reads no more pages
// than it needs.
func (c *Client) ListRevisions(
	ctx context.Context, family string, status types.TaskDefinitionStatus, limit int,
) (arns []string, err error) {
	// Despite its name, FamilyPrefix takes a whole family name.
	in := &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(family), Status: status, Sort: types.SortOrderDesc}
	doing := fmt.Sprintf("listing the revisions of task definition %q", family)
	for len(arns) < limit {
		in.MaxResults = aws.Int32(int32(min(limit-len(arns), maxListed)))
		out, err := c.ecs.ListTaskDefinitions(ctx, in, retrying(ctx))
		if err != nil {
			return nil, fault.Classify(doing, err)
		}
		if out.TaskDefinitionArns == nil || slices.Contains(out.TaskDefinitionArns, "") {
			return nil, fault.Incomplete(doing, "list of revisions")
		}
		arns = append(arns, out.TaskDefinitionArns...)
		in.NextToken = out.NextToken
		if in.NextToken == nil {
			break
		}
	}
	return arns, nil
}
