package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// entry is one revision of a service's family, as the replay judges it.
type entry struct {
	event string // "" for the first, which nobody deployed
	at    time.Time
	image string
}

// journal returns the revisions of service i's family, by number from 1, and
// the number of the one that the service runs.
func (b *bench) journal(ctx context.Context, i int) (revisions []entry, running int, err error) {
	runs, err := b.account.Runs(ctx, cluster, ecsName(i))
	if err != nil {
		return nil, 0, err
	}
	newest, err := b.account.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(ecsName(i))})
	if err != nil {
		return nil, 0, err
	}
	revisions = make([]entry, newest.TaskDefinition.Revision)
	for n := range revisions {
		arn := aws.ToString(newest.TaskDefinition.TaskDefinitionArn)
		arn = arn[:len(arn)-len(itoa(len(revisions)))] + itoa(n+1)
		out, err := b.account.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(arn), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
		if err != nil {
			return nil, 0, err
		}
		revisions[n].image = aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
		for _, t := range out.Tags {
			switch aws.ToString(t.Key) {
			case "deployer:event-id":
				revisions[n].event = aws.ToString(t.Value)
			case "deployer:event-time":
				if revisions[n].at, err = time.Parse(time.RFC3339Nano, aws.ToString(t.Value)); err != nil {
					return nil, 0, err
				}
			}
		}
	}
	return revisions, int(runs.TaskDefinition.Revision), nil
}

// moves returns, for each service's name, the revisions that UpdateService
// moved it to, in the order in which the calls took effect.
func (b *bench) moves() map[string][]int {
	all := map[string][]int{}
	for _, c := range b.aws.Calls() {
		if c.Operation != "UpdateService" || c.Error != "" && c.Error != "DropAfter" {
			continue
		}
		var in struct{ Service, TaskDefinition string }
		if json.Unmarshal(c.Body, &in) == nil {
			all[in.Service] = append(all[in.Service], revisionOf(in.TaskDefinition))
		}
	}
	return all
}
