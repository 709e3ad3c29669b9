package doctor

import (
	"testing"

	"deployer/internal/environment"
)

// withPolicy returns a damage that sets the policy of the repository to one statement.
func withPolicy(statement string) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) { x.repositoryPolicy(t, statement) }
}

// repositoryFaults are faults of the repository, its policy, and of roles that pull.
var repositoryFaults = []damage{
	{name: "no repository", change: func(
		e *environment.Environment) {
		e.Workloads[0].Repository = "myproject_web"
	}},
	{name: "the repository's policy does not let the environment pull", env: "prod",
		damage: withPolicy(
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"ecr:*"}`)},
	{name: "the caller's policy does not let it ask ECR", env: "prod", key: "333333333333-Reader",
		damage: func(t *testing.T, x *fixture) {
			x.allow(t, "333333333333", "Reader",
				`{"Effect":"Allow","Action":["ecs:*","events:*","iam:*","ecr:GetAuthorizationToken"],`+
					`"Resource":"*"}`)
		}},
	{name: "the organization may pull", env: "prod", damage: func(t *testing.T, x *fixture) {
		x.aws.SetOrganization("o-a1b2c3d4e5", "111111111111", "333333333333")
		x.repositoryPolicy(t,
			`{"Effect":"Allow","Principal":"*","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage",`+
				`"ecr:DescribeImages","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy",`+
				`"ecr:GetLifecyclePolicy"],"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`)
	}},
	{name: "open to the world", damage: withPolicy(
		`{"Effect":"Allow","Principal":"*","Action":["ecr:BatchGetImage","ecr:PutImage"]}`)},
	{name: "the execution role may not pull", damage: func(t *testing.T, x *fixture) {
		x.allow(t, "111111111111", "myproject_backend_task_execution_dev",
			`{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}`)
	}},
	{name: "the execution role may not log in", damage: func(t *testing.T, x *fixture) {
		x.allow(t, "111111111111", "myproject_backend_task_execution_dev",
			`{"Effect":"Allow","Action":"ecr:Batch*","Resource":"*"},{"Effect":"Allow",`+
				`"Action":"ecr:GetDownloadUrlForLayer","Resource":"*"}`)
	}},
	{name: "the repository lets the execution role pull", damage: func(t *testing.T, x *fixture) {
		x.allow(t, "111111111111", "myproject_backend_task_execution_dev",
			`{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}`)
		x.repositoryPolicy(t,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"ecr:*"}`)
	}},
	{name: "the execution role may not pull, and the repository's policy is denied",
		damage: func(t *testing.T, x *fixture) {
			x.allow(t, "111111111111", "myproject_backend_task_execution_dev",
				`{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}`)
			deny("ecr:GetRepositoryPolicy")(t, x)
		}},
	{name: "the execution role of another account may not pull", env: "prod",
		damage: func(t *testing.T, x *fixture) {
			x.allow(t, "333333333333", "myproject_backend_task_execution_prod",
				`{"Effect":"Allow","Action":"ecr:*",`+
					`"Resource":"arn:aws:ecr:us-east-1:333333333333:repository/*"},{"Effect":"Allow",`+
					`"Action":"ecr:GetAuthorizationToken","Resource":"*"}`)
		}},
	{name: "the execution role's policies denied", damage: deny("iam:SimulatePrincipalPolicy")},
}
