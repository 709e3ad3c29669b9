package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
)

// A Revision is one revision of a service's task definition family.
type Revision struct {
	EventID   string // of the event that the deployer registered it for; "" for the first revision
	EventTime time.Time
	Image     string
	Own       bool // the deployer registered it: the function, or an operator
	Copy      bool // of another revision, whose event it names
}

// String returns the revision as a few words.
func (r Revision) String() string {
	who := map[bool]string{true: "own", false: "foreign"}[r.Own]
	if r.Copy {
		who = "own copy"
	}
	image := r.Image[strings.LastIndexByte(r.Image, '/')+1:]
	return fmt.Sprintf("%s, for %q of %s, image %s", who, r.EventID, r.EventTime, image)
}

// Runs reports whether the revision has the image that an event asks for.
func (r Revision) Runs(e Event) bool { return strings.HasSuffix(r.Image, "@"+e.Image) }

// Revisions returns the revisions of service i, by number from 1, and the number of the revision that the service runs.
func Revisions(ctx context.Context, a *accounts.Account, i int) (revisions []Revision, running int, err error) {
	runs, err := a.Runs(ctx, cluster, ECSName(i))
	if err != nil {
		return nil, 0, err
	}
	newest, err := describe(ctx, a, ECSName(i))
	if err != nil {
		return nil, 0, err
	}
	for n := range int(newest.TaskDefinition.Revision) {
		out, err := describe(ctx, a, fmt.Sprintf("%s:%d", ECSName(i), n+1))
		if err != nil {
			return nil, 0, err
		}
		r, err := newRevision(out)
		if err != nil {
			return nil, 0, err
		}
		revisions = append(revisions, r)
	}
	return revisions, int(runs.TaskDefinition.Revision), nil
}

// newRevision reads the tags that the deployer sets on a revision.
func newRevision(out *ecs.DescribeTaskDefinitionOutput) (r Revision, err error) {
	r.Image = aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
	by := aws.ToString(out.TaskDefinition.RegisteredBy)
	r.Own = strings.Contains(by, "/deployer/") || strings.Contains(by, "/"+Operator+"/")
	for _, t := range out.Tags {
		switch aws.ToString(t.Key) {
		case "deployer:event-id":
			r.EventID = aws.ToString(t.Value)
		case "deployer:copy-of":
			r.Copy = true
		case "deployer:event-time":
			r.EventTime, err = time.Parse(time.RFC3339Nano, aws.ToString(t.Value))
			if err != nil {
				return Revision{}, err
			}
		}
	}
	return r, nil
}

func describe(ctx context.Context, a *accounts.Account, name string) (*ecs.DescribeTaskDefinitionOutput, error) {
	return a.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(name), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
}
