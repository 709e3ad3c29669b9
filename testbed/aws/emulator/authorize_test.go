package emulator_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestOperationsAreAuthorized: each operation needs permission for the resources and with the condition keys of the
// service authorization reference. The policy of each row is minimal: the call succeeds with it, and is denied without
// a statement, with another resource and with another condition.
func TestOperationsAreAuthorized(t *testing.T) {
	t.Parallel()
	const (
		ecsARN    = "arn:aws:ecs:us-east-1:111111111111:"
		ecrARN    = "arn:aws:ecr:us-east-1:111111111111:repository/"
		eventsARN = "arn:aws:events:us-east-1:111111111111:"
		inCluster = `,"Condition":{"ArnEquals":{"ecs:cluster":"` + ecsARN + `cluster/c"}}`
		ofService = `,"Condition":{"ArnEquals":{"ecs:cluster":"` + ecsARN + `cluster/c","ecs:service":"` + ecsARN +
			`service/c/web"}}`
		container = `"containerDefinitions":[{"name":"app","image":"nginx","memory":128}]`
	)
	statement := func(action, resource, condition string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"` + condition + `}`
	}
	tests := []struct {
		call, body string
		statements []string
	}{
		{"ecr:CreateRepository", `{"repositoryName":"new"}`, []string{statement("ecr:CreateRepository", ecrARN+"new",
			"")}},
		{"ecr:PutImage", `{"repositoryName":"r1","imageManifest":"{\"mediaType\":\"m\"}"}`,
			[]string{statement("ecr:PutImage", ecrARN+"r1", "")}},
		{"ecr:BatchGetImage", `{"repositoryName":"r1","imageIds":[{"imageTag":"t"}]}`,
			[]string{statement("ecr:BatchGetImage", ecrARN+"r1", "")}},
		{"ecr:BatchDeleteImage", `{"repositoryName":"r1","imageIds":[{"imageTag":"t"}]}`,
			[]string{statement("ecr:BatchDeleteImage", ecrARN+"r1", "")}},
		{"ecr:DescribeImages", `{"repositoryName":"r1"}`, []string{statement("ecr:DescribeImages", ecrARN+"r1", "")}},
		{"ecr:SetRepositoryPolicy", `{"repositoryName":"r1","policyText":"{\"Version\":\"2012-10-17\",` +
			`\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"ecr:*\"}]}"}`,
			[]string{statement("ecr:SetRepositoryPolicy", ecrARN+"r1", "")}},

		{"ecs:CreateCluster", `{"clusterName":"d"}`, []string{statement("ecs:CreateCluster", "*", "")}},
		{"ecs:ListClusters", `{}`, []string{statement("ecs:ListClusters", "*", "")}},
		{"ecs:CreateService", `{"cluster":"c","serviceName":"api","taskDefinition":"web","tags":[{"key":"k",` +
			`"value":"v"}]}`, []string{
			statement("ecs:CreateService", ecsARN+"service/c/api", `,"Condition":{"ArnEquals":{"ecs:cluster":"`+ecsARN+
				`cluster/c","ecs:task-definition":"`+ecsARN+`task-definition/web:1"}}`),
			statement("ecs:TagResource", ecsARN+"service/c/api",
				`,"Condition":{"StringEquals":{"ecs:CreateAction":"CreateService","aws:RequestTag/k":"v"}}`)}},
		{"ecs:UpdateService", `{"cluster":"c","service":"web","taskDefinition":"web"}`, []string{
			statement("ecs:UpdateService", ecsARN+"service/c/web", `,"Condition":{"ArnEquals":{"ecs:cluster":"`+ecsARN+
				`cluster/c","ecs:task-definition":"`+ecsARN+`task-definition/web:1"}}`)}},
		{"ecs:DeleteService", `{"cluster":"c","service":"web","force":true}`,
			[]string{statement("ecs:DeleteService", ecsARN+"service/c/web", inCluster)}},
		{"ecs:DescribeServices", `{"cluster":"c","services":["web"]}`,
			[]string{statement("ecs:DescribeServices", ecsARN+"service/c/web", inCluster)}},
		{"ecs:ListServices", `{"cluster":"c"}`, []string{statement("ecs:ListServices", "*", inCluster)}},
		{"ecs:ListServiceDeployments", `{"cluster":"c","service":"web"}`,
			[]string{statement("ecs:ListServiceDeployments", ecsARN+"service/c/web", inCluster)}},
		{"ecs:DescribeServiceDeployments", `{"serviceDeploymentArns":["` + ecsARN + `service-deployment/c/web/x"]}`,
			[]string{
				statement("ecs:DescribeServiceDeployments", ecsARN+"service/c/web", inCluster),
				statement("ecs:DescribeServiceDeployments", ecsARN+"service-deployment/c/web/*", ofService)}},
		{"ecs:RegisterTaskDefinition", `{"family":"api",` + container + `}`,
			[]string{statement("ecs:RegisterTaskDefinition", ecsARN+"task-definition/api:*", "")}},
		{"ecs:RegisterTaskDefinition",
			`{"family":"api","taskRoleArn":"t","executionRoleArn":"arn:aws:iam::111111111111:role/x",` +
				`"tags":[{"key":"k","value":"v"}],` + container + `}`, []string{
				statement("ecs:RegisterTaskDefinition", ecsARN+"task-definition/api:*", ""),
				statement("ecs:TagResource", ecsARN+"task-definition/api:*",
					`,"Condition":{"StringEquals":{"ecs:CreateAction":"RegisterTaskDefinition"}}`),
				statement("iam:PassRole", "arn:aws:iam::111111111111:role/t",
					`,"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`),
				statement("iam:PassRole", "arn:aws:iam::111111111111:role/x",
					`,"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`)}},
		{"ecs:DescribeTaskDefinition", `{"taskDefinition":"web"}`, []string{statement("ecs:DescribeTaskDefinition", "*",
			"")}},
		{"ecs:ListTaskDefinitions", `{}`, []string{statement("ecs:ListTaskDefinitions", "*", "")}},
		{"ecs:DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`,
			[]string{statement("ecs:DeregisterTaskDefinition", "*", "")}},
		{"ecs:TagResource", `{"resourceArn":"` + ecsARN + `task-definition/web:1","tags":[{"key":"k","value":"v"}]}`,
			[]string{statement("ecs:TagResource", ecsARN+"task-definition/web:*",
				`,"Condition":{"StringEquals":{"aws:RequestTag/k":"v"},`+
					`"ForAllValues:StringEquals":{"aws:TagKeys":"k"}}`)}},
		{"ecs:ListTagsForResource", `{"resourceArn":"` + ecsARN + `cluster/c"}`,
			[]string{statement("ecs:ListTagsForResource", ecsARN+"cluster/c", "")}},

		{"events:DescribeEventBus", `{}`, []string{statement("events:DescribeEventBus", eventsARN+"event-bus/default",
			"")}},
		{"events:PutPermission", `{"StatementId":"s","Action":"events:PutEvents","Principal":"*"}`,
			[]string{statement("events:PutPermission", eventsARN+"event-bus/default", "")}},
		{"events:PutRule", `{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}`,
			[]string{statement("events:PutRule", eventsARN+"rule/r", "")}},
		{"events:DescribeRule", `{"Name":"all"}`, []string{statement("events:DescribeRule", eventsARN+"rule/all", "")}},
		{"events:DisableRule", `{"Name":"all"}`, []string{statement("events:DisableRule", eventsARN+"rule/all", "")}},
		{"events:EnableRule", `{"Name":"all"}`, []string{statement("events:EnableRule", eventsARN+"rule/all", "")}},
		{"events:PutTargets", `{"Rule":"all","Targets":[]}`,
			[]string{statement("events:PutTargets", eventsARN+"rule/all", "")}},
		{"events:ListTargetsByRule", `{"Rule":"all"}`, []string{statement("events:ListTargetsByRule",
			eventsARN+"rule/all", "")}},
		{"events:PutEvents", deployEntry, []string{statement("events:PutEvents", eventsARN+"event-bus/default",
			`,"Condition":{"StringEquals":{"events:source":"action.production","events:detail-type":"DEPLOY",`+
				`"events:eventBusInvocation":"false"}}`)}},
		{"events:TestEventPattern", `{"EventPattern":"{\"source\":[\"s\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",` +
			`\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"d\"}"}`,
			[]string{statement("events:TestEventPattern", "*", "")}},
	}
	for _, tt := range tests {
		t.Run(tt.call, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.NewService(t, "")
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"r1"}`)
			w.Rule(t, dev, `{"source":["s"]}`, devQueue, "")
			const role = dev + "-Deployer"
			refused := func(what string, statements []string) {
				t.Helper()
				w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[`+
					strings.Join(statements, ",")+`]}`))
				if status, got := w.Raw(t, role, tt.call, tt.body); status != 400 || !strings.Contains(got,
					`"__type":"AccessDeniedException"`) {
					t.Errorf("%s: %d %s", what, status, got)
				}
			}
			for i, s := range tt.statements {
				others := append([]string{statement("s3:GetObject", "*", "")}, tt.statements[:i]...)
				others = append(others, tt.statements[i+1:]...)
				refused("without "+s, others)
				if !strings.Contains(s, `"Resource":"*"`) {
					refused("for another resource", append(others, strings.Replace(s, `"Resource":"arn:`,
						`"Resource":"arn:other:`, 1)))
				}
				if before, _, ok := strings.Cut(s, `,"Condition"`); ok {
					refused("on another condition",
						append(others, before+`,"Condition":{"StringEquals":{"aws:PrincipalAccount":"333333333333"}}}`))
				}
			}
			w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[`+
				strings.Join(tt.statements, ",")+`]}`))
			w.Do(t, role, tt.call, tt.body)
		})
	}
}

// TestPassRoleIsDenied: the error names the action and the resource that are not allowed.
func TestPassRoleIsDenied(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, emulatortest.Allow("ecs:*", "*")))
	_, got := w.Raw(t, dev+"-Deployer", "ecs:RegisterTaskDefinition",
		`{"family":"web","taskRoleArn":"arn:aws:iam::111111111111:role/Admin","containerDefinitions":[{"name":"app",`+
			`"image":"nginx","memory":128}]}`)
	const want = `{"Message":"User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to ` +
		`perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/Admin ` +
		`because no identity-based policy allows the iam:PassRole action","__type":"AccessDeniedException"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExplicitDeny(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Deployer",
		emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecs:ListClusters",`+
			`"Resource":"*"}]}`),
		emulatortest.Policy(t, emulatortest.Allow("*", "*")))
	_, got := w.Raw(t, dev+"-Deployer", "ecs:ListClusters", `{}`)
	const want = `{"Message":"User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to ` +
		`perform: ecs:ListClusters on resource: * with an explicit deny in an identity-based policy",` +
		`"__type":"AccessDeniedException"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUnencryptedConnection checks that a queue's policy can refuse connections without TLS, which a header stands for.
func TestUnencryptedConnection(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	load(t, w, `
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "sqs:*", Resource: !GetAtt Queue.Arn, Condition: {Bool: {"aws:SecureTransport": "false"}}}]
`, nil)
	for header, want := range map[string]bool{"": true, "https": true, "http": false} {
		config := accounts.Connect(w.URL, dev, "us-east-1").Config
		client := sqs.NewFromConfig(config, sqs.WithAPIOptions(smithyhttp.SetHeaderValue("X-Forwarded-Proto", header)))
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{MessageBody: aws.String("m"),
			QueueUrl: aws.String("https://sqs.us-east-1.amazonaws.com/" + dev + "/q")})
		if (err == nil) != want {
			t.Errorf("X-Forwarded-Proto %q: %v", header, err)
		}
	}
}
