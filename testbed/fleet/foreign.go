package fleet

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
)

// The roles of those who act on the services beside the function.
const (
	Operator  = "operator" // uses the command line
	Person    = "person"
	Terraform = "terraform"
)

// As returns the account as a role of it sees it.
func (f *Fleet) As(role string) *accounts.Account {
	return f.Account.With(func(c *aws.Config) {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account + "-" + role, SecretAccessKey: "any"}, nil
		})
	})
}

// Move moves service i to a revision of its family, as a person does.
func (f *Fleet) Move(ctx context.Context, role string, i int, revision string) error {
	_, err := f.As(role).ECS.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(cluster), Service: aws.String(ECSName(i)), TaskDefinition: aws.String(revision),
	})
	return err
}

// Copy registers a copy of a revision, with its tags as the console does, and with another image unless that is "". It
// returns the ARN of the copy.
func (f *Fleet) Copy(ctx context.Context, role, revision, image string) (string, error) {
	a := f.As(role)
	out, err := describe(ctx, a, revision)
	if err != nil {
		return "", err
	}
	td := out.TaskDefinition
	in := &ecs.RegisterTaskDefinitionInput{
		Family: td.Family, ContainerDefinitions: td.ContainerDefinitions, Cpu: td.Cpu, Memory: td.Memory,
		NetworkMode: td.NetworkMode, RequiresCompatibilities: td.RequiresCompatibilities,
		ExecutionRoleArn: td.ExecutionRoleArn,
	}
	if len(out.Tags) > 0 {
		in.Tags = append([]types.Tag{}, out.Tags...)
	}
	if image != "" {
		in.ContainerDefinitions[0].Image = aws.String(image)
	}
	registered, err := a.ECS.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(registered.TaskDefinition.TaskDefinitionArn), nil
}

// Image returns the reference of version n of service i.
func (s Services) Image(i int, version string) string {
	return account + ".dkr.ecr." + region + ".amazonaws.com/" + s.Repository(i) + ":" + version
}
