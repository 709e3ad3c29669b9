package fault

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

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
		{"without colons", "user " + deployerRole + ` is not authorized to perform "ecs:UpdateService" on ` +
			"resource " + service + ", because no permissions boundary " +
			"allows the ecs:UpdateService action", with(update, Boundary, false, "")},
		{"end of a sentence", user + "ecs:UpdateService on resource: " + service + ".", update},
		{"KMS within another service's message", "KMSAccessDeniedException: " + user + "kms:Decrypt on resource: " +
			"arn:aws:kms:us-east-1:333333333333:key/k because no resource-based policy allows the kms:Decrypt " +
			"action " +
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
			" because no guardrail allows the ecs:UpdateService action", with(update, "guardrail", false, "")},
		{"deny in an unknown policy type", user + "ecs:UpdateService on resource: " + service +
			" with an explicit deny in a data perimeter policy: " + scp + ".",
			with(update, "data perimeter policy", true, scp)},
		{"a policy of no type", user + "ecs:UpdateService because no policy allows the ecs:UpdateService action",
			on("ecs:UpdateService", "")},
		{"broken into lines", "denied: " + user + "\necs:UpdateService\non resource: " + service +
			"\nwith an explicit deny\nin a service\ncontrol policy:\n" + scp,
			with(update, ServiceControl, true, scp)},
		{"through another policy", user + "ecs:UpdateService on resource: " + service + " with an explicit deny " +
			"in a " +
			"VPC endpoint policy transitively through a service control policy",
			with(update, ServiceControl, true, "")},
		{"through another policy that is named", user + "ecs:UpdateService on resource: " + service + " with an " +
			"explicit deny in a VPC endpoint policy transitively through a service control policy: " + scp,
			with(update, ServiceControl, true, scp)},
		{"the IAM user guide's session policy", user + "ecs:UpdateService on resource: " + service +
			" with an explicit deny in a sessions policy", with(update, SessionPolicy, true, "")},
		{"the IAM user guide's trust policy", user + "sts:AssumeRole with an explicit deny in the role trust policy",
			with(on("sts:AssumeRole", ""), TrustPolicy, true, "")},
		{"docker's text around it", "CannotPullContainerError: pull access denied for x, repository does not " +
			"exist or " +
			"may require 'docker login': denied: " + user + "ecr:BatchGetImage on resource: " + repository +
			" because no resource-based policy allows the ecr:BatchGetImage action",
			with(on("ecr:BatchGetImage", repository), ResourcePolicy, false, "")},
		{"deny, encoded", "You are not authorized to perform this operation. " + user + "ec2:DescribeVpcEndpoints " +
			"with an explicit deny in an identity-based policy: arn:aws:iam::333333333333:policy/p. " + encoded,
			Denial{Principal: deployerRole, Account: "333333333333", Action: "ec2:DescribeVpcEndpoints",
				Policy: IdentityPolicy, Explicit: true, PolicyARN: "arn:aws:iam::333333333333:policy/p",
				Encoded: "mR08N-yRP_jV"}},
	}
	for _, resource := range []string{"arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:*",
		"arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbC1,2", "arn:aws:s3:::bucket/a(1).env",
		"arn:aws:iam::333333333333:role/path/of/p.task+x=1,2@y-z",
		"arn:aws-us-gov:sqs:us-gov-west-1:333333333333:q.fifo",
		"arn:aws:ecr:us-east-1:111111111111:repository/a/b_c.d--e/*",
		"arn:aws:scheduler:eu-west-1:333333333333:schedule/p-schedule-group-dev-x/p-scheduler-x-dev",
		"arn:aws:ecs:us-east-1:333333333333:task-definition/f:*", "arn:aws:events:us-east-1:3:rule/p_rule_x_dev"} {
		tests = append(tests, struct {
			name, message string
			want          Denial
		}{resource, user + "a:B on resource: " + resource + " because no identity-based policy allows the a:B action",
			with(on("a:B", resource), IdentityPolicy, false, "")})
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
		joined := strings.Join(strings.Fields(message), " ")
		for _, part := range []string{d.Principal, d.Action, d.Resource, d.PolicyARN, d.Encoded} {
			if !strings.Contains(joined, part) {
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
