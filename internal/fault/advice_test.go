package fault

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// TestAdvice checks the next step for each message, as [Classify] returns it.
func TestAdvice(t *testing.T) {
	t.Parallel()
	cases, err := os.ReadFile("testdata/denials.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(cases)), "\n")
	user := "User: " + deployerRole + " is not authorized to perform: "
	update := user + "ecs:UpdateService on resource: " + service
	allowUpdate := `{"Effect":"Allow","Action":["ecs:UpdateService"],"Resource":"` + service + `"}`
	const assume = "sts:AssumeRole on resource: arn:aws:iam::111111111111:role/x"
	sso := "User: arn:aws:sts::333333333333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada is not " +
		"authorized to " +
		"perform: ecs:UpdateService on resource: " + service
	const root = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":["`
	tests := []struct{ name, code, message, want string }{
		{"Deny of a service control policy", "AccessDeniedException", lines[0],
			"in the organization's management account 999999999999, in the service control policy (" + scp +
				"), exclude role myproject_deployer_prod from the Deny for ecs:RegisterTaskDefinition on " +
				"arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:*"},
		{"permissions boundary", "AccessDeniedException", lines[1],
			"in account 333333333333, add to the policy that is the permissions boundary of role " +
				"myproject_deployer_prod: " + allowUpdate + "; no other policy can exceed the boundary"},
		{"VPC endpoint", "AccessDeniedException", lines[2],
			"add to the policy of the VPC endpoint for ecr through which the call goes: " + root +
				`ecr:BatchGetImage"],"Resource":"` + repository + `"}; list the endpoints: ` +
				"aws ec2 describe-vpc-endpoints --region us-east-1"},
		{"identity policy, across accounts", "AccessDeniedException", lines[3],
			"in account 333333333333, add to the policy of role myproject_deployer_prod: " +
				`{"Effect":"Allow","Action":["ecr:BatchImportUpstreamImage"],"Resource":` +
				`"arn:aws:ecr:us-east-1:111111111111:repository/docker-hub/library/nginx"}; if it is still denied ` +
				"then, in account 111111111111, add to the policy of repository docker-hub/library/nginx in " +
				"us-east-1: " + root + `ecr:BatchImportUpstreamImage"]}`},
		{"resource policy", "AccessDeniedException", lines[4],
			"in account 111111111111, add to the policy of repository myproject_backend in us-east-1: " + root +
				`ecr:BatchGetImage"]}`},
		{"service control policies", "AccessDeniedException",
			update + " because no service control policy allows the ecs:UpdateService action",
			"in the organization's management account, add to a service control policy of account 333333333333, " +
				"and " +
				"of every organizational unit above it that does not allow the action: " + allowUpdate +
				"; no policy within the account can do this"},
		{"resource control policies", "AccessDeniedException",
			update + " because no resource control policy allows the ecs:UpdateService action",
			"in the organization's management account, attach RCPFullAWSAccess again to account 333333333333 " +
				"and to " +
				"every organizational unit above it, which has to let this through: " + root +
				`ecs:UpdateService"],"Resource":"` + service + `"}`},
		{"session policy", "AccessDeniedException",
			update + " because no session policy allows the ecs:UpdateService action",
			"the session policy limits role myproject_deployer_prod: whatever assumes the role has to pass a " +
				"session " +
				"policy that has " + allowUpdate + ", or none; the role's own policies cannot add to it"},
		{"any resource of a VPC endpoint", "AccessDeniedException", user + "ecr:GetAuthorizationToken on " +
			"resource: * " +
			"because no VPC endpoint policy allows the ecr:GetAuthorizationToken action",
			"add to the policy of the VPC endpoint for ecr through which the call goes: " + root +
				`ecr:GetAuthorizationToken"],"Resource":"*"}; list the endpoints, in the region of the call: ` +
				"aws ec2 describe-vpc-endpoints --region REGION"},
		{"a role of another account, without a reason", "AccessDenied", user + assume,
			"in account 333333333333, add to the policy of role myproject_deployer_prod: " +
				`{"Effect":"Allow","Action":["sts:AssumeRole"],"Resource":"arn:aws:iam::111111111111:role/x"}; and ` +
				"in account 111111111111, add to the trust policy of role x: " + root + `sts:AssumeRole"]}`},
		{"a role of another account, identity policy", "AccessDenied", user + assume +
			" because no identity-based policy allows the sts:AssumeRole action",
			"in account 333333333333, add to the policy of role myproject_deployer_prod: " +
				`{"Effect":"Allow","Action":["sts:AssumeRole"],"Resource":"arn:aws:iam::111111111111:role/x"}; if it ` +
				"is still denied then, in account 111111111111, add to the trust policy of role x: " + root +
				`sts:AssumeRole"]}`},
		{"a role of another account, resource policy", "AccessDenied", user + assume +
			" because no resource-based policy allows the sts:AssumeRole action",
			"in account 111111111111, add to the trust policy of role x: " + root + `sts:AssumeRole"]}`},
		{"a role of another account, explicit deny of its trust policy", "AccessDenied", user + assume +
			" with an explicit deny in a resource-based policy",
			"in account 111111111111, in the trust policy of role x, exclude role myproject_deployer_prod from " +
				"the Deny " +
				"for sts:AssumeRole on arn:aws:iam::111111111111:role/x"},
		{"a role, explicit deny of its trust policy", "AccessDenied", user + "sts:AssumeRole with an explicit " +
			"deny in " +
			"the role trust policy", "in the trust policy of the role, exclude role myproject_deployer_prod " +
			"from the " +
			"Deny for sts:AssumeRole on *"},
		{"a role, its trust policy", "AccessDenied", user + "sts:AssumeRole because no role trust policy allows " +
			"the " +
			"sts:AssumeRole action", "add to the trust policy of the role: " + root + `sts:AssumeRole"]}`},
		{"VPC endpoint, through a service control policy", "AccessDeniedException", user + "SNS:Publish on " +
			"resource: " +
			"arn:aws:sns:us-east-1:444455556666:t\nwith an explicit deny in a VPC endpoint policy transitively " +
			"through a " +
			"service control policy: " + scp, "in the organization's management account 999999999999, in the " +
			"service " +
			"control policy (" + scp + "), exclude role myproject_deployer_prod from the Deny for SNS:Publish on " +
			"arn:aws:sns:us-east-1:444455556666:t"},
		{"Deny of a resource control policy", "AccessDeniedException", user + "secretsmanager:GetSecretValue on " +
			"resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:* with an explicit deny in a resource " +
			"control policy", "in the organization's management account, in the resource control policy, " +
			"exclude role " +
			"myproject_deployer_prod from the Deny for secretsmanager:GetSecretValue on " +
			"arn:aws:secretsmanager:us-east-1:123456789012:secret:*"},
		{"Deny of a VPC endpoint", "AccessDeniedException", update + " with an explicit deny in a VPC endpoint " +
			"policy",
			"in the policy of the VPC endpoint for ecs through which the call goes, exclude role " +
				"myproject_deployer_prod from the Deny for ecs:UpdateService on " + service},
		{"Deny of a session policy", "AccessDeniedException", update + " with an explicit deny in a sessions policy",
			"in the session policy that whatever assumes the role passes, exclude role myproject_deployer_prod " +
				"from " +
				"the Deny for ecs:UpdateService on " + service},
		{"Deny of a role's policy", "AccessDeniedException", update + " with an explicit deny in an " +
			"identity-based policy",
			"in account 333333333333, in the policies of role myproject_deployer_prod, exclude role " +
				"myproject_deployer_prod from the Deny for ecs:UpdateService on " + service},
		{"Deny of a user's policy", "AccessDeniedException", "User: arn:aws:iam::333333333333:user/ci/ada is not " +
			"authorized to perform: ecs:ListClusters with an explicit deny in an identity-based policy",
			"in account 333333333333, in the policies of arn:aws:iam::333333333333:user/ci/ada and of its groups, " +
				"exclude arn:aws:iam::333333333333:user/ci/ada from the Deny for ecs:ListClusters on *"},
		{"Deny of AWS's own policy", "AccessDeniedException", update + " with an explicit deny in an " +
			"identity-based " +
			"policy: arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3", "in account 333333333333, detach " +
			"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3 from role myproject_deployer_prod: only AWS can " +
			"change its Deny for ecs:UpdateService on " + service},
		{"a role without a session", "AccessDeniedException", "User: arn:aws:iam::123456789012:role/path/HR is not " +
			"authorized to perform: scheduler:UpdateSchedule on resource: arn:aws:scheduler:us-east-1:123456789012:" +
			"schedule/g/s because no identity-based policy allows the scheduler:UpdateSchedule action",
			`in account 123456789012, add to the policy of role HR: {"Effect":"Allow","Action":` +
				`["scheduler:UpdateSchedule"],"Resource":"arn:aws:scheduler:us-east-1:123456789012:schedule/g/s"}`},
		{"an event bus of another account", "AccessDeniedException", user + "events:PutEvents on resource: " +
			"arn:aws:events:us-east-1:111111111111:event-bus/default because no resource-based policy allows the " +
			"events:PutEvents action", "in account 111111111111, add to the policy of event-bus default in " +
			"us-east-1: " +
			root + `events:PutEvents"],"Resource":"arn:aws:events:us-east-1:111111111111:event-bus/default"}`},
		{"a policy of a type that AWS adds", "AccessDeniedException", update + " because no data perimeter policy " +
			"allows the ecs:UpdateService action", "AWS names a data perimeter policy, which has to let this " +
			"through: " +
			root + `ecs:UpdateService"],"Resource":"` + service + `"}; the policies of role myproject_deployer_prod ` +
			"cannot do this"},
		{"Deny of a policy of a type that AWS adds", "AccessDeniedException", update + " with an explicit deny " +
			"in a " +
			"data perimeter policy", "in the data perimeter policy that AWS names, exclude role " +
			"myproject_deployer_prod from the Deny for ecs:UpdateService on " + service},
		{"permission set", "AccessDeniedException", sso + " because no identity-based policy allows the " +
			"ecs:UpdateService action", "in IAM Identity Center, add to the permission set Admin (account " +
			"333333333333): " + allowUpdate},
		{"permission set, no policy named", "AccessDeniedException", sso,
			"in IAM Identity Center, add to the permission set Admin (account 333333333333): " +
				allowUpdate},
		{"permission set, boundary", "AccessDeniedException", sso + " because no permissions boundary allows the " +
			"ecs:UpdateService action", "in IAM Identity Center, add to the policy that is the permissions " +
			"boundary " +
			"of the permission set Admin (account 333333333333): " + allowUpdate + "; no other policy " +
			"can exceed the boundary"},
		{"permission set, explicit deny", "AccessDeniedException", sso + " with an explicit deny in an " +
			"identity-based " +
			"policy", "in IAM Identity Center, in the policies of the permission set Admin (account 333333333333), " +
			"exclude role AWSReservedSSO_Admin_0123456789abcdef from the Deny for ecs:UpdateService on " + service},
		{"permission set, explicit deny of the boundary", "AccessDeniedException", sso + " with an explicit deny " +
			"in a " +
			"permissions boundary", "in IAM Identity Center, in the permissions boundary of the permission set " +
			"Admin " +
			"(account 333333333333), exclude role AWSReservedSSO_Admin_0123456789abcdef from the Deny for " +
			"ecs:UpdateService on " +
			service},
		{"no policy named", "AccessDeniedException", update,
			"in account 333333333333, add to the policy of role myproject_deployer_prod: " + allowUpdate},
		{"no policy named, encoded", "UnauthorizedOperation", update + " " + encoded,
			"in account 333333333333, add to the policy of role myproject_deployer_prod: " + allowUpdate +
				"; AWS's reason: aws sts decode-authorization-message --query DecodedMessage --output text " +
				"--encoded-message mR08N-yRP_jV"},
		{"encoded", "UnauthorizedOperation", "You are not authorized to perform this operation. " + encoded,
			"AWS encoded the reason, decode it: aws sts decode-authorization-message --query DecodedMessage " +
				"--output text --encoded-message mR08N-yRP_jV"},
		{"no parts", "AccessDeniedException", "You don't have authorization to perform the requested action.",
			"AWS does not say what it denied: find the call in CloudTrail, and allow it in the policy of the " +
				"caller, " +
				"which this prints: aws sts get-caller-identity"},
		{"KMS key within SNS's error", "KMSAccessDenied", user + "kms:GenerateDataKey on resource: " +
			"arn:aws:kms:us-east-1:333333333333:key/k because no resource-based policy allows the " +
			"kms:GenerateDataKey action", "in account 333333333333, add to the policy of key k in us-east-1: " +
			"" + root +
			`kms:GenerateDataKey"],"Resource":"arn:aws:kms:us-east-1:333333333333:key/k"}`},
		{"a role that tasks cannot assume", "ClientException", "ECS was unable to assume the role " +
			"'arn:aws:iam::333333333333:role/r' that was provided for this task. Please verify that the role being " +
			"passed has the proper trust relationship and permissions and that your IAM user has permissions to " +
			"pass " +
			"this role.", "the trust policy of arn:aws:iam::333333333333:role/r has to allow sts:AssumeRole to the " +
			"service that uses the role (ecs-tasks.amazonaws.com for a task), and the deployer's role " +
			"iam:PassRole: " +
			`{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"arn:aws:iam::333333333333:role/r"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Classify("doing", &smithy.GenericAPIError{Code: tt.code, Message: tt.message})
			m, ok := err.(*Misconfiguration)
			if !ok {
				t.Fatalf("%T, want a misconfiguration", err)
			}
			if diff := cmp.Diff(tt.want, m.Hint); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReason checks how the policy that denies a request is named.
func TestReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy PolicyType
		want   string
	}{
		{IdentityPolicy, "explicit deny in an identity-based policy"},
		{ResourcePolicy, "explicit deny in a resource-based policy"},
		{ServiceControl, "explicit deny in a service control policy"},
		{"account-level policy", "explicit deny in an account-level policy"},
		{"", "a policy denies it explicitly"},
	} {
		if got := (Denial{Policy: tt.policy, Explicit: true}).Reason(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.policy, got, tt.want)
		}
	}
}
