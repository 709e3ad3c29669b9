package doctor

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"deployer/internal/environment"
	"deployer/internal/image"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/lambda"
)

// TestFaults changes an environment without problems in one way each, and checks that
// the doctor finds exactly that. UPDATE_GOLDEN=1 rewrites the golden file.
func TestFaults(t *testing.T) {
	t.Parallel()
	breaker := func(enable, rollback bool) func(t *testing.T, x *fixture) {
		return func(t *testing.T, x *fixture) {
			_, err := x.accounts["dev"].ECS.UpdateService(t.Context(),
				&ecs.UpdateServiceInput{Cluster: aws.String("myproject_cluster_dev"),
					Service: aws.String("myproject_service_dev"),
					DeploymentConfiguration: &types.DeploymentConfiguration{
						DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: enable, Rollback: rollback}}})
			must(t, err)
		}
	}
	controller := func(kind types.DeploymentControllerType) func(t *testing.T, x *fixture) {
		return func(t *testing.T, x *fixture) {
			x.recreate(t, func(_ *ecs.RegisterTaskDefinitionInput, in *ecs.CreateServiceInput) {
				in.DeploymentController, in.DeploymentConfiguration = &types.DeploymentController{Type: kind}, nil
			})
		}
	}
	deny := func(operation string) func(t *testing.T, x *fixture) {
		return func(t *testing.T, x *fixture) {
			x.aws.Inject(emulator.Fault{Operation: operation,
				Error: emulator.AccessDenied("User: u is not authorized to perform: " + operation)})
		}
	}
	repository := func(statement string) func(t *testing.T, x *fixture) {
		return func(t *testing.T, x *fixture) { x.repositoryPolicy(t, statement) }
	}
	lifecycle := func(rules string) func(t *testing.T, x *fixture) {
		return func(t *testing.T, x *fixture) { x.lifecycle(t, `{"rules":[`+rules+`]}`) }
	}
	tests := []struct {
		name   string
		env    string // "dev" if ""
		key    string // the caller's access key id; the administrator's if ""
		change func(*environment.Environment)
		damage func(t *testing.T, x *fixture)
	}{
		{name: "nothing"},
		{name: "wrong account", key: "333333333333"},
		{name: "no account in the file", change: func(e *environment.Environment) { e.AccountID = "" }},
		{name: "no cluster", change: func(e *environment.Environment) { e.Cluster = "elsewhere" }},
		{name: "no service", change: func(e *environment.Environment) {
			e.Workloads[0].Pointer = environment.ECSService(
				"myproject_web_dev")
		}},
		{name: "deleted service", damage: func(t *testing.T, x *fixture) {
			_, err := x.accounts["dev"].ECS.DeleteService(t.Context(),
				&ecs.DeleteServiceInput{Cluster: aws.String("myproject_cluster_dev"),
					Service: aws.String("myproject_service_dev"), Force: aws.Bool(true)})
			must(t, err)
		}},
		{name: "services denied", damage: deny("ecs:DescribeServices")},
		{name: "tasks that do not start", damage: func(t *testing.T, x *fixture) {
			x.aws.FailImage("myproject_backend")
			x.recreate(t, func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput) {})
		}},
		{name: "another family", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput,
				_ *ecs.CreateServiceInput) {
				td.Family = aws.String("web")
			})
		}},
		{name: "no active revision", damage: func(t *testing.T, x *fixture) {
			_, err := x.accounts["dev"].ECS.DeregisterTaskDefinition(t.Context(),
				&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("myproject_service_dev:1")})
			must(t, err)
		}},
		{name: "no container to choose", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				td.ContainerDefinitions = []types.ContainerDefinition{
					{Name: aws.String("app"), Image: aws.String("nginx:1"), Essential: aws.Bool(true)},
					{Name: aws.String("proxy"), Image: aws.String("envoy:1"), Essential: aws.Bool(true)}}
			})
		}},
		{name: "an image from another registry", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				td.ContainerDefinitions[0].Image = aws.String("nginx:1")
			})
		}},
		{name: "controller CODE_DEPLOY", damage: controller(types.DeploymentControllerTypeCodeDeploy)},
		{name: "no circuit breaker", damage: breaker(false, false)},
		{name: "no rollback", damage: breaker(true, false)},
		{name: "no execution role on Fargate", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				// ECS rejects an image of ECR
				td.ExecutionRoleArn, td.ContainerDefinitions[0].Image = nil, aws.String("nginx:1")
			})
		}},
		{name: "no execution role on EC2", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, in *ecs.CreateServiceInput) {
				td.ExecutionRoleArn, td.RequiresCompatibilities, in.LaunchType = nil,
					[]types.Compatibility{types.CompatibilityEc2}, types.LaunchTypeEc2
			})
		}},

		{name: "no repository", change: func(
			e *environment.Environment) {
			e.Workloads[0].Repository = "myproject_web"
		}},
		{name: "the repository's policy does not let the environment pull", env: "prod",
			damage: repository(
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
		{name: "open to the world", damage: repository(
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

		{name: "the image was deleted", damage: func(t *testing.T, x *fixture) {
			x.aws.Tick() // the tasks are running after it
			_, err := x.accounts["dev"].ECR.BatchDeleteImage(t.Context(),
				&ecr.BatchDeleteImageInput{RepositoryName: aws.String("myproject_backend"),
					ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}})
			must(t, err)
		}},
		{name: "the image is archived", damage: func(t *testing.T, x *fixture) {
			x.aws.Tick()
			must(t, x.aws.Archive("111111111111", "us-east-1", "myproject_backend",
				"sha256:9d4acd316cad1769c70109be9528ed029c665604d9f55a122d7aed759cf18159"))
		}},
		{name: "the tag has moved on", damage: func(t *testing.T, x *fixture) {
			x.aws.Tick()
			_, err := x.accounts["dev"].Push(t.Context(), "myproject_backend", "backend v2", "v1")
			must(t, err)
		}},
		{name: "keep last 10, any tag",
			damage: lifecycle(
				`{"rulePriority":1,"description":"Keep last 10 ` +
					`images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},` +
					`"action":{"type":"expire"}}`)},
		{name: "keep last 2, and two came since", damage: func(t *testing.T, x *fixture) {
			for _, tag := range []string{"v2", "v3"} {
				_, err := x.accounts["dev"].Push(t.Context(), "myproject_backend", tag, tag)
				must(t, err)
			}
			x.lifecycle(t,
				`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",`+
					`"countNumber":2},"action":{"type":"expire"}}]}`)
		}},
		{name: "archive after a time", damage: lifecycle(
			`{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPrefixList":["v"],` +
				`"countType":"sinceImagePushed","countUnit":"days","countNumber":30},"action":{"type":"transition",` +
				`"targetStorageClass":"ARCHIVE"}}`)},
		{name: "delete what is not pulled",
			damage: lifecycle(
				`{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days",` +
					`"countNumber":90},"action":{"type":"expire"}}`)},
		{name: "a rule that keeps releases comes first", damage: lifecycle(`{"rulePriority":2,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},
			{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":999999},"action":{"type":"expire"}}`)},
		{name: "lifecycle denied", damage: deny("ecr:GetLifecyclePolicy")},
		{name: "another platform", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64,
					OperatingSystemFamily: types.OSFamilyLinux}
			})
		}},
		{name: "an index of both platforms", damage: func(t *testing.T, x *fixture) {
			_, err := x.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "both",
				[]string{"linux/amd64", "linux/arm64"}, "v1")
			must(t, err)
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64,
					OperatingSystemFamily: types.OSFamilyLinux}
			})
		}},
		{name: "the image's configuration denied", damage: deny("ecr:GetDownloadUrlForLayer")},

		{name: "the execution role does not exist", damage: func(t *testing.T, x *fixture) {
			x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				td.ExecutionRoleArn = aws.String("arn:aws:iam::111111111111:role/missing")
			})
		}},
		{name: "rules without the function", change: func(e *environment.Environment) { e.Project = "other" },
			damage: func(t *testing.T, x *fixture) {
				x.aws.CreateFunction(lambda.Function{
					ARN: "arn:aws:lambda:us-east-1:111111111111:function:other_deployer_dev"})
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
		{name: "forwarding without dead-letter queue", damage: func(t *testing.T, x *fixture) {
			x.addRule(t, "myproject_deployer_forward_dev", `{"source":["aws.ecr"]}`, "",
				"arn:aws:events:us-east-1:222222222222:event-bus/default")
		}},
		{name: "forwarding disabled", damage: func(t *testing.T, x *fixture) {
			x.addRule(t, "myproject_deployer_forward_dev", `{"source":["aws.ecr"]}`, "DISABLED",
				"arn:aws:events:us-east-1:222222222222:event-bus/default")
		}},
		{name: "function denied", damage: deny("lambda:GetFunctionConfiguration")},
		{name: "an event in the failure queue", damage: func(t *testing.T, x *fixture) {
			queue := "https://sqs.us-east-1.amazonaws.com/111111111111/myproject_deployer_failed_dev"
			_, err := sqs.NewFromConfig(x.accounts["dev"].Config).SendMessage(t.Context(),
				&sqs.SendMessageInput{QueueUrl: aws.String(queue), MessageBody: aws.String("{}")})
			must(t, err)
		}},
		{name: "a role without a permission", damage: func(t *testing.T, x *fixture) {
			x.allow(t, "111111111111", "myproject_deployer_dev",
				`{"Effect":"Allow","Action":["ecs:*","ecr:*","sqs:SendMessage"],"Resource":"*"},`+
					`{"Effect":"Deny","Action":"ecs:UpdateService","Resource":"*"}`)
		}},
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
	const golden = "testdata/faults.txtar"
	want, got := map[string]string{}, make([]string, len(tests))
	if archive, err := txtar.ParseFile(golden); err == nil {
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		t.Cleanup(func() {
			archive := &txtar.Archive{Comment: []byte("What the doctor finds in an environment with one problem.\n")}
			for i, tt := range tests {
				archive.Files = append(archive.Files, txtar.File{Name: tt.name, Data: []byte(got[i])})
			}
			must(t, os.WriteFile(golden, txtar.Format(archive), 0o644))
		})
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			if tt.env == "" {
				tt.env = "dev"
			}
			env := load(t, tt.env)
			if tt.change != nil {
				tt.change(env)
			}
			if tt.damage != nil {
				tt.damage(t, x)
			}
			for _, line := range x.examine(t, env, tt.key).lines(OK) {
				got[i] += line + "\n"
			}
			if diff := cmp.Diff(want[tt.name], got[i]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestUnreadablePolicy checks that a policy which cannot be evaluated is unknown, not ok.
func TestUnreadablePolicy(t *testing.T) {
	t.Parallel()
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"NotPrincipal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"ecr:*"}]}`
	f := &findings{}
	f.openness(nil, &repository{registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"},
		name: "myproject_backend", policy: func() (string, error) { return text, nil }})
	want := []Finding{{"repository policy", "", Unknown,
		`not checked: parsing policy: statement 1: "NotPrincipal" is not a supported element`,
		"read it: aws ecr get-repository-policy --registry-id 111111111111 --region us-east-1 --repository-name " +
			"myproject_backend"}}
	if diff := cmp.Diff(want, f.list); diff != "" {
		t.Error(diff)
	}
}
