package fault

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const (
	deployerRole = "arn:aws:sts::333333333333:assumed-role/myproject_deployer_prod/f"
	repository   = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
	service      = "arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod"
	scp          = "arn:aws:organizations::999999999999:policy/o-x/service_control_policy/p-y"
	encoded      = "Encoded authorization failure message: mR08N-yRP_jV"
)

// TestParseDenial checks AWS's messages part by part.
func TestParseDenial(t *testing.T) {
	t.Parallel()
	user := "User: " + deployerRole + " is not authorized to perform: "
	on := func(action, resource string) Denial {
		return Denial{Principal: deployerRole, Account: "333333333333", Action: action, Resource: resource}
	}
	with := func(d Denial, policy PolicyType, explicit bool, arn string) Denial {
		d.Policy, d.Explicit, d.PolicyARN = policy, explicit, arn
		return d
	}
	update := on("ecs:UpdateService", service)
	tests := []struct {
		name, message string
		want          Denial
	}{
		{"without a reason", user + "ecs:UpdateService on resource: " + service, update},
		{"without a resource", user + "ecs:ListClusters", on("ecs:ListClusters", "")},
		{"any resource", user + "ecs:ListClusters on resource: * because no session policy allows the " +
			"ecs:ListClusters action", with(on("ecs:ListClusters", "*"), SessionPolicy, false, "")},
		{"no resource, with a reason", user + "ecs:ListClusters because no service control policy allows the " +
			"ecs:ListClusters action", with(on("ecs:ListClusters", ""), ServiceControl, false, "")},
		{"explicit deny of an unknown policy", user + "ecs:UpdateService on resource: " + service +
			" with an explicit deny", with(update, "", true, "")},
		{"explicit deny of a policy that is named", user + "ecs:UpdateService on resource: " + service +
			" with an explicit deny in a permissions boundary: arn:aws:iam::333333333333:policy/limit.",
			with(update, Boundary, true, "arn:aws:iam::333333333333:policy/limit")},
		{"quoted resource", user + `s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a ` +
			"resource-based policy", with(on("s3:GetObject", "arn:aws:s3:::b/k"), ResourcePolicy, true, "")},
		{"service's own text around it", "You are not authorized to perform this operation. " + user +
			"ecs:UpdateService on resource: " + service + " with an explicit deny in an identity-based policy: " +
			"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3. (Service: ECS; Status Code: 400)",
			with(update, IdentityPolicy, true, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")},
		{"end of a sentence", user + "ecs:UpdateService on resource: " + service + ".", update},
		{"KMS within another service's message", "KMSAccessDeniedException: " + user + "kms:Decrypt on resource: " +
			"arn:aws:kms:us-east-1:333333333333:key/k because no resource-based policy allows the kms:Decrypt action " +
			"(Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Proxy: null)",
			with(on("kms:Decrypt", "arn:aws:kms:us-east-1:333333333333:key/k"), ResourcePolicy, false, "")},
		{"KMS without the key", user + "kms:Decrypt on the resource associated with this ciphertext because the " +
			"resource does not exist in this Region, no resource-based policies allow access, or a resource-based " +
			"policy explicitly denies access", on("kms:Decrypt", "")},
		{"SNS's spelling", user + "SNS:Publish on resource: arn:aws:sns:us-east-1:333333333333:t because no " +
			"identity-based policy allows the SNS:Publish action",
			with(on("SNS:Publish", "arn:aws:sns:us-east-1:333333333333:t"), IdentityPolicy, false, "")},
		{"federated user", "User: arn:aws-cn:sts::333333333333:federated-user/ada is not authorized to perform: " +
			"ecs:ListClusters", Denial{Principal: "arn:aws-cn:sts::333333333333:federated-user/ada",
			Account: "333333333333", Action: "ecs:ListClusters"}},
		{"anonymous", "User: anonymous is not authorized to perform: ecs:ListClusters on resource: *",
			Denial{Principal: "anonymous", Action: "ecs:ListClusters", Resource: "*"}},
		{"encoded", "You are not authorized to perform this operation. " + encoded, Denial{Encoded: "mR08N-yRP_jV"}},
		{"an unknown policy type", user + "ecs:UpdateService on resource: " + service +
			" because no guardrail allows the ecs:UpdateService action", update},
	}
	for _, policy := range []PolicyType{IdentityPolicy, ResourcePolicy, SessionPolicy, Boundary, ServiceControl,
		ResourceControl, EndpointPolicy, TrustPolicy} {
		message := user + "ecs:UpdateService on resource: " + service
		tests = append(tests, []struct {
			name, message string
			want          Denial
		}{
			{"no " + string(policy), message + " because no " + string(policy) +
				" allows the ecs:UpdateService action", with(update, policy, false, "")},
			{"deny in " + string(policy), message + " with an explicit deny in a " + string(policy),
				with(update, policy, true, "")},
			{"deny in " + string(policy) + " that is named", message + " with an explicit deny in a " +
				string(policy) + ": " + scp, with(update, policy, true, scp)},
		}...)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ParseDenial(tt.message)
			if diff := cmp.Diff(tt.want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// TestParseDenialOthers checks messages that have no parts.
func TestParseDenialOthers(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"", "no", "You don't have authorization to perform the requested action.",
		"You are not authorized to perform this operation.",
		"User: is not authorized to perform: ecs:UpdateService",
		"User: u is not authorized to perform: everything",
		"User is not authorized to access this resource with an explicit deny",
		"Access to the resource https://sqs.us-east-1.amazonaws.com/ is denied.",
	} {
		if d, ok := ParseDenial(message); ok {
			t.Errorf("%q: %+v", message, d)
		}
	}
}

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
			"in the organization's management account, add to a service control policy of account 333333333333, and " +
				"of every organizational unit above it that does not allow the action: " + allowUpdate +
				"; no policy within the account can do this"},
		{"resource control policies", "AccessDeniedException",
			update + " because no resource control policy allows the ecs:UpdateService action",
			"in the organization's management account, attach RCPFullAWSAccess again to account 333333333333 and to " +
				"every organizational unit above it, which has to let this through: " + root +
				`ecs:UpdateService"],"Resource":"` + service + `"}`},
		{"session policy", "AccessDeniedException",
			update + " because no session policy allows the ecs:UpdateService action",
			"the session policy limits role myproject_deployer_prod: whatever assumes the role has to pass a session " +
				"policy that has " + allowUpdate + ", or none; the role's own policies cannot add to it"},
		{"any resource of a VPC endpoint", "AccessDeniedException", user + "ecr:GetAuthorizationToken on resource: * " +
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
		{"permission set", "AccessDeniedException", sso + " because no identity-based policy allows the " +
			"ecs:UpdateService action", "in IAM Identity Center, add to the permission set Admin (account " +
			"333333333333): " + allowUpdate},
		{"permission set, no policy named", "AccessDeniedException", sso,
			"in IAM Identity Center, add to the permission set Admin (account 333333333333): " +
				allowUpdate},
		{"permission set, boundary", "AccessDeniedException", sso + " because no permissions boundary allows the " +
			"ecs:UpdateService action", "in IAM Identity Center, add to the policy that is the permissions boundary " +
			"of the permission set Admin (account 333333333333): " + allowUpdate + "; no other policy " +
			"can exceed the boundary"},
		{"permission set, explicit deny", "AccessDeniedException", sso + " with an explicit deny in an " +
			"identity-based " +
			"policy", "in IAM Identity Center, in the policies of the permission set Admin (account 333333333333), " +
			"exclude role AWSReservedSSO_Admin_0123456789abcdef from the Deny for ecs:UpdateService on " + service},
		{"permission set, explicit deny of the boundary", "AccessDeniedException", sso + " with an explicit deny " +
			"in a " +
			"permissions boundary", "in IAM Identity Center, in the permissions boundary of the permission set Admin " +
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
			"AWS does not say what it denied: find the call in CloudTrail, and allow it in the policy of the caller, " +
				"which this prints: aws sts get-caller-identity"},
		{"KMS key within SNS's error", "KMSAccessDenied", user + "kms:GenerateDataKey on resource: " +
			"arn:aws:kms:us-east-1:333333333333:key/k because no resource-based policy allows the " +
			"kms:GenerateDataKey action", "in account 333333333333, add to the policy of key k in us-east-1: " + root +
			`kms:GenerateDataKey"],"Resource":"arn:aws:kms:us-east-1:333333333333:key/k"}`},
		{"a role that tasks cannot assume", "ClientException", "ECS was unable to assume the role " +
			"'arn:aws:iam::333333333333:role/r' that was provided for this task. Please verify that the role being " +
			"passed has the proper trust relationship and permissions and that your IAM user has permissions to pass " +
			"this role.", "the trust policy of arn:aws:iam::333333333333:role/r has to allow sts:AssumeRole to the " +
			"service that uses the role (ecs-tasks.amazonaws.com for a task), and the deployer's role iam:PassRole: " +
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

// FuzzParseDenial checks that each message is read without a panic, that parts are
// parts of the message, and that the statement is JSON that allows the action alone.
func FuzzParseDenial(f *testing.F) {
	cases, err := os.ReadFile("testdata/denials.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(cases)) {
		f.Add(line)
	}
	f.Add("User: u is not authorized to perform: a:B on resource: arn:: " + encoded)
	f.Fuzz(func(t *testing.T, message string) {
		d, ok := ParseDenial(message)
		if !ok {
			return
		}
		for _, part := range []string{d.Principal, d.Action, d.Resource, string(d.Policy), d.PolicyARN, d.Encoded} {
			if !strings.Contains(message, part) {
				t.Errorf("%q is not in the message", part)
			}
		}
		if d.Advice() == "" || d.Reason() == "" {
			t.Error("no advice")
		}
		var statement struct{ Action []string }
		if err := json.Unmarshal([]byte(d.Statement()), &statement); err != nil || statement.Action[0] != d.Action {
			t.Errorf("%s: %v", d.Statement(), err)
		}
	})
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
		{"", "a policy denies it explicitly"},
	} {
		if got := (Denial{Policy: tt.policy, Explicit: true}).Reason(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.policy, got, tt.want)
		}
	}
}
