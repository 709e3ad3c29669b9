package ecsdeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Note is what a revision's journal is told of its rollout afterwards. Empty
// fields leave the journal as it is.
type Note struct {
	DeploymentID string
	Outcome      Phase
	Finished     time.Time
	Why          string // why it failed, in ECS's words
	Return       string // ECS's id of the rollout by which it went back
}

// Note adds to the journal of a revision. Somebody else's revision is not
// written to: whoever made it would find tags on it that they did not put there.
func (d *Deployer) Note(ctx context.Context, r Record, n Note) error {
	if r.Foreign {
		return nil
	}
	finished := ""
	if !n.Finished.IsZero() {
		finished = n.Finished.UTC().Format(time.RFC3339)
	}
	tags := tagsOf([][2]string{{keyDeployment, n.DeploymentID}, {keyOutcome, string(n.Outcome)}, {keyFinished, finished}, {keyWhy, n.Why}, {keyReturn, n.Return}})
	_, err := d.ecs.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: aws.String(r.TaskDefinition), Tags: tags}, within(ctx))
	return fault.Classify(fmt.Sprintf("noting in the tags of %q what became of its rollout", r.TaskDefinition), err)
}

// tagsOf returns tags of the values that are not empty.
func tagsOf(pairs [][2]string) (tags []types.Tag) {
	for _, kv := range pairs {
		if value := TagValue(kv[1]); value != "" {
			tags = append(tags, types.Tag{Key: aws.String(kv[0]), Value: aws.String(value)})
		}
	}
	return tags
}
