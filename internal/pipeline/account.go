package pipeline

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/caller"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// functionARN returns the ARN of the invoked function in ctx, without a version or an
// alias; of the environment's function if there is none.
func functionARN(ctx context.Context, env *environment.Environment) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		if function, err := arn.Parse(lc.InvokedFunctionArn); err == nil {
			name, _, _ := strings.Cut(strings.TrimPrefix(function.Resource, "function:"), ":")
			function.Resource = "function:" + name
			return function.String()
		}
	}
	return env.FunctionARN()
}

// environmentOf returns the environment with its account. The account is that of
// the invoked function's ARN in ctx, if there is one; else that of the environment
// file; else that of the credentials, which STS is asked for.
func (p *Pipeline) environmentOf(ctx context.Context) (*environment.Environment, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		if function, err := arn.Parse(lc.InvokedFunctionArn); err == nil {
			if p.env.AccountID != "" && p.env.AccountID != function.AccountID {
				slog.WarnContext(ctx, "using the function's account, not that of the environment file",
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

// principal returns the principal that registers revisions for the function, "" if it is
// not known, and the id of the invocation: Lambda's, which its retries keep. A command
// makes one attempt for each event.
func (p *Pipeline) principal(ctx context.Context, env *environment.Environment, cause event.Cause) (
	principal, request string) {
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return "", cause.ID
	}
	if p.role != "" {
		principal = journal.RolePrincipal(env.AccountID, p.role)
	}
	return principal, lc.AwsRequestID
}
