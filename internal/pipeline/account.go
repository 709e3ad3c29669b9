package pipeline

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/caller"
	"deployer/internal/environment"
)

// environment returns the environment with its account settled: from the ARN
// of the invoked function, which is certain; else from the file; else from STS.
func (p *Pipeline) environment(ctx context.Context) (*environment.Environment, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		if function, err := arn.Parse(lc.InvokedFunctionArn); err == nil {
			if p.env.AccountID != "" && p.env.AccountID != function.AccountID {
				slog.WarnContext(ctx, "the environment file names another account than the function's, which is used",
					"file", p.env.File, "account_id", p.env.AccountID, "function_account_id", function.AccountID)
			}
			return p.env.In(function.AccountID), nil
		}
	}
	if p.env.AccountID != "" {
		return p.env, nil
	}
	identity, err := caller.Identity(ctx, p.config)
	if err != nil {
		return nil, err
	}
	return p.env.In(identity.AccountID), nil
}
