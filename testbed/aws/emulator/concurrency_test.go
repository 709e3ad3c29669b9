package emulator_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestConcurrentDeployments: concurrent callers register one revision each, and the service runs one of them.
func TestConcurrentDeployments(t *testing.T) {
	t.Parallel()
	const deployers = 16
	w := emulatortest.NewService(t, "")
	w.Rule(t, dev, `{"source":["aws.ecs"]}`, function, "")
	w.AWS.HandleLambda(function, func(ctx context.Context, _ []byte) error {
		_, err := w.ECS(dev).ListClusters(ctx, nil)
		return err
	})
	var mu sync.Mutex
	revisions := map[int32]bool{}
	var group sync.WaitGroup
	for i := range deployers {
		group.Go(func() {
			client := w.ECS(dev)
			registered, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
				Family: new("web"),
				ContainerDefinitions: []types.ContainerDefinition{{Name: new("app"),
					Image: new(fmt.Sprintf("nginx:%d", i)), Memory: new(int32(128))}},
			})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			revisions[registered.TaskDefinition.Revision] = true
			mu.Unlock()
			if _, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
				Cluster: new("c"), Service: new("web"), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn,
			}); err != nil {
				t.Error(err)
			}
			if _, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: new("c"),
				Services: []string{"web"}}); err != nil {
				t.Error(err)
			}
			w.AWS.Calls()
			w.AWS.Tick()
		})
	}
	group.Wait()
	if err := w.AWS.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for revision := int32(2); revision <= deployers+1; revision++ {
		if !revisions[revision] {
			t.Errorf("revision %d is missing", revision)
		}
	}
	w.Clock.Advance(2 * 60e9)
	services, err := w.ECS(dev).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: new("c"),
		Services: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(services.Services[0].Deployments); got != 1 {
		t.Errorf("after the rollout there are %d deployments, want 1", got)
	}
}

// TestDeterminism: the same calls return the same ids.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	run := func() string {
		w := emulatortest.New(t, emulator.Options{})
		w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
		w.Register(t, dev, "web", "nginx")
		return w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web"}`)
	}
	if a, b := run(), run(); a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}
