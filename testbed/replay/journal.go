package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
)

// entry is one revision of a service's family, as the replay judges it.
type entry struct {
	event string // "" for the first, which nobody deployed
	at    time.Time
	image string
}

// journal returns the revisions of service i's family, by number from 1, and
// the number of the one that the service runs.
func journal(ctx context.Context, a *accounts.Account, i int) (revisions []entry, running int, err error) {
	runs, err := a.Runs(ctx, cluster, ecsName(i))
	if err != nil {
		return nil, 0, err
	}
	newest, err := describe(ctx, a, ecsName(i))
	if err != nil {
		return nil, 0, err
	}
	for n := range int(newest.TaskDefinition.Revision) {
		out, err := describe(ctx, a, fmt.Sprintf("%s:%d", ecsName(i), n+1))
		if err != nil {
			return nil, 0, err
		}
		e := entry{image: aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)}
		for _, t := range out.Tags {
			switch aws.ToString(t.Key) {
			case "deployer:event-id":
				e.event = aws.ToString(t.Value)
			case "deployer:event-time":
				if e.at, err = time.Parse(time.RFC3339Nano, aws.ToString(t.Value)); err != nil {
					return nil, 0, err
				}
			}
		}
		revisions = append(revisions, e)
	}
	return revisions, int(runs.TaskDefinition.Revision), nil
}

func describe(ctx context.Context, a *accounts.Account, name string) (*ecs.DescribeTaskDefinitionOutput, error) {
	return a.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(name), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
}

// revisionOf returns the number in a revision's ARN.
func revisionOf(arn string) int {
	n, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
	return n
}
