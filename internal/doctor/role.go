package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/outcome"
)

// permission is a call that the deployer's role has to be allowed: actions on a
// resource, with the condition keys that AWS sets in such a call.
type permission struct {
	actions  []string
	resource string
	context  map[string]string
}

// deployerRole reports whether the policies of the deployer's role allow calls that
// every environment needs.
func (f *findings) deployerRole(ctx context.Context, c *checker) {
	f.allowed(ctx, c, []permission{
		{[]string{"ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"}, "*", nil},
		{[]string{"sqs:SendMessage"}, c.arn("sqs", c.failedQueue()), nil},
		{[]string{"events:PutEvents"}, c.arn("events", "event-bus/default"),
			map[string]string{"events:source": "deployer", "events:detail-type": string(outcome.DeploymentFailed)}},
	}, "its own calls")
}

// serviceRole reports whether the policies of the deployer's role allow it to deploy
// one service.
func (f *findings) serviceRole(ctx context.Context, c *checker, w environment.Workload, t ecsservice.Target) {
	revision := c.arn("ecs", "task-definition/"+t.Family+":1")
	created := map[string]string{"ecs:CreateAction": "RegisterTaskDefinition"}
	needed := []permission{
		{[]string{"ecs:DescribeServices", "ecs:UpdateService"}, c.arn("ecs", "service/"+t.Cluster+"/"+t.Service),
			map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+t.Cluster)}},
		{[]string{"ecs:RegisterTaskDefinition", "ecs:TagResource"}, revision, created},
	}
	if w.Repository != "" {
		needed = append(needed, permission{[]string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
			w.Registry.RepositoryARN(w.Repository), nil})
	}
	f.allowed(ctx, c, needed, "deployments of "+w.Name)
}

// allowed asks IAM's policy simulator about the calls. It evaluates the role's own
// policies and permissions boundary, and not policies of resources.
func (f *findings) allowed(ctx context.Context, c *checker, needed []permission, what string) {
	const check = "deployer's role"
	role := "arn:" + c.caller.Partition + ":iam::" + c.env.AccountID + ":role/" + c.function
	var statements []string
	for _, p := range needed {
		lacking, err := c.lacking(ctx, role, p)
		switch {
		case fault.HasCode(err, "NoSuchEntity") && f.service != "":
			return // reported once, for the environment
		case fault.HasCode(err, "NoSuchEntity"):
			f.add(check, Problem, role+" does not exist", install+c.env.Name)
			return
		case err != nil:
			f.notChecked(c, check, "iam:SimulatePrincipalPolicy", role, err)
			return
		case len(lacking) > 0:
			statements = append(statements, iam.Identity(p.resource, lacking...).String())
		}
	}
	if len(statements) > 0 {
		f.add(check, Problem, fmt.Sprintf("the policies of %s do not allow %s", role, what),
			install+c.env.Name+"; it lacks: "+strings.Join(statements, ", "))
		return
	}
	f.ok(check, "%s allows %s", role, what)
}

// lacking returns the actions of a permission that a role's own policies do not allow.
func (c *checker) lacking(ctx context.Context, role string, p permission) (lacking []string, err error) {
	in := &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role), ActionNames: p.actions,
		ResourceArns: []string{p.resource}}
	for key, value := range p.context {
		in.ContextEntries = append(in.ContextEntries, iamtypes.ContextEntry{ContextKeyName: aws.String(key),
			ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{value}})
	}
	out, err := c.iam.SimulatePrincipalPolicy(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, result := range out.EvaluationResults {
		if result.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
			lacking = append(lacking, aws.ToString(result.EvalActionName))
		}
	}
	return lacking, nil
}
