package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/iam"
)

// TestSimulated checks which policy is the cause of what IAM's policy simulator answers.
func TestSimulated(t *testing.T) {
	t.Parallel()
	yes, no := new(bool), new(bool)
	*yes = true
	inline, managed := Matched{"role_r_block", "IAM Policy"}, Matched{"Guard", "IAM Policy"}
	limit := Matched{"limit", "Permissions Boundary Policy"}
	for _, tt := range []struct {
		name, decision         string
		boundary, organization *bool
		matched                []Matched
		want                   Cause
	}{
		{"missing allow", "implicitDeny", nil, nil, nil, Cause{}},
		{"missing allow, within the boundary and the organization", "implicitDeny", yes, yes, nil, Cause{}},
		{"inline policy", "explicitDeny", nil, nil, []Matched{inline}, Cause{IdentityPolicy, true, "role_r_block"}},
		{"two policies", "explicitDeny", yes, yes, []Matched{inline, managed, inline},
			Cause{IdentityPolicy, true, "Guard role_r_block"}},
		{"policy beyond the boundary", "explicitDeny", no, nil, []Matched{managed},
			Cause{IdentityPolicy, true, "Guard"}},
		{"policy and boundary", "explicitDeny", no, nil, []Matched{limit, managed},
			Cause{IdentityPolicy, true, "Guard"}},
		{"no statement", "explicitDeny", nil, nil, nil, Cause{IdentityPolicy, true, ""}},
		{"boundary without Allow", "implicitDeny", no, yes, []Matched{managed}, Cause{Boundary, false, ""}},
		{"boundary with a Deny", "explicitDeny", no, yes, []Matched{limit}, Cause{Boundary, true, "limit"}},
		{"boundary with a Deny that is not named", "explicitDeny", no, nil, nil, Cause{Boundary, true, ""}},
		{"organization", "implicitDeny", nil, no, nil, Cause{ServiceControl, false, ""}},
		{"organization and boundary", "implicitDeny", no, no, nil, Cause{ServiceControl, false, ""}},
		{"organization with a Deny", "explicitDeny", nil, no, nil, Cause{ServiceControl, true, ""}},
	} {
		if diff := cmp.Diff(tt.want, Simulated(tt.decision, tt.boundary, tt.organization, tt.matched)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestRefused checks what is said of each cause, and what to do about it.
func TestRefused(t *testing.T) {
	t.Parallel()
	const (
		role  = "arn:aws:iam::111111111111:role/path/r"
		in    = "in account 111111111111, "
		calls = "exclude role r from the Deny for a:A, a:B on *, and for a:A on x"
		allow = `{"Effect":"Allow","Action":["a:A","a:B"],"Resource":"*"}, ` +
			`{"Effect":"Allow","Action":["a:A"],"Resource":"x"}`
		show   = "aws iam get-role-policy --role-name r --policy-name a_block"
		manage = `aws iam get-account-authorization-details --filter LocalManagedPolicy AWSManagedPolicy --query ` +
			`"Policies[?PolicyName=='Guard'].PolicyVersionList[] | [?IsDefaultVersion].Document"`
		which = "; which it is: aws iam get-role --role-name r --query Role.PermissionsBoundary"
	)
	for _, tt := range []struct {
		cause          Cause
		reason, advice string
	}{
		{Cause{IdentityPolicy, true, "role_r_a_block"}, "explicit deny in its inline policy a_block",
			in + "in the inline policy a_block of role r, " + calls + "; read it: " + show},
		{Cause{IdentityPolicy, true, "Guard role_r_a_block"},
			"explicit deny in its managed policy Guard and its inline policy a_block",
			in + "in the managed policy Guard of role r and in the inline policy a_block of role r, " + calls +
				"; read them: " + manage + "; " + show},
		{Cause{IdentityPolicy, true, ""}, "explicit deny in one of its policies", in + "in the policies of role r, " +
			calls + "; list them: aws iam list-role-policies --role-name r; aws iam list-attached-role-policies " +
			"--role-name r"},
		{Cause{Boundary, true, "limit"}, "explicit deny in its permissions boundary limit",
			in + "in the permissions boundary of role r, " + calls + which},
		{Cause{Boundary, true, ""}, "explicit deny in its permissions boundary",
			in + "in the permissions boundary of role r, " + calls + which},
		{Cause{Boundary, false, ""}, "its permissions boundary does not allow it", in + "add to the policy that is " +
			"the permissions boundary of role r: " + allow + "; no other policy can exceed the boundary" + which},
		{Cause{ServiceControl, true, ""}, "explicit deny in a service control policy of the organization",
			"in the organization's management account, in the service control policy, " + calls},
		{Cause{ServiceControl, false, ""}, "the service control policies of the organization do not allow it",
			"in the organization's management account, add to a service control policy of account 111111111111, and " +
				"of every organizational unit above it that does not allow the action: " + allow +
				"; no policy within the account can do this; if one of them has a Deny, exclude role r from it"},
	} {
		all := Refuse(nil, role, tt.cause, iam.Identity("*", "a:A"))
		all = Refuse(all, role, tt.cause, iam.Identity("*", "a:A", "a:B"))
		all = Refuse(all, role, tt.cause, iam.Identity("x", "a:A"))
		if len(all) != 1 || all[0].Actions() != "a:A, a:B" {
			t.Fatalf("%v", all)
		}
		if diff := cmp.Diff([]string{tt.reason, tt.advice}, []string{all[0].Reason(), all[0].Advice()}); diff != "" {
			t.Errorf("%v: %s", tt.cause, diff)
		}
	}
	if all := Refuse(Refuse(nil, role, Cause{Policy: Boundary}, iam.Identity("*", "a:A")), role,
		Cause{Policy: ServiceControl}, iam.Identity("*", "a:A")); len(all) != 2 {
		t.Errorf("two causes are %v", all)
	}
}
