package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestGetRole(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Task", emulatortest.Policy(t, emulatortest.Allow("ecr:Get*", "*")))
	get := func(key, name string) (*iam.GetRoleOutput, error) {
		return iam.NewFromConfig(w.Config(key)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name)})
	}
	out, err := get(dev, "Task")
	const arn = "arn:aws:iam::111111111111:role/Task"
	if err != nil || *out.Role.RoleId != api.RoleID(dev, "Task") || *out.Role.Arn != arn {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = get(dev, "Other")
	emulatortest.WantError(t, err, "NoSuchEntity", "The role with name Other cannot be found.")
	_, err = get(dev+"-Task", "Task")
	emulatortest.WantError(t, err, "AccessDenied", "User: arn:aws:sts::111111111111:assumed-role/Task/session is not "+
		"authorized to perform: iam:GetRole on resource: "+arn+" because no identity-based "+
		"policy allows the iam:GetRole action")
}
