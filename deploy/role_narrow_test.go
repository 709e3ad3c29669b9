package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"deployer/internal/iam"
	"deployer/internal/outcome"
)

// TestRoleIsNarrow evaluates requests that the role's policy must and must not allow.
func TestRoleIsNarrow(t *testing.T) {
	t.Parallel()
	const (
		ecs      = "arn:aws:ecs:us-east-1:333333333333:"
		family   = ecs + "task-definition/myproject_service_"
		service  = ecs + "service/myproject_cluster_prod/myproject_service_prod"
		bus      = "arn:aws:events:us-east-1:333333333333:event-bus/"
		role     = "arn:aws:iam::333333333333:role/"
		registry = "arn:aws:ecr:us-east-1:111111111111:repository/"
		failed   = "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod"
		schedule = "arn:aws:scheduler:us-east-1:333333333333:schedule/"
	)
	type context = map[string]string
	inCluster := context{"ecs:cluster": ecs + "cluster/myproject_cluster_prod"}
	inOther := context{"ecs:cluster": ecs + "cluster/other"}
	registering := context{"ecs:CreateAction": "RegisterTaskDefinition"}
	outcomes := context{"events:source": "deployer", "events:detail-type": "Deployment Failed"}
	toECS := context{"iam:PassedToService": "ecs-tasks.amazonaws.com"}
	tests := []struct {
		name, action, resource string
		context                context
		want                   iam.Decision
	}{
		{"register a family", "ecs:RegisterTaskDefinition", family + "prod:*", nil, iam.Allow},
		{"register a service's family", "ecs:RegisterTaskDefinition", family + "web-api_prod:*", nil, iam.Allow},
		{"register in another environment", "ecs:RegisterTaskDefinition", family + "web-api_dev:*", nil, iam.NoMatch},
		{"register in another project", "ecs:RegisterTaskDefinition", ecs + "task-definition/other_service_prod:*",
			nil, iam.NoMatch},
		{"tag when registering", "ecs:TagResource", family + "prod:*", registering, iam.Allow},
		{"tag later", "ecs:TagResource", family + "prod:7", nil, iam.NoMatch},
		{"send DEPLOY events", "events:PutEvents", bus + "default",
			context{"events:source": "action.production"}, iam.NoMatch},
		{"send events without a source", "events:PutEvents", bus + "default", nil, iam.NoMatch},
		{"publish outcomes", "events:PutEvents", bus + "default", outcomes, iam.Allow},
		{"publish what is no outcome", "events:PutEvents", bus + "default",
			context{"events:source": "deployer", "events:detail-type": "DEPLOY"}, iam.NoMatch},
		{"publish without a type", "events:PutEvents", bus + "default",
			context{"events:source": "deployer"}, iam.NoMatch},
		{"publish to another bus", "events:PutEvents", bus + "other", outcomes, iam.NoMatch},
		{"update a service", "ecs:UpdateService", service, inCluster, iam.Allow},
		{"update a service with the old form of ARN", "ecs:UpdateService", ecs + "service/myproject_service_prod",
			inCluster, iam.Allow},
		{"update one of another cluster", "ecs:UpdateService", ecs + "service/myproject_service_prod",
			inOther, iam.NoMatch},
		{"update in another cluster", "ecs:UpdateService", ecs + "service/other/myproject_service_prod",
			inOther, iam.NoMatch},
		{"delete a service", "ecs:DeleteService", service, inCluster, iam.NoMatch},
		{"pass an execution role", "iam:PassRole", role + "myproject_backend_task_execution_prod", toECS, iam.Allow},
		{"pass it to another service", "iam:PassRole", role + "myproject_backend_task_execution_prod",
			context{"iam:PassedToService": "ec2.amazonaws.com"}, iam.NoMatch},
		{"pass another role", "iam:PassRole", role + "Admin", toECS, iam.NoMatch},
		{"read dev's registry", "ecr:BatchGetImage", registry + "myproject_backend", nil, iam.Allow},
		{"read another registry", "ecr:BatchGetImage",
			"arn:aws:ecr:us-east-1:333333333333:repository/myproject_backend", nil, iam.NoMatch},
		{"read an image's platform", "ecr:GetDownloadUrlForLayer", registry + "myproject_backend", nil, iam.Allow},
		{"read another registry's platform", "ecr:GetDownloadUrlForLayer",
			"arn:aws:ecr:us-east-1:333333333333:repository/myproject_backend", nil, iam.NoMatch},
		{"push", "ecr:PutImage", registry + "myproject_backend", nil, iam.NoMatch},
		{"delete images", "ecr:BatchDeleteImage", registry + "myproject_backend", nil, iam.NoMatch},
		{"change its stack", "cloudformation:UpdateStack", "*", nil, iam.NoMatch},
		{"change its code", "lambda:UpdateFunctionCode",
			"arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod", nil, iam.NoMatch},
		{"change its rights", "iam:PutRolePolicy", role + "myproject_deployer_prod", nil, iam.NoMatch},
		{"change the rules of its bus", "events:PutRule", "arn:aws:events:us-east-1:333333333333:rule/myproject_x_prod",
			nil, iam.NoMatch},
		{"read a secret", "secretsmanager:GetSecretValue", "*", nil, iam.NoMatch},
		{"run a task", "ecs:RunTask", family + "prod:7", inCluster, iam.NoMatch},
		{"list the cluster's tasks", "ecs:ListTasks", "*", inCluster, iam.Allow},
		{"list another cluster's tasks", "ecs:ListTasks", "*", inOther, iam.NoMatch},
		{"read the cluster's tasks", "ecs:DescribeTasks", ecs + "task/myproject_cluster_prod/1", inCluster, iam.Allow},
		{"read another cluster's tasks", "ecs:DescribeTasks", ecs + "task/other/1", inOther, iam.NoMatch},
		{"read another cluster's deployments", "ecs:DescribeServiceDeployments",
			ecs + "service-deployment/other/web/1", inOther, iam.NoMatch},
		{"read the cluster's service revisions", "ecs:DescribeServiceRevisions",
			ecs + "service-revision/myproject_cluster_prod/web/1", inCluster, iam.Allow},
		{"read another cluster's service revisions", "ecs:DescribeServiceRevisions",
			ecs + "service-revision/other/web/1", inOther, iam.NoMatch},
		{"stop a deployment", "ecs:StopServiceDeployment", service, inCluster, iam.NoMatch},
		{"keep an event", "sqs:SendMessage", failed, nil, iam.Allow},
		{"send to another queue", "sqs:SendMessage", strings.Replace(failed, "failed", "undelivered", 1), nil,
			iam.NoMatch},
		{"schedule a retry", "scheduler:CreateSchedule", schedule + "myproject_deployer_retry_prod/x", nil, iam.Allow},
		{"schedule in another group", "scheduler:CreateSchedule", schedule + "default/x", nil, iam.NoMatch},
		{"delete a schedule", "scheduler:DeleteSchedule", schedule + "myproject_deployer_retry_prod/x", nil,
			iam.NoMatch},
		{"give a schedule its role", "iam:PassRole", role + "myproject_deployer_retry_prod",
			context{"iam:PassedToService": "scheduler.amazonaws.com"}, iam.Allow},
		{"give a schedule its own role", "iam:PassRole", role + "myproject_deployer_prod",
			context{"iam:PassedToService": "scheduler.amazonaws.com"}, iam.NoMatch},
		{"give the retry role to a task", "iam:PassRole", role + "myproject_deployer_retry_prod", toECS, iam.NoMatch},
		{"invoke itself", "lambda:InvokeFunction",
			"arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod", nil, iam.NoMatch},
		{"read the failure queue", "sqs:ReceiveMessage", failed, nil, iam.NoMatch},
	}
	d := document(t, statements(t, "prod"))
	request := iam.Request{Principal: role + "myproject_deployer_prod", Account: prod}
	for _, tt := range tests {
		request.Action, request.Resource, request.Context = tt.action, tt.resource, tt.context
		if got := d.Evaluate(request); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	request.Action, request.Resource = "events:PutEvents", bus+"default"
	for _, kind := range []outcome.Kind{
		outcome.DeploymentStarted, outcome.DeploymentSucceeded, outcome.DeploymentFailed, outcome.DeploymentRejected,
		outcome.DeploymentSuperseded, outcome.DeploymentImpaired, outcome.DeploymentPaused,
	} {
		request.Context = context{"events:source": "deployer", "events:detail-type": string(kind)}
		if got := d.Evaluate(request); got != iam.Allow {
			t.Errorf("publish %q: %v, want %v", kind, got, iam.Allow)
		}
	}
	request.Action, request.Resource, request.Context = "ecs:TagResource", family+"prod:7", nil
	for key, want := range map[string]iam.Decision{
		"deployer:outcome": iam.Allow, "deployer:digest": iam.NoMatch, "Name": iam.NoMatch,
	} {
		request.TagKeys = []string{key}
		if got := d.Evaluate(request); got != want {
			t.Errorf("tagging %q later: %v, want %v", key, got, want)
		}
	}
}

// TestRoleHasNoWildcard checks that no statement allows a wildcard action, and that
// only actions without resource-level permissions are allowed on every resource.
func TestRoleHasNoWildcard(t *testing.T) {
	t.Parallel()
	withoutResource := []string{
		"ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "ecs:ListTasks",
		"xray:PutTraceSegments", "xray:PutTelemetryRecords",
	}
	for _, s := range statements(t, "prod") {
		everything := fmt.Sprint(member(s, "Resource")) == "*"
		for _, action := range strings.Fields(strings.Trim(fmt.Sprint(member(s, "Action")), "[]")) {
			if strings.Contains(action, "*") || everything && !slices.Contains(withoutResource, action) {
				t.Errorf("%v allows %s on everything", member(s, "Sid"), action)
			}
		}
	}
}
