package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestTasks: the tasks of a service have the digest that their image's tag referred to when they started.
func TestTasks(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	first := w.Push(t, dev, "myproject_backend", "one", "latest")
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, dev, "web", registryImage+":latest")
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2}`)
	client := w.ECS(dev)
	list := func(service string) ([]string, error) {
		out, err := client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("c"), ServiceName: &service,
			DesiredStatus: types.DesiredStatusRunning})
		if err != nil {
			return nil, err
		}
		return out.TaskArns, nil
	}
	if arns, err := list("web"); err != nil || len(arns) != 0 {
		t.Fatalf("before they run: %v, %v", arns, err)
	}
	w.Clock.Advance(2 * time.Minute)
	arns, err := list("web")
	if err != nil || len(arns) != 2 || arns[0] == arns[1] {
		t.Fatalf("%v, %v", arns, err)
	}
	w.Push(t, dev, "myproject_backend", "two", "latest") // what runs goes on running
	const unknown = "arn:aws:ecs:us-east-1:111111111111:task/c/0"
	out, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("c"),
		Tasks: append(arns, unknown)})
	if err != nil || len(out.Tasks) != 2 || len(out.Failures) != 1 || *out.Failures[0].Arn != unknown ||
		*out.Failures[0].Reason != "MISSING" {
		t.Fatalf("%+v, %v", out, err)
	}
	for i, task := range out.Tasks {
		if len(task.Containers) != 1 || *task.TaskArn != arns[i] || *task.LastStatus != "RUNNING" ||
			*task.Group != "service:web" {
			t.Fatalf("task %d: %+v", i, task)
		}
		if c := task.Containers[0]; *c.Image != registryImage+":latest" || aws.ToString(c.ImageDigest) != first {
			t.Errorf("task %d runs %s of %s", i, *c.Image, aws.ToString(c.ImageDigest))
		}
	}
	_, err = list("other")
	emulatortest.WantError(t, err, "ServiceNotFoundException", "Service not found.")
	_, err = client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("other"), Tasks: arns})
	emulatortest.WantError(t, err, "ClusterNotFoundException", "Cluster not found.")
}
