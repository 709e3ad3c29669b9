package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// statements returns the statements of the function's role.
func statements(t *testing.T, stack string) []any {
	t.Helper()
	all, ok := member(load(t, stack).Resource("DeployerRole"), "Properties", "Policies", 0, "PolicyDocument", "Statement").([]any)
	if !ok || len(all) == 0 {
		t.Fatal("the role has no statements")
	}
	return all
}

func document(t *testing.T, statements []any) *iam.Document {
	t.Helper()
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	d, err := iam.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// functionUnder returns the function of an environment on emulated AWS, with a
// role that has the given statements and no others, and an invocation's context.
func functionUnder(t *testing.T, e *emulator.Emulator, url, stack string, statements []any) (*pipeline.Pipeline, context.Context) {
	t.Helper()
	account := stacks[stack].account
	e.SetRolePolicy(account, "deployer", document(t, statements))
	env, err := environment.Load(filepath.Join("..", "examples", "centralized-dev-ecr", stack+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := accounts.Connect(url, account, region).Config
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: account + "-deployer", SecretAccessKey: "any"}, nil
	})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-east-1:" + account + ":function:deployer"})
	return pipeline.NewFunction(env, config, io.Discard), ctx
}

// deployUnder makes a real deployment of web-api in an environment's account and
// tells of its start, with a role that has the given statements and no others.
func deployUnder(t *testing.T, stack string, statements []any) (pipeline.Result, error) {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := byName["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "v2"); err != nil {
		t.Fatal(err)
	}
	p, ctx := functionUnder(t, e, url, stack, statements)
	account, now := stacks[stack].account, time.Now().UTC().Format(time.RFC3339)
	result, err := p.Handle(ctx, []byte(fmt.Sprintf(
		`{"id":"e1","detail-type":"DEPLOY","source":"action.%s","time":%q,"detail":{"service":"web-api","tag":"v2"}}`, stack, now)))
	if err != nil {
		return result, err
	}
	_, err = p.Handle(ctx, []byte(fmt.Sprintf(
		`{"id":"e2","detail-type":"ECS Deployment State Change","source":"aws.ecs","account":%q,"time":%q,"region":"us-east-1","resources":["arn:aws:ecs:us-east-1:%[1]s:service/myproject_cluster_%[3]s/myproject_service_web-api_%[3]s"],"detail":{"eventName":"SERVICE_DEPLOYMENT_IN_PROGRESS","deploymentId":%[4]q}}`,
		account, now, stack, result.Deployments[0].DeploymentID)))
	return result, err
}

// TestRoleAllowsWhatTheProductCalls deploys for real under the template's own role.
func TestRoleAllowsWhatTheProductCalls(t *testing.T) {
	t.Parallel()
	for _, stack := range []string{"dev", "staging", "prod"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			if got, err := deployUnder(t, stack, statements(t, stack)); err != nil || got.Status != "deployed" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestRoleAllowsNoMore takes one statement after the other away: without it the
// deployment is denied, or it is one that the emulator does not see used.
func TestRoleAllowsNoMore(t *testing.T) {
	t.Parallel()
	// Logs, traces and the failure queue are written by Lambda itself.
	unseen := []string{"KeepFailedEvents", "WriteLogs", "WriteTraces"}
	for i, s := range statements(t, "prod") {
		sid := fmt.Sprint(member(s, "Sid"))
		if slices.Contains(unseen, sid) {
			continue
		}
		t.Run("without "+sid, func(t *testing.T) {
			t.Parallel()
			got, err := deployUnder(t, "prod", slices.Delete(slices.Clone(statements(t, "prod")), i, i+1))
			if fault.NameOf(err) != "AccessDenied" {
				t.Errorf("%+v, %v: want AccessDenied", got, err)
			}
		})
	}
}

// TestRoleIsNarrow asks the role's policy about what it must not allow.
func TestRoleIsNarrow(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:ecs:us-east-1:333333333333:"
	cluster := map[string]string{"ecs:cluster": arn + "cluster/myproject_cluster_prod"}
	tests := []struct {
		name, action, resource string
		context                map[string]string
		want                   iam.Decision
	}{
		{"register a family", "ecs:RegisterTaskDefinition", arn + "task-definition/myproject_service_prod:*", nil, iam.Allow},
		{"register a service's family", "ecs:RegisterTaskDefinition", arn + "task-definition/myproject_service_web-api_prod:*", nil, iam.Allow},
		{"register another environment's", "ecs:RegisterTaskDefinition", arn + "task-definition/myproject_service_web-api_dev:*", nil, iam.NoMatch},
		{"register another project's", "ecs:RegisterTaskDefinition", arn + "task-definition/other_service_prod:*", nil, iam.NoMatch},
		{"tag when registering", "ecs:TagResource", arn + "task-definition/myproject_service_prod:*", map[string]string{"ecs:CreateAction": "RegisterTaskDefinition"}, iam.Allow},
		{"tag later", "ecs:TagResource", arn + "task-definition/myproject_service_prod:7", nil, iam.NoMatch},
		{"deploy by its own events", "events:PutEvents", "arn:aws:events:us-east-1:333333333333:event-bus/default", map[string]string{"events:source": "action.production"}, iam.NoMatch},
		{"tell an outcome", "events:PutEvents", "arn:aws:events:us-east-1:333333333333:event-bus/default", map[string]string{"events:source": "deployer"}, iam.Allow},
		{"tell another bus", "events:PutEvents", "arn:aws:events:us-east-1:333333333333:event-bus/other", map[string]string{"events:source": "deployer"}, iam.NoMatch},
		{"update a service", "ecs:UpdateService", arn + "service/myproject_cluster_prod/myproject_service_prod", cluster, iam.Allow},
		{"update in another cluster", "ecs:UpdateService", arn + "service/other/myproject_service_prod", map[string]string{"ecs:cluster": arn + "cluster/other"}, iam.NoMatch},
		{"delete a service", "ecs:DeleteService", arn + "service/myproject_cluster_prod/myproject_service_prod", cluster, iam.NoMatch},
		{"pass an execution role", "iam:PassRole", "arn:aws:iam::333333333333:role/myproject_backend_task_execution_prod", map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, iam.Allow},
		{"pass it to another service", "iam:PassRole", "arn:aws:iam::333333333333:role/myproject_backend_task_execution_prod", map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, iam.NoMatch},
		{"pass another role", "iam:PassRole", "arn:aws:iam::333333333333:role/Admin", map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, iam.NoMatch},
		{"read dev's registry", "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend", nil, iam.Allow},
		{"read another registry", "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:333333333333:repository/myproject_backend", nil, iam.NoMatch},
		{"push", "ecr:PutImage", "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend", nil, iam.NoMatch},
		{"read the queue it writes", "sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod", nil, iam.NoMatch},
	}
	d := document(t, statements(t, "prod"))
	for _, tt := range tests {
		if got := d.Evaluate(iam.Request{Principal: "arn:aws:iam::333333333333:role/myproject_deployer_prod", Account: prod, Action: tt.action, Resource: tt.resource, Context: tt.context}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	for key, want := range map[string]iam.Decision{"deployer:outcome": iam.Allow, "deployer:digest": iam.NoMatch, "Name": iam.NoMatch} {
		if got := d.Evaluate(iam.Request{Principal: "arn:aws:iam::333333333333:role/myproject_deployer_prod", Account: prod, Action: "ecs:TagResource",
			Resource: arn + "task-definition/myproject_service_prod:7", TagKeys: []string{key}}); got != want {
			t.Errorf("tagging %q later: %v, want %v", key, got, want)
		}
	}
	for _, s := range statements(t, "prod") {
		for _, action := range strings.Split(strings.Trim(fmt.Sprint(member(s, "Action")), "[]"), " ") {
			wide := []string{"ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "xray:PutTraceSegments", "xray:PutTelemetryRecords"} // these know no resources
			if strings.Contains(action, "*") || fmt.Sprint(member(s, "Resource")) == "*" && !slices.Contains(wide, action) {
				t.Errorf("%v allows %s on everything", member(s, "Sid"), action)
			}
		}
	}
}
