package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"deployer/internal/fault"
)

// deployerFunction reports the deployer's function. It returns false if the function
// does not exist: then nothing else of the stack needs to be checked.
func (f *findings) deployerFunction(ctx context.Context, c *checker) (installed bool) {
	const check = "function"
	out, err := c.lambda.GetFunctionConfiguration(ctx,
		&lambda.GetFunctionConfigurationInput{FunctionName: aws.String(c.function)})
	fix := install + c.env.Name
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		f.add(check, Problem, fmt.Sprintf("function %q does not exist in account %s and region %s: the deployer is "+
			"not installed, and events deploy nothing", c.function, c.env.AccountID, c.env.Region), fix)
		return false
	case err != nil:
		f.notChecked(c, check, "lambda:GetFunctionConfiguration", c.arn("lambda", "function:"+c.function), err)
		return true
	}
	var variables map[string]string
	if out.Environment != nil {
		variables = out.Environment.Variables
	}
	project, name := variables["DEPLOYER_PROJECT"], variables["DEPLOYER_ENV"]
	switch {
	case project != "" && project != c.env.Project || name != "" && name != c.env.Name:
		f.add(check, Problem, fmt.Sprintf("function %q is of project %q and environment %q, not of project %q and "+
			"environment %q", c.function, project, name, c.env.Project, c.env.Name), fix)
	case out.State == types.StateFailed || out.LastUpdateStatus == types.LastUpdateStatusFailed:
		why := aws.ToString(out.StateReason)
		if out.State != types.StateFailed {
			why = aws.ToString(out.LastUpdateStatusReason)
		}
		f.add(check, Problem, fmt.Sprintf("function %q: state %s, last update %s: %s", c.function, out.State,
			out.LastUpdateStatus, why), fix)
	case !strings.HasSuffix(variables["DEPLOYER_FAILED_QUEUE"], "/"+c.failedQueue()):
		f.add(check, Problem, fmt.Sprintf("function %q does not know its failure queue: its variable "+
			"DEPLOYER_FAILED_QUEUE is %q, not the URL of %s, so rejected events are not kept", c.function,
			variables["DEPLOYER_FAILED_QUEUE"], c.failedQueue()), fix)
	case variables["DEPLOYER_RETRY_GROUP"] != c.env.RetryName() ||
		variables["DEPLOYER_RETRY_ROLE"] != c.roleARN(c.env.RetryName()):
		f.add(check, Problem, fmt.Sprintf("function %q does not wait for images that ECR still replicates: its "+
			"variables DEPLOYER_RETRY_GROUP and DEPLOYER_RETRY_ROLE are %q and %q, not %s and the ARN of the role of "+
			"that name, so such an event is rejected at once", c.function, variables["DEPLOYER_RETRY_GROUP"],
			variables["DEPLOYER_RETRY_ROLE"], c.env.RetryName()), fix)
	default:
		f.ok(check, "%s exists", aws.ToString(out.FunctionArn))
		f.code(ctx, c, variables["DEPLOYER_ENVIRONMENT_FILE"])
	}
	return true
}
