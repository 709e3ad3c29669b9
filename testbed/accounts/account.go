package accounts

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// An Account is one account in one region, behind an endpoint.
type Account struct {
	ID     string // the account id
	Config aws.Config
	ECR    *ecr.Client
	ECS    *ecs.Client
}

// Connect returns the account with the id in a region, behind the endpoint at url. The id is its access key id too. It
// makes no call. See [Serve].
func Connect(url, id, region string) *Account {
	config := aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: "any"}, nil
		}),
	}
	aws, here := served.Load(strings.TrimSuffix(url, "/"))
	if here {
		config.HTTPClient = InProcess{AWS: aws.(http.Handler)}
	}
	return account(id, config)
}

func account(id string, config aws.Config) *Account {
	return &Account{ID: id, Config: config, ECR: ecr.NewFromConfig(config), ECS: ecs.NewFromConfig(config)}
}

// As returns the same account with the credentials of one of its roles.
func (a *Account) As(role string) *Account {
	return a.With(func(c *aws.Config) {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: a.ID + "-" + role, SecretAccessKey: "any"}, nil
		})
	})
}

// Role creates a role with a policy, by which an AWS service acts such as scheduler.amazonaws.com.
func (a *Account) Role(ctx context.Context, name, service, policy string) error {
	client := iam.NewFromConfig(a.Config)
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},`+
		`"Action":"sts:AssumeRole"}]}`, service)
	_, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err == nil {
		_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &name,
			PolicyDocument: &policy})
	}
	if err != nil {
		return fmt.Errorf("creating role %q: %w", name, err)
	}
	return nil
}

// With returns the same account with another SDK configuration.
func (a *Account) With(change func(*aws.Config)) *Account {
	config := a.Config.Copy()
	change(&config)
	return account(a.ID, config)
}
