package cloudformation

import (
	"fmt"
	"strings"
	"testing"
)

// loadRole loads a template with a role, and with managed policies by the letters of their names.
func loadRole(role string, policies ...string) (*Template, error) {
	template := "Resources:\n  Role: {Type: AWS::IAM::Role, Properties: {RoleName: r, " + role + "}}\n"
	for _, properties := range policies {
		name, _, _ := strings.Cut(properties, ":")
		template += fmt.Sprintf("  %s: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: p-%[1]s, %s}}\n",
			name, strings.TrimPrefix(properties, name+":"))
	}
	return Load([]byte(template), Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s"})
}

// allows returns a policy document that allows an action on a resource with a name.
func allows(action, name string) string {
	return `{Version: "2012-10-17", Statement: [{Sid: ` + action + `, Effect: Allow, Action: "s3:` + action +
		`", Resource: "arn:aws:s3:::` + name + `"}]}`
}

// TestManagedPolicies checks that a role has its own policies and then the managed ones that it names.
func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	loaded, err := loadRole("Policies: [{PolicyName: own, PolicyDocument: "+allows("GetObject", "a")+"}], "+
		"ManagedPolicyArns: [!Ref B, !GetAtt A.PolicyArn]", "A: PolicyDocument: "+allows("PutObject", "a"),
		"B: PolicyDocument: "+allows("DeleteObject", "a"), "C: PolicyDocument: "+allows("ListBucket", "a"))
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	for _, document := range loaded.Roles()[0].Policies {
		for _, s := range document.Statements() {
			sids = append(sids, s.Sid)
		}
	}
	if got := strings.Join(sids, " "); got != "GetObject DeleteObject PutObject" {
		t.Errorf("the role has the statements %s", got)
	}
}

// TestPolicyLimits checks what IAM does not accept, and what is not read.
func TestPolicyLimits(t *testing.T) {
	t.Parallel()
	document := func(size int) string {
		return "PolicyDocument: " + allows("GetObject", strings.Repeat("a", size-len(
			`{"Statement":[{"Action":"s3:GetObject","Effect":"Allow","Resource":"arn:aws:s3:::","Sid":"GetObject"}],`+
				`"Version":"2012-10-17"}`)))
	}
	own := func(sizes ...int) string {
		var all []string
		for i, size := range sizes {
			all = append(all, fmt.Sprintf("{PolicyName: p%d, %s}", i, document(size)))
		}
		return "Policies: [" + strings.Join(all, ", ") + "]"
	}
	attached := func(n int) string { return "ManagedPolicyArns: [!Ref A" + strings.Repeat(", !Ref A", n-1) + "]" }
	for _, tt := range []struct {
		name, role, policy, want string
	}{
		{"at the limits", own(10000, 240) + ", " + attached(10), "A: " + document(6144), ""},
		{"inline", own(10000, 241), "A: " + document(200), "its policies have 10241 characters, at most 10240"},
		{"managed", attached(1), "A: " + document(6145), "the policy has 6145 characters, at most 6144"},
		{"managed, of no role", own(200), "A: " + document(6145), "the policy has 6145 characters, at most 6144"},
		{"too many", attached(11), "A: " + document(200), "it has 11 managed policies, at most 10"},
		{"of AWS", `ManagedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]`, "A: " + document(200),
			"the managed policy arn:aws:iam::aws:policy/ReadOnlyAccess is not in the template"},
		{"attached by itself", own(200), "A: Roles: [!Ref Role], " + document(200), "property Roles is not supported"},
		{"a boundary", own(200) + ", PermissionsBoundary: !Ref A", "A: " + document(200),
			"permissions boundaries are not supported"},
	} {
		_, err := loadRole(tt.role, tt.policy)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
