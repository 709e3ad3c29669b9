package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestRolePolicy denies a role what its other policy allows, and allows it again.
func TestRolePolicy(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Task", emulatortest.Policy(t, emulatortest.Allow("ecr:*", "*")))
	client := func(key string) *iam.Client { return iam.NewFromConfig(w.Config(key)) }
	put := func(key, role, document string) error {
		_, err := client(key).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role),
			PolicyName: aws.String("rehearsal"), PolicyDocument: aws.String(document)})
		return err
	}
	remove := func() error {
		_, err := client(dev).DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Task"),
			PolicyName: aws.String("rehearsal")})
		return err
	}
	token := func() error {
		_, err := ecr.NewFromConfig(w.Config(dev+"-Task")).GetAuthorizationToken(t.Context(), nil)
		return err
	}
	const deny = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:*","Resource":"*"}]}`
	if err := token(); err != nil {
		t.Fatal(err)
	}
	if err := put(dev, "Task", deny); err != nil {
		t.Fatal(err)
	}
	emulatortest.WantError(t, token(), "AccessDeniedException", "User: arn:aws:sts::111111111111:assumed-role/Task/"+
		"session is not authorized to perform: ecr:GetAuthorizationToken on resource: * with an explicit deny in an "+
		"identity-based policy")
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if err := token(); err != nil {
		t.Errorf("after the policy was deleted: %v", err)
	}

	emulatortest.WantError(t, remove(), "NoSuchEntity", "The role policy with name rehearsal cannot be found.")
	emulatortest.WantError(t, put(dev, "Other", deny), "NoSuchEntity", "The role with name Other cannot be found.")
	emulatortest.WantError(t, put(dev, "Task", "{"), "MalformedPolicyDocument",
		"parsing policy: not JSON, which has no comments: unexpected end of JSON input")
	emulatortest.WantError(t, put(dev+"-Task", "Task", deny), "AccessDenied", "User: arn:aws:sts::111111111111:"+
		"assumed-role/Task/session is not authorized to perform: iam:PutRolePolicy on resource: "+
		"arn:aws:iam::111111111111:role/Task because no identity-based policy allows the iam:PutRolePolicy action")
}
