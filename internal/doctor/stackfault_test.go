package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"deployer/internal/environment"
	"deployer/internal/image"
	"deployer/testbed/aws/lambda"
)

// stackFaults are faults of the deployer's own stack.
var stackFaults = []damage{
	{name: "the execution role does not exist", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.ExecutionRoleArn = aws.String("arn:aws:iam::111111111111:role/missing")
		})
	}},
	{name: "rules without the function", change: func(e *environment.Environment) { e.Project = "other" },
		damage: func(t *testing.T, x *fixture) {
			x.aws.CreateFunction(lambda.Function{
				ARN: "arn:aws:lambda:us-east-1:111111111111:function:other_deployer_dev", Code: x.code(t)})
			for name, pattern := range map[string]string{"deploy": `{"source":["action.dev"]}`,
				"push": `{"source":["aws.ecr"]}`, "rollout": `{"source":["aws.ecs"]}`} {
				_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutRule(t.Context(),
					&eventbridge.PutRuleInput{
						Name: aws.String("other_deployer_" + name + "_dev"), EventPattern: aws.String(pattern)})
				must(t, err)
			}
		}},
	{name: "not installed", change: func(e *environment.Environment) { e.Project = "other" }},
	{name: "a rule that matches something else", damage: func(t *testing.T, x *fixture) {
		_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutRule(t.Context(),
			&eventbridge.PutRuleInput{
				Name:         aws.String("myproject_deployer_deploy_dev"),
				EventPattern: aws.String(`{"source":["action.staging"],"detail-type":["DEPLOY"]}`)})
		must(t, err)
	}},
	{name: "a disabled rule", damage: func(t *testing.T, x *fixture) {
		_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutRule(t.Context(),
			&eventbridge.PutRuleInput{
				Name:         aws.String("myproject_deployer_deploy_dev"),
				EventPattern: aws.String(`{"source":["action.dev"],"detail-type":["DEPLOY"]}`), State: "DISABLED"})
		must(t, err)
	}},
	{name: "a rule denied", damage: deny("events:DescribeRule")},
	{name: "a function of another project", damage: func(_ *testing.T, x *fixture) {
		x.aws.CreateFunction(lambda.Function{
			ARN:         "arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			Environment: map[string]string{"DEPLOYER_PROJECT": "shop", "DEPLOYER_ENV": "dev"}})
	}},
	{name: "a function of a stack without retries", damage: func(_ *testing.T, x *fixture) {
		x.aws.CreateFunction(lambda.Function{
			ARN: "arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
			Environment: map[string]string{"DEPLOYER_PROJECT": "myproject", "DEPLOYER_ENV": "dev",
				"DEPLOYER_FAILED_QUEUE": "" +
					"https://sqs.us-east-1.amazonaws.com/111111111111/myproject_deployer_failed_dev"}})
	}},
	{name: "a retry role without permissions", damage: func(_ *testing.T, x *fixture) {
		x.aws.SetRolePolicy("111111111111", "myproject_deployer_retry_dev")
	}},
	{name: "forwarding without dead-letter queue", damage: func(t *testing.T, x *fixture) {
		x.addRule(t, "myproject_deployer_forward_dev", `{"source":["aws.ecr"]}`, "",
			"arn:aws:events:us-east-1:222222222222:event-bus/default")
	}},
	{name: "forwarding disabled", damage: func(t *testing.T, x *fixture) {
		x.addRule(t, "myproject_deployer_forward_dev", `{"source":["aws.ecr"]}`, "DISABLED",
			"arn:aws:events:us-east-1:222222222222:event-bus/default")
	}},
	{name: "forwarding to some of the trusted accounts, and to another", change: func(e *environment.Environment) {
		e.TrustedAccounts = []environment.TrustedAccount{{ID: "222222222222", Region: "us-east-1"},
			{ID: "333333333333", Region: "us-east-1"}}
	}, damage: func(t *testing.T, x *fixture) {
		for rule, account := range map[string]string{"forward": "222222222222", "forward2": "444444444444"} {
			x.addForwarding(t, "myproject_deployer_"+rule+"_dev",
				"arn:aws:events:us-east-1:"+account+":event-bus/default")
		}
	}},
	{name: "no forwarding to a trusted account", change: func(e *environment.Environment) {
		e.TrustedAccounts = []environment.TrustedAccount{{ID: "222222222222", Region: "us-east-1"},
			{ID: "333333333333", Env: "prod", Region: "us-east-1"}} // production is not expected
	}},
	{name: "an image of a registry that the stack does not know", change: func(e *environment.Environment) {
		e.Workloads[1].Registry = image.Registry{AccountID: "444444444444", Region: "eu-west-1"}
	}},
	{name: "function denied", damage: deny("lambda:GetFunctionConfiguration")},
	{name: "an event in the failure queue", damage: func(t *testing.T, x *fixture) {
		queue := "https://sqs.us-east-1.amazonaws.com/111111111111/myproject_deployer_failed_dev"
		_, err := sqs.NewFromConfig(x.accounts["dev"].As("myproject_deployer_dev").Config).SendMessage(t.Context(),
			&sqs.SendMessageInput{QueueUrl: aws.String(queue), MessageBody: aws.String("{}")})
		must(t, err)
	}},
	{name: "a role without a permission", damage: func(t *testing.T, x *fixture) {
		x.allow(t, "111111111111", "myproject_deployer_dev",
			`{"Effect":"Allow","Action":["ecs:*","ecr:*","sqs:SendMessage"],"Resource":"*"},`+
				`{"Effect":"Deny","Action":"ecs:UpdateService","Resource":"*"}`)
	}},
	{name: "an inline policy that denies the role a call", damage: func(t *testing.T, x *fixture) {
		x.denyRole(t, "myproject_deployer_dev", "block", "ecr:BatchGetImage", "sqs:SendMessage")
	}},
	{name: "the execution role denied what the repository allows", damage: func(t *testing.T, x *fixture) {
		x.repositoryPolicy(t,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"ecr:*"}`)
		x.denyRole(t, "myproject_backend_task_execution_dev", "block", "ecr:BatchGetImage")
	}},
	{name: "a role without the channels, PassRole and DescribeImages", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/aws/reference/secretsmanager/team/slack",
			Topic: "arn:aws:sns:us-east-1:111111111111:deployments"}
	}, damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.TaskRoleArn = aws.String("arn:aws:iam::111111111111:role/reporting")
		})
		x.allow(t, "111111111111", "myproject_deployer_dev", `{"Effect":"Allow","Action":["ecs:*","ecr:BatchGetImage",`+
			`"ecr:GetDownloadUrlForLayer","sqs:SendMessage","events:PutEvents"],"Resource":"*"},`+
			`{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/myproject_*"}`)
	}},
	{name: "a role for the channels", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/team/slack", Topic: "arn:aws:sns:us-east-1:111111111111:deployments"}
	}, damage: func(t *testing.T, x *fixture) {
		x.allow(t, "111111111111", "myproject_deployer_dev", `{"Effect":"Allow","Action":["ecs:*","ecr:*",`+
			`"iam:PassRole","sqs:SendMessage","events:PutEvents"],"Resource":"*"},`+
			`{"Effect":"Allow","Action":"ssm:GetParameter",`+
			`"Resource":"arn:aws:ssm:us-east-1:111111111111:parameter/team/slack"},`+
			`{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111111111111:deployments"}`)
	}},
	{name: "keys that the role may not use", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/team/slack", Topic: "arn:aws:sns:us-east-1:111111111111:deployments"}
	}, damage: func(_ *testing.T, x *fixture) {
		x.aws.PutParameter("111111111111", "us-east-1", "/team/slack", "https://hooks.example/1")
		x.aws.EncryptParameter("111111111111", "us-east-1", "/team/slack", "alias/team")
		x.aws.AliasKey("111111111111", "us-east-1", "alias/team", keyARN("1"))
		x.aws.CreateTopic("111111111111", "us-east-1", "deployments")
		x.aws.EncryptTopic("arn:aws:sns:us-east-1:111111111111:deployments", "1234abcd-12ab-34cd-56ef-000000000002")
		x.aws.EncryptQueue("arn:aws:sqs:us-east-1:111111111111:myproject_deployer_failed_dev", keyARN("1"))
	}},
	{name: "a secret's key that the role may not use", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/aws/reference/secretsmanager/team/slack"}
	}, damage: func(_ *testing.T, x *fixture) {
		x.aws.PutSecret("111111111111", "us-east-1", "team/slack", "https://hooks.example/1")
		x.aws.EncryptSecret("111111111111", "us-east-1", "team/slack", keyARN("1"))
	}},
	{name: "keys that the role may use", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/team/slack", Topic: "arn:aws:sns:us-east-1:111111111111:deployments"}
	}, damage: func(t *testing.T, x *fixture) {
		x.aws.PutParameter("111111111111", "us-east-1", "/team/slack", "https://hooks.example/1")
		x.aws.EncryptParameter("111111111111", "us-east-1", "/team/slack", keyARN("1"))
		x.aws.CreateTopic("111111111111", "us-east-1", "deployments")
		x.aws.EncryptTopic("arn:aws:sns:us-east-1:111111111111:deployments", "alias/aws/sns")
		x.allow(t, "111111111111", "myproject_deployer_dev", `{"Effect":"Allow","Action":["ecs:*","ecr:*",`+
			`"iam:PassRole","sqs:SendMessage","events:PutEvents","scheduler:*","ssm:*","sns:*"],"Resource":"*"},`+
			`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+keyARN("1")+`",`+
			`"Condition":{"StringEquals":{"kms:ViaService":"ssm.us-east-1.amazonaws.com"}}}`)
	}},
	{name: "keys that cannot be looked at", change: func(e *environment.Environment) {
		e.Notify = environment.Notify{Slack: "/team/slack", Topic: "arn:aws:sns:us-east-1:111111111111:deployments"}
	}, damage: deny("ssm:DescribeParameters", "sns:GetTopicAttributes")},
	{name: "a disabled schedule", damage: func(t *testing.T, x *fixture) {
		_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutRule(t.Context(),
			&eventbridge.PutRuleInput{Name: aws.String("myproject_deployer_reconcile_dev"),
				ScheduleExpression: aws.String("rate(15 minutes)"), State: "DISABLED"})
		must(t, err)
	}},
	{name: "targets without dead-letter queue, and a second one", damage: func(t *testing.T, x *fixture) {
		client := eventbridge.NewFromConfig(x.accounts["dev"].Config)
		for rule, target := range map[string]ebtypes.Target{
			"deploy": {Id: aws.String("deployer"),
				Arn: aws.String("arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev")},
			"push": {Id: aws.String("copy"), Arn: aws.String("arn:aws:sqs:us-east-1:111111111111:copy")},
		} {
			_, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
				Rule: aws.String("myproject_deployer_" + rule + "_dev"), Targets: []ebtypes.Target{target}})
			must(t, err)
		}
	}},
	{name: "no bus policy", env: "staging", damage: func(t *testing.T, x *fixture) {
		_, err := eventbridge.NewFromConfig(x.accounts["staging"].Config).PutPermission(t.Context(),
			&eventbridge.PutPermissionInput{Policy: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow",` +
					`"Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"events:PutEvents",` +
					`"Resource":"arn:aws:events:us-east-1:222222222222:event-bus/default"}]}`)})
		must(t, err)
	}},
}

// keyARN returns the ARN of a KMS key by the last digit of its id.
func keyARN(digit string) string {
	return "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-00000000000" + digit
}
