package histories

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// wrongTimes are times that no event can have. As nanoseconds in 64 bits, the first wraps around to the year 2084.
var wrongTimes = []string{"1500-01-01T00:00:00Z", "2014-12-31T23:59:59Z", "2400-01-01T00:00:00Z",
	"2262-04-11T23:47:17Z"}

// actTime sends a DEPLOY event of a wrong time, or writes one into the journal of a revision that ran.
func (w *world) actTime(ctx context.Context, a Action) error {
	at := wrongTimes[a.Pick%uint64(len(wrongTimes))]
	if a.Kind == EditTime {
		return w.editTime(ctx, a, at)
	}
	if _, err := w.push(ctx, a.Service, a.Version); err != nil {
		return err
	}
	wrong, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return err
	}
	w.send(a, eventJSON(eventID(a), "action.dev", "DEPLOY", wrong, map[string]string{
		"service": serviceName(a.Service), "actor": "ada", "tag": fmt.Sprintf("git-%d", a.Version),
	}), "")
	return nil
}

// editTime writes a time into the journal of a revision that ran, and runs no more. Its journal counts as absent then.
func (w *world) editTime(ctx context.Context, a Action, at string) error {
	revisions := w.ran(a.Service)
	if len(revisions) == 0 {
		return nil
	}
	out, err := w.person.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(revisions[a.Pick/7%uint64(len(revisions))]),
		Include:        []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return err
	}
	revision := revisionOf(aws.ToString(out.TaskDefinition.TaskDefinitionArn))
	w.record.mu.Lock()
	w.record.edited[w.record.registrationOf(revision).eventID] = true
	w.record.mu.Unlock()
	for _, t := range out.Tags {
		if aws.ToString(t.Key) == "deployer:event-time" {
			_, err = w.person.ECS.TagResource(ctx, &ecs.TagResourceInput{
				ResourceArn: out.TaskDefinition.TaskDefinitionArn,
				Tags:        []types.Tag{{Key: t.Key, Value: aws.String(at)}},
			})
		}
	}
	return err
}
