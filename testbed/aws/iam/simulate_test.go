package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	dev  = accounts.Dev
	prod = accounts.Prod
)

func TestSimulatePrincipalPolicy(t *testing.T) {
	t.Parallel()
	const (
		role  = "arn:aws:iam::111111111111:role/path/Task"
		web   = "arn:aws:ecr:us-east-1:111111111111:repository/web"
		other = "arn:aws:ecr:us-east-1:111111111111:repository/other"
	)
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Task", emulatortest.Policy(t, emulatortest.Allow("ecr:Get*", "*")), emulatortest.Policy(t,
		emulatortest.Allow("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:111111111111:repository/web")),
		emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny",`+
			`"Action":"ecr:GetLifecyclePolicy","Resource":"*"}]}`))
	simulate := func(key, source string, resources ...string) (map[string]string, error) {
		out, err := iam.NewFromConfig(w.Config(key)).SimulatePrincipalPolicy(t.Context(),
			&iam.SimulatePrincipalPolicyInput{
				PolicySourceArn: &source, ActionNames: []string{"ecr:GetAuthorizationToken", "ecr:BatchGetImage",
					"ecr:GetLifecyclePolicy"}, ResourceArns: resources})
		if err != nil {
			return nil, err
		}
		got := map[string]string{}
		for _, r := range out.EvaluationResults {
			got[*r.EvalActionName] = string(r.EvalDecision)
			for _, of := range r.MatchedStatements {
				got[*r.EvalActionName] += " by " + string(of.SourcePolicyType) + " " + *of.SourcePolicyId
			}
			for _, one := range r.ResourceSpecificResults {
				got[*r.EvalActionName+" "+*one.EvalResourceName] = string(one.EvalResourceDecision)
				for _, of := range one.MatchedStatements {
					got[*r.EvalActionName+" "+*one.EvalResourceName] += " by " + *of.SourcePolicyId
				}
			}
		}
		return got, nil
	}
	got, err := simulate(dev, role, web, other)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ecr:GetAuthorizationToken": "allowed by IAM Policy role_Task_policy1",
		"ecr:BatchGetImage":         "implicitDeny",
		"ecr:GetLifecyclePolicy":    "explicitDeny by IAM Policy role_Task_policy3",

		"ecr:GetAuthorizationToken " + web:   "allowed by role_Task_policy1",
		"ecr:GetAuthorizationToken " + other: "allowed by role_Task_policy1",
		"ecr:BatchGetImage " + web:           "allowed by role_Task_policy2",
		"ecr:BatchGetImage " + other:         "implicitDeny",
		"ecr:GetLifecyclePolicy " + web:      "explicitDeny by role_Task_policy3",
		"ecr:GetLifecyclePolicy " + other:    "explicitDeny by role_Task_policy3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = simulate(dev, role)
	if diff := cmp.Diff(map[string]string{
		"ecr:GetAuthorizationToken":   "allowed by IAM Policy role_Task_policy1",
		"ecr:BatchGetImage":           "implicitDeny",
		"ecr:GetLifecyclePolicy":      "explicitDeny by IAM Policy role_Task_policy3",
		"ecr:GetAuthorizationToken *": "allowed by role_Task_policy1",
		"ecr:BatchGetImage *":         "implicitDeny",
		"ecr:GetLifecyclePolicy *":    "explicitDeny by role_Task_policy3",
	}, got); err != nil ||
		diff != "" {
		t.Errorf("%v %s", err, diff)
	}

	_, err = simulate(dev, "arn:aws:iam::111111111111:role/unknown")
	emulatortest.WantError(t, err, "NoSuchEntity", "The role with name unknown cannot be found.")
	_, err = simulate(prod, role)
	emulatortest.WantError(t, err, "AccessDenied", "User: arn:aws:iam::333333333333:root is not authorized to "+
		"perform: iam:SimulatePrincipalPolicy on resource: "+role+" because no resource-based policy allows the "+
		"iam:SimulatePrincipalPolicy action")
	_, err = simulate(dev+"-Task", role)
	emulatortest.WantError(t, err, "AccessDenied", "User: arn:aws:sts::111111111111:assumed-role/Task/session is not "+
		"authorized to perform: iam:SimulatePrincipalPolicy on resource: "+role+" because no identity-based policy "+
		"allows the iam:SimulatePrincipalPolicy action")
	_, err = iam.NewFromConfig(w.Config(dev)).SimulatePrincipalPolicy(t.Context(),
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role),
			ActionNames: []string{"ecr:GetAuthorizationToken"}, CallerArn: aws.String(role)})
	emulatortest.WantError(t, err, "InvalidInput", "The parameter CallerArn is not supported by the emulator.")
}
