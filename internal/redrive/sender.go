package redrive

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"deployer/internal/environment"
	"deployer/internal/fault"
)

// functionRole returns the unique id of the role of an environment's function, by which
// SQS names the sessions of the role as senders. Its error is a fault of package fault.
func functionRole(ctx context.Context, config aws.Config, env *environment.Environment) (id string, err error) {
	in := &iam.GetRoleInput{RoleName: aws.String(env.FunctionName())}
	out, err := iam.NewFromConfig(config).GetRole(ctx, in,
		func(o *iam.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	if err != nil {
		return "", fault.Classify(fmt.Sprintf("reading the id of role %q (iam:GetRole)", env.FunctionName()), err)
	}
	return aws.ToString(out.Role.RoleId), nil
}
