// Package caller asks AWS whose credentials a configuration holds.
package caller

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"deployer/internal/fault"
)

// Identity returns the ARN of the IAM user or role session whose credentials
// config holds. It calls sts:GetCallerIdentity, which needs no permission, and
// retries until the deadline of ctx. Its error is a fault of package fault.
func Identity(ctx context.Context, config aws.Config) (arn.ARN, error) {
	const doing = "getting the caller's identity from STS"
	untilDeadline := func(o *sts.Options) { o.Retryer = fault.UntilDeadline(ctx) }
	out, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, nil, untilDeadline)
	if err != nil {
		return arn.ARN{}, fault.Classify(doing, err)
	}
	identity, err := arn.Parse(aws.ToString(out.Arn))
	if err != nil {
		return arn.ARN{}, fault.Incomplete(doing, "ARN of the caller")
	}
	return identity, nil
}
