// Package caller asks AWS whose credentials a configuration holds.
package caller

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/fault"
	"deployer/internal/signed"
)

// Identity returns the ARN of the IAM user or role session whose credentials
// config holds. It calls sts:GetCallerIdentity, which needs no permission, and
// retries until the deadline of ctx. Its error is a fault of package fault.
func Identity(ctx context.Context, config aws.Config) (arn.ARN, error) {
	const doing = "getting the caller's identity from STS"
	var out struct {
		Result struct{ Arn string } `xml:"GetCallerIdentityResult"`
	}
	in := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}
	if err := signed.New(config).Query(ctx, "sts", doing, in, &out); err != nil {
		return arn.ARN{}, err
	}
	identity, err := arn.Parse(out.Result.Arn)
	if err != nil {
		return arn.ARN{}, fault.Incomplete(doing, "ARN of the caller")
	}
	return identity, nil
}
