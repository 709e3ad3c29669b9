package doctor

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
)

// withTags returns a damage that gives the family n tags of its own.
func withTags(n int) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			for i := range n {
				td.Tags = append(td.Tags, types.Tag{Key: aws.String(fmt.Sprintf("k%d", i)), Value: aws.String("v")})
			}
		})
	}
}

// backendImage is the image of dev's backend, without a tag.
const backendImage = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:"

// newest returns a damage that registers a newest revision of two containers with images.
func newest(images ...string) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].Family(t.Context(), "myproject_service_dev", "php", images[0],
			func(in *ecs.RegisterTaskDefinitionInput) {
				in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
					Name: aws.String("nginx"), Image: aws.String(images[1]), Essential: aws.Bool(true)})
			})
		must(t, err)
	}
}

// withBreaker returns a damage that sets the circuit breaker of the service.
func withBreaker(enable, rollback bool) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].ECS.UpdateService(t.Context(),
			&ecs.UpdateServiceInput{Cluster: aws.String("myproject_cluster_dev"),
				Service: aws.String("myproject_service_dev"),
				DeploymentConfiguration: &types.DeploymentConfiguration{
					DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: enable, Rollback: rollback}}})
		must(t, err)
	}
}

// withController returns a damage that gives the service another deployment controller.
func withController(kind types.DeploymentControllerType) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		x.recreate(t, func(_ *ecs.RegisterTaskDefinitionInput, in *ecs.CreateServiceInput) {
			in.DeploymentController, in.DeploymentConfiguration = &types.DeploymentController{Type: kind}, nil
		})
	}
}

// serviceFaults are faults of the account, the cluster, the service and its task definition.
var serviceFaults = []damage{
	{name: "nothing"},
	{name: "wrong account", key: "333333333333"},
	{name: "no account in the file", change: func(e *environment.Environment) { e.AccountID = "" }},
	{name: "no cluster", change: func(e *environment.Environment) { e.Cluster = "elsewhere" }},
	{name: "no service", change: func(e *environment.Environment) {
		e.Workloads[0].Pointer = environment.ECSService(
			"myproject_web_dev")
	}},
	{name: "deleted service", damage: func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].ECS.DeleteService(t.Context(),
			&ecs.DeleteServiceInput{Cluster: aws.String("myproject_cluster_dev"),
				Service: aws.String("myproject_service_dev"), Force: aws.Bool(true)})
		must(t, err)
	}},
	{name: "services denied", damage: deny("ecs:DescribeServices")},
	{name: "tasks that do not start", damage: func(t *testing.T, x *fixture) {
		x.aws.FailImage("myproject_backend")
		x.recreate(t, func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput) {})
	}},
	{name: "another family", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput,
			_ *ecs.CreateServiceInput) {
			td.Family = aws.String("web")
		})
	}},
	{name: "no active revision", damage: func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].ECS.DeregisterTaskDefinition(t.Context(),
			&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("myproject_service_dev:1")})
		must(t, err)
	}},
	{name: "as many tags as leave space for the journal", damage: withTags(32)},
	{name: "many tags", damage: withTags(33)},
	{name: "tags that leave the essential journal", damage: withTags(39)},
	{name: "too many tags", damage: withTags(41)},
	{name: "no container to choose", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.ContainerDefinitions = []types.ContainerDefinition{
				{Name: aws.String("app"), Image: aws.String("nginx:1"), Essential: aws.Bool(true)},
				{Name: aws.String("proxy"), Image: aws.String("envoy:1"), Essential: aws.Bool(true)}}
		})
	}},
	{name: "different images of one repository in the newest revision", damage: newest(backendImage+"v1",
		backendImage+"v2")},
	{name: "no container to choose in the newest revision", damage: newest("nginx:1", "envoy:1")},
	{name: "the same image twice in the newest revision", damage: newest(backendImage+"v2", backendImage+"v2")},
	{name: "different images in the newest revision, and the running one is cloned",
		change: func(e *environment.Environment) { e.Base = environment.BaseService },
		damage: newest(backendImage+"v1", backendImage+"v2")},
	{name: "an image from another registry", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.ContainerDefinitions[0].Image = aws.String("nginx:1")
		})
	}},
	{name: "controller CODE_DEPLOY", damage: withController(types.DeploymentControllerTypeCodeDeploy)},
	{name: "no circuit breaker", damage: withBreaker(false, false)},
	{name: "no rollback", damage: withBreaker(true, false)},
	{name: "no execution role on Fargate", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			// ECS rejects an image of ECR
			td.ExecutionRoleArn, td.ContainerDefinitions[0].Image = nil, aws.String("nginx:1")
		})
	}},
	{name: "no execution role on EC2", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, in *ecs.CreateServiceInput) {
			td.ExecutionRoleArn, td.RequiresCompatibilities, in.LaunchType = nil,
				[]types.Compatibility{types.CompatibilityEc2}, types.LaunchTypeEc2
		})
	}},
}
