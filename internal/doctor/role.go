package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

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
	inCluster := map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+c.env.Cluster)}
	needed := []permission{
		{[]string{"ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"}, "*", nil},
		{[]string{"ecs:ListTasks"}, "*", inCluster},
		{[]string{"ecs:DescribeTasks"}, c.arn("ecs", "task/"+c.env.Cluster+"/any"), inCluster},
		{[]string{"sqs:SendMessage"}, c.arn("sqs", c.failedQueue()), nil},
		{[]string{"events:PutEvents"}, c.arn("events", "event-bus/default"),
			map[string]string{"events:source": "deployer", "events:detail-type": string(outcome.DeploymentFailed)}},
	}
	needed = append(needed, c.notifying()...)
	needed = append(needed, f.keys(ctx, c)...)
	needed = append(needed, permission{[]string{"scheduler:CreateSchedule"},
		c.arn("scheduler", "schedule/"+c.env.RetryName()+"/any"), nil},
		permission{[]string{"iam:PassRole"}, c.roleARN(c.env.RetryName()),
			map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"}})
	f.allowed(ctx, c, c.function, needed, "its own calls")
	f.allowed(ctx, c, c.env.RetryName(), []permission{
		{[]string{"lambda:InvokeFunction"}, c.arn("lambda", "function:"+c.function), nil},
		{[]string{"sqs:SendMessage"}, c.arn("sqs", c.failedQueue()), nil},
	}, "trying events again that wait for their image")
}

// secretPrefix begins the names of parameters that are secrets of Secrets Manager. See
// "Referencing AWS Secrets Manager secrets from Parameter Store parameters" in the
// Systems Manager user guide.
const secretPrefix = "/aws/reference/secretsmanager/"

// secretSuffix stands for the six characters that Secrets Manager appends to a name.
const secretSuffix = "-AbCdEf"

// notifying returns the calls of the channels that the file configures.
func (c *checker) notifying() (needed []permission) {
	if name := c.env.Notify.Slack; name != "" {
		needed = append(needed, permission{[]string{"ssm:GetParameter"}, c.arn("ssm", "parameter"+name), nil})
		if secret, ok := strings.CutPrefix(name, secretPrefix); ok {
			needed = append(needed, permission{[]string{"secretsmanager:GetSecretValue"},
				c.arn("secretsmanager", "secret:"+secret+secretSuffix), nil})
		}
	}
	if topic := c.env.Notify.Topic; topic != "" {
		needed = append(needed, permission{[]string{"sns:Publish"}, topic, nil})
	}
	return needed
}

// serviceRole reports whether the policies of the deployer's role allow it to deploy
// one service, whose revisions name the roles of td. Without td these are not checked.
func (f *findings) serviceRole(ctx context.Context, c *checker, w environment.Workload, t ecsservice.Target,
	td *types.TaskDefinition) {
	revision := c.arn("ecs", "task-definition/"+t.Family+":1")
	created := map[string]string{"ecs:CreateAction": "RegisterTaskDefinition"}
	needed := []permission{
		{[]string{"ecs:DescribeServices", "ecs:UpdateService", "ecs:ListServiceDeployments"},
			c.arn("ecs", "service/"+t.Cluster+"/"+t.Service),
			map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+t.Cluster)}},
		{[]string{"ecs:RegisterTaskDefinition", "ecs:TagResource"}, revision, created},
	}
	if w.Repository != "" {
		needed = append(needed, permission{[]string{"ecr:BatchGetImage", "ecr:DescribeImages",
			"ecr:GetDownloadUrlForLayer"}, w.Registry.RepositoryARN(w.Repository), nil})
	}
	if td != nil {
		for _, role := range []string{aws.ToString(td.TaskRoleArn), aws.ToString(td.ExecutionRoleArn)} {
			if role != "" {
				needed = append(needed, permission{[]string{"iam:PassRole"}, role,
					map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}})
			}
		}
	}
	f.allowed(ctx, c, c.function, needed, "deployments of "+w.Label())
}

// roleARN returns the ARN of a role of the stack.
func (c *checker) roleARN(name string) string {
	return "arn:" + c.caller.Partition + ":iam::" + c.env.AccountID + ":role/" + name
}

// allowed asks IAM's policy simulator about the calls of a role of the stack. It evaluates
// the role's own policies and permissions boundary, and not policies of resources.
func (f *findings) allowed(ctx context.Context, c *checker, name string, needed []permission, what string) {
	check, role := "deployer's role", c.roleARN(name)
	if name != c.function {
		check = "retry role"
	}
	var statements, extra, keys []string // extra are roles without a conventional name
	var refused []fault.Refused
	noKey := false
	for _, p := range needed {
		if strings.HasPrefix(p.actions[0], "kms:") && !slices.Contains(keys, p.resource) {
			keys = append(keys, p.resource)
		}
		answer := rights{refused: refused}
		err := answer.simulate(ctx, c, role, p)
		refused = answer.refused
		switch {
		case fault.HasCode(err, "NoSuchEntity") && f.service != "":
			return // reported once, for the environment
		case fault.HasCode(err, "NoSuchEntity"):
			f.add(check, Problem, role+" does not exist", install+c.env.Name)
			return
		case err != nil:
			f.notChecked(c, check, "iam:SimulatePrincipalPolicy", role, err)
			return
		case len(answer.lacking) > 0:
			statements = append(statements, iam.Identity(inPolicy(p.resource), answer.lacking...).String())
			if slices.Contains(answer.lacking, "iam:PassRole") && !c.isConventional(p.resource) {
				extra = append(extra, p.resource)
			}
			noKey = noKey || slices.Contains(keys, p.resource)
		}
	}
	f.refused(check, role, refused, what)
	switch {
	case len(statements) > 0:
		fix := install + c.env.Name + settings(extra, keys, noKey)
		f.add(check, Problem, fmt.Sprintf("the policies of %s do not allow %s", role, what),
			fix+"; it lacks: "+strings.Join(statements, ", "))
	case len(refused) == 0:
		f.ok(check, "%s allows %s", role, what)
	}
}

// settings returns the parameters of the stack that the fix sets: roles without a
// conventional name, and all keys if the role may not use one of them.
func settings(roles, keys []string, noKey bool) string {
	var set []string
	if len(roles) > 0 {
		set = append(set, "ExtraRoleArns="+strings.Join(roles, ","))
	}
	if noKey {
		set = append(set, "KmsKeyArns="+strings.Join(keys, ","))
	}
	switch len(set) {
	case 0:
		return ""
	case 1:
		return " set=" + set[0]
	default:
		return ` set="` + strings.Join(set, " ") + `"`
	}
}

// isConventional reports whether a role has a name that the stack's parameters follow.
func (c *checker) isConventional(role string) bool {
	name := role[strings.LastIndexByte(role, '/')+1:]
	return name == c.env.RetryName() || slices.ContainsFunc(c.env.Workloads, func(w environment.Workload) bool {
		return slices.Contains(c.env.Roles(w), name)
	})
}
