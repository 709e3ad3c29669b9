package ecsservice

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// maxRunningTasks is how many tasks DescribeTasks describes.
const maxRunningTasks = 100

// TaskDigests returns the digests of the image that the running tasks of the target's
// service pulled under a reference, each once: none if no task runs, several if the
// reference's tag was moved between their starts. It reads 100 tasks at most.
func (c *Client) TaskDigests(ctx context.Context, t Target, reference string) (digests []string, err error) {
	reading := fmt.Sprintf("reading the running tasks of service %q in cluster %q", t.Service, t.Cluster)
	list, err := c.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(t.Cluster),
		ServiceName: aws.String(t.Service), DesiredStatus: types.DesiredStatusRunning}, retrying(ctx))
	if err != nil {
		return nil, fault.Classify(reading, err)
	}
	if len(list.TaskArns) == 0 {
		return nil, nil
	}
	out, err := c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(t.Cluster),
		Tasks: list.TaskArns[:min(len(list.TaskArns), maxRunningTasks)]}, retrying(ctx))
	if err != nil {
		return nil, fault.Classify(reading, err)
	}
	for _, task := range out.Tasks {
		for _, container := range task.Containers {
			digest := aws.ToString(container.ImageDigest)
			if digest != "" && aws.ToString(container.Image) == reference && !slices.Contains(digests, digest) {
				digests = append(digests, digest)
			}
		}
	}
	return digests, nil
}
