package access

import (
	"encoding/json"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/iam"
)

// TestJobsCannot evaluates what docs/security.md says that the jobs' roles cannot do, for the environments of isolated
// production: on their own resources too.
func TestJobsCannot(t *testing.T) {
	t.Parallel()
	envs := []*environment.Environment{example(t, "isolated-production-ecr/dev"),
		example(t, "isolated-production-ecr/staging"), example(t, "isolated-production-ecr/prod")}
	p, err := Pipeline(envs, Source{Owner: "octocat", Name: "shop"}, false)
	must(t, err)
	var roles []struct {
		RoleName, Account        string
		PolicyDocument           json.RawMessage
		AssumeRolePolicyDocument json.RawMessage
	}
	must(t, json.Unmarshal([]byte(p.JSON), &roles))
	const (
		service = "arn:aws:ecs:us-east-1:ACCOUNT:service/myproject_cluster_ENV/myproject_service_ENV"
		family  = "arn:aws:ecs:us-east-1:ACCOUNT:task-definition/myproject_service_ENV:*"
		images  = "arn:aws:ecr:us-east-1:ACCOUNT:repository/myproject_backend"
		bus     = "arn:aws:events:us-east-1:ACCOUNT:event-bus/default"
		queue   = "arn:aws:sqs:us-east-1:ACCOUNT:myproject_deployer_failed_ENV"
		role    = "arn:aws:iam::ACCOUNT:role/myproject_backend_task_execution_ENV"
		start   = "arn:aws:scheduler:us-east-1:ACCOUNT:schedule/g/n"
		stack   = "arn:aws:cloudformation:us-east-1:ACCOUNT:stack/myproject-deployer-ENV/*"
	)
	push := []string{"ecr:PutImage", images, "ecr:InitiateLayerUpload", images}
	destroy := []string{"ecr:BatchDeleteImage", images, "ecr:SetRepositoryPolicy", images,
		"ecr:PutImageTagMutability", images}
	deploy := []string{"ecs:UpdateService", service, "ecs:RegisterTaskDefinition", family, "iam:PassRole", role,
		"ecs:RunTask", family, "scheduler:UpdateSchedule", start, "events:PutTargets", bus, "sqs:SendMessage", queue,
		"cloudformation:UpdateStack", stack}
	send := []string{"events:PutEvents", bus}
	read := []string{"ecr:BatchGetImage", images}
	cannot := map[string][][]string{
		"myproject_github_build_dev":      {destroy, deploy, send},
		"myproject_github_promote_prod":   {destroy, deploy, send},
		"myproject_github_deploy_dev":     {destroy, deploy, push},
		"myproject_github_deploy_staging": {destroy, deploy, push},
		"myproject_github_deploy_prod":    {destroy, deploy, push},
	}
	for _, r := range roles {
		env := r.RoleName[strings.LastIndexByte(r.RoleName, '_')+1:]
		d, err := iam.Parse(r.PolicyDocument)
		must(t, err)
		all, known := cannot[r.RoleName]
		if !known {
			t.Errorf("the test does not know the role %s", r.RoleName)
		}
		delete(cannot, r.RoleName)
		own := strings.NewReplacer("ACCOUNT", r.Account, "ENV", env)
		for _, pairs := range all {
			for i := 0; i < len(pairs); i += 2 {
				request := caller(r.Account, "", pairs[i], own.Replace(pairs[i+1]))
				request.Context = map[string]string{"events:source": "action." + env, "events:detail-type": "DEPLOY"}
				if got := d.Evaluate(request); got != iam.NoMatch {
					t.Errorf("%s may call %s on %s: %s", r.RoleName, pairs[i], request.Resource, got)
				}
			}
		}
		for _, other := range []string{devAccount, stagingAccount, prodAccount} { // another bus than its own
			request := caller(r.Account, "", "events:PutEvents", strings.ReplaceAll(bus, "ACCOUNT", other))
			request.Context = map[string]string{"events:source": "action." + env, "events:detail-type": "DEPLOY"}
			sends := strings.Contains(r.RoleName, "_deploy_") && other == r.Account
			if got := d.Evaluate(request); got == iam.Allow != sends {
				t.Errorf("%s sends to the bus of %s: %s", r.RoleName, other, got)
			}
		}
		if trust := string(r.AssumeRolePolicyDocument); strings.Contains(trust, "*") ||
			strings.Contains(trust, "StringLike") {
			t.Errorf("%s trusts a wildcard: %s", r.RoleName, trust)
		}
	}
	if len(cannot) > 0 {
		t.Errorf("no roles: %v", cannot)
	}
	// The promote job reads the source's images, and no other registry's.
	for _, r := range roles {
		d, err := iam.Parse(r.PolicyDocument)
		must(t, err)
		for account, want := range map[string]bool{devAccount: true, prodAccount: true, stagingAccount: false} {
			request := caller(r.Account, "", read[0], strings.ReplaceAll(read[1], "ACCOUNT", account))
			if got := d.Evaluate(request) == iam.Allow; r.RoleName == "myproject_github_promote_prod" && got != want {
				t.Errorf("%s reads the images of %s: %t", r.RoleName, account, got)
			}
		}
	}
}
