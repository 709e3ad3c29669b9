package fault

import (
	"fmt"
	"strings"
)

// excludeAdvice is the advice for an explicit deny, which no Allow overrides.
func (d Denial) excludeAdvice() string {
	if f := arnFields(d.PolicyARN); f != nil && f[4] == "aws" && d.Policy == IdentityPolicy {
		place, _, name := d.identity()
		return fmt.Sprintf("%sdetach %s from %s: only AWS can change its Deny for %s on %s", place, d.PolicyARN, name,
			d.Action, d.statementResource())
	}
	where := d.placeOfDeny()
	if d.PolicyARN != "" {
		where += " (" + d.PolicyARN + ")"
	}
	advice := fmt.Sprintf("%s, exclude %s from the Deny for %s on %s", where, d.caller(), d.Action,
		d.statementResource())
	if d.Policy == "" && d.Encoded != "" {
		advice += "; AWS's reason: " + d.decode()
	}
	return advice
}

// placeOfDeny says where the policy with an explicit deny is.
func (d Denial) placeOfDeny() string {
	place, _, name := d.identity()
	switch policy := d.Policy; {
	case policy == IdentityPolicy && name != d.caller():
		return place + "in the policies of the " + name
	case policy == Boundary && name != d.caller():
		return place + "in the permissions boundary of the " + name
	case policy == ResourcePolicy && d.assumes():
		return inAccount(accountOf(d.Resource)) + "in the trust policy of " + d.resourceName()
	}
	switch d.Policy {
	case IdentityPolicy:
		if strings.Contains(d.Principal, ":user/") {
			name += " and of its groups"
		}
		return place + "in the policies of " + name
	case ResourcePolicy:
		return inAccount(accountOf(d.Resource)) + "in the policy of " + d.resourceName()
	case SessionPolicy:
		return "in the session policy that whatever assumes the role passes"
	case Boundary:
		return place + "in the permissions boundary of " + name
	case ServiceControl:
		return "in the organization's management account" + d.manager() + ", in the service control policy"
	case ResourceControl:
		return "in the organization's management account" + d.manager() + ", in the resource control policy"
	case EndpointPolicy:
		return "in the policy of the VPC endpoint for " + d.service() + " through which the call goes"
	case TrustPolicy:
		return inAccount(accountOf(d.Resource)) + "in the trust policy of " + d.resourceName()
	}
	if d.Policy != "" {
		return "in the " + string(d.Policy) + " that AWS names"
	}
	return "AWS does not name the policy; find it among those of " + d.caller() + ", of " + d.resourceName() +
		", of the organization and of the VPC endpoint, and there"
}

// manager returns the organization's management account: the account in the ARN
// of a policy of the organization.
func (d Denial) manager() string {
	if account := accountOf(d.PolicyARN); account != "" {
		return " " + account
	}
	return ""
}
