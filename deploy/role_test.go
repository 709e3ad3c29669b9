package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// statements returns the policy statements of the function's role.
func statements(t *testing.T, stack string) []any {
	t.Helper()
	all := roleStatements(load(t, stack))
	if len(all) == 0 {
		t.Fatal("the role has no statements")
	}
	return all
}

// roleStatements returns the statements of the role's own policy, and of the managed policies that it has.
func roleStatements(template *cloudformation.Template) (all []any) {
	for _, policy := range rolePolicies(template) {
		all = append(all, policy.statements...)
	}
	return all
}

// rolePolicy is a policy of the function's role. An inline policy has no name.
type rolePolicy struct {
	name       string
	statements []any
}

// rolePolicies returns the policies of the function's role, the inline one first.
func rolePolicies(template *cloudformation.Template) []rolePolicy {
	properties := member(template.Resource("DeployerRole"), "Properties")
	inline, _ := member(properties, "Policies", 0, "PolicyDocument", "Statement").([]any)
	all := []rolePolicy{{"", inline}}
	attached, _ := member(properties, "ManagedPolicyArns").([]any)
	for _, id := range template.Resources("AWS::IAM::ManagedPolicy") {
		policy := member(template.Resource(id), "Properties")
		name := fmt.Sprint(member(policy, "ManagedPolicyName"))
		if slices.ContainsFunc(attached, func(arn any) bool {
			return strings.HasSuffix(fmt.Sprint(arn), ":policy/"+name)
		}) {
			some, _ := member(policy, "PolicyDocument", "Statement").([]any)
			all = append(all, rolePolicy{name, some})
		}
	}
	return all
}

// policyFaults returns a line for each policy of the function's role that IAM does not accept.
func policyFaults(t *testing.T, template *cloudformation.Template) (faults []string) {
	t.Helper()
	all := rolePolicies(template)
	for _, policy := range all {
		limit := 6144
		if policy.name == "" {
			limit = 10240
		}
		size := len(documentText(t, policy.statements))
		t.Logf("%q has %d characters of %d", policy.name, size, limit)
		if size > limit {
			faults = append(faults, fmt.Sprintf("the policy %q has %d characters, more than IAM's %d", policy.name,
				size, limit))
		}
	}
	if len(all)-1 > 10 {
		faults = append(faults, fmt.Sprintf("the role has %d managed policies, more than IAM's 10", len(all)-1))
	}
	return faults
}

// documentText returns the JSON of a policy, which has no white space between its parts.
func documentText(t *testing.T, statements []any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func document(t *testing.T, statements []any) *iam.Document {
	t.Helper()
	d, err := iam.Parse(documentText(t, statements))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// functionWith returns the function of an environment on emulated AWS, with a role that
// has the given policy statements and no others, and the context of an invocation.
func functionWith(t *testing.T, e *emulator.Emulator, url, stack string, statements []any) (
	*pipeline.Pipeline, context.Context,
) {
	t.Helper()
	account := stacks[stack].account
	e.SetRolePolicy(account, "deployer", document(t, statements))
	env, err := environment.Load(filepath.Join("..", "examples", "centralized-dev-ecr", stack+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return functionIn(t, url, account, env)
}

// functionIn returns the function of an environment in an account of emulated AWS, and the context of an invocation.
func functionIn(t *testing.T, url, account string, env *environment.Environment) (*pipeline.Pipeline, context.Context) {
	t.Helper()
	config := accounts.Connect(url, account, region).Config
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: account + "-deployer", SecretAccessKey: "any"}, nil
	})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
		InvokedFunctionArn: "arn:aws:lambda:us-east-1:" + account + ":function:deployer",
	})
	return pipeline.NewFunction(env, config, io.Discard), ctx
}

// deployWith deploys web-api, blue/green, in an environment and reports it, with a role that
// has the given policy statements and no others.
func deployWith(t *testing.T, stack string, statements []any) (pipeline.Result, error) {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Microsecond})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = byName[stack].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("myproject_cluster_" + stack), Service: aws.String("myproject_service_web-api_" + stack),
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyBlueGreen},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := byName["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "v2"); err != nil {
		t.Fatal(err)
	}
	p, ctx := functionWith(t, e, url, stack, statements)
	account, now := stacks[stack].account, time.Now().UTC().Format(time.RFC3339)
	result, err := p.Handle(ctx, fmt.Appendf(nil, `{"id":"e1","detail-type":"DEPLOY","source":"action.%s","time":%q,
		"detail":{"service":"web-api","tag":"v2"}}`, stack, now))
	if err != nil {
		return result, err
	}
	for _, step := range []string{"IN_PROGRESS", "COMPLETED"} {
		_, err = p.Handle(ctx, fmt.Appendf(nil, `{"id":"e2","detail-type":"ECS Deployment State Change",
			"source":"aws.ecs","account":%q,"time":%q,"region":"us-east-1","resources":
			["arn:aws:ecs:us-east-1:%[1]s:service/myproject_cluster_%[3]s/myproject_service_web-api_%[3]s"],
			"detail":{"eventName":"SERVICE_DEPLOYMENT_%[5]s","deploymentId":%[4]q}}`,
			account, now, stack, result.Deployments[0].DeploymentID, step))
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

// TestRoleIsSufficient deploys with the template's role.
func TestRoleIsSufficient(t *testing.T) {
	t.Parallel()
	for _, stack := range []string{"dev", "staging", "prod"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			if got, err := deployWith(t, stack, statements(t, stack)); err != nil || got.Status != "deployed" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestRoleHasNoUnusedStatement checks that the deployment is denied without any one of
// the role's statements.
func TestRoleHasNoUnusedStatement(t *testing.T) {
	t.Parallel()
	// Lambda itself uses these, for logs and traces.
	usedByLambda := []string{"WriteLogs", "WriteTraces"}
	// See TestRoleOfRollouts, TestRoleKeepsEvents and TestRoleSchedulesRetries.
	usedLater := []string{"ReadServiceDeployments", "ListStoppedTasks", "ReadStoppedTasks", "KeepFailedEvents",
		"ScheduleRetries", "PassRetryRole"}
	for i, s := range statements(t, "prod") {
		sid := fmt.Sprint(member(s, "Sid"))
		if slices.Contains(usedByLambda, sid) || slices.Contains(usedLater, sid) {
			continue
		}
		t.Run("without "+sid, func(t *testing.T) {
			t.Parallel()
			rest := slices.Delete(slices.Clone(statements(t, "prod")), i, i+1)
			got, err := deployWith(t, "prod", rest)
			if fault.NameOf(err) != "AccessDenied" {
				t.Errorf("%+v, %v: want AccessDenied", got, err)
			}
		})
	}
}

// TestRoleOfManyTaskRoles deploys a service whose roles are in the second of the lists of an environment with many, and
// not without that list's statement.
func TestRoleOfManyTaskRoles(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::" + prod + ":role/"
	values := maps.Clone(stacks["prod"].values)
	values["RoleArns"] = role + "other_prod"
	values["MoreRoleArns"] = role + "myproject_service_web-api_task_prod," + role +
		"myproject_service_web-api_task_execution_prod"
	template, err := loadWith(t, prod, values)
	if err != nil {
		t.Fatal(err)
	}
	all := roleStatements(template)
	if got, err := deployWith(t, "prod", all); err != nil || got.Status != "deployed" {
		t.Errorf("%+v, %v", got, err)
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(s any) bool { return member(s, "Sid") == "PassMoreTaskRoles" })
	if got, err := deployWith(t, "prod", rest); len(rest) != len(all)-1 || fault.NameOf(err) != "AccessDenied" {
		t.Errorf("without PassMoreTaskRoles: %+v, %v: want AccessDenied", got, err)
	}
}
