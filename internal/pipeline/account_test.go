package pipeline

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
)

// TestAccount checks where the account of the environment comes from.
func TestAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "prod")
	unknown := *f.env
	unknown.AccountID = ""
	lambda := &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-east-1:999999999999:function:f"}
	invoked := lambdacontext.NewContext(t.Context(), lambda)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		env  *environment.Environment
		want string
		sts  int
	}{
		{"the function's", invoked, f.env, "999999999999", 0},
		{"the file's", t.Context(), f.env, accounts.Prod, 0},
		{"the caller's", t.Context(), &unknown, accounts.Prod, 1},
	} {
		f.aws.ResetCalls()
		env, err := New(tt.env, f.accounts["prod"].Config).environmentOf(tt.ctx)
		if err != nil || env.AccountID != tt.want || len(f.aws.Calls()) != tt.sts {
			t.Errorf("%s: %v, %v after %d calls, want %s after %d", tt.name, env, err, len(f.aws.Calls()),
				tt.want, tt.sts)
		}
	}
}
