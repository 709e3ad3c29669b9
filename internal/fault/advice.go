package fault

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"deployer/internal/iam"
)

// noParts is the advice for a denial of which AWS says no part.
const noParts = "AWS does not say what it denied: find the call in CloudTrail, and allow it in the policy of the " +
	"caller, which this prints: aws sts get-caller-identity"

// Reason returns which policy denied the request, as far as AWS says so.
func (d Denial) Reason() string {
	switch {
	case d.Explicit && d.Policy == "":
		return "a policy denies it explicitly"
	case d.Explicit:
		return "explicit deny in " + d.Policy.withArticle()
	case d.Policy == "" && d.acrossAccounts():
		return "AWS does not report which policy denied it, and across accounts both must allow it"
	case d.Policy == "":
		return "AWS does not report which policy denied it"
	case d.Policy == IdentityPolicy:
		return "the identity policy of " + d.caller() + " does not allow it"
	case d.Policy == ResourcePolicy && d.service() == "ecr":
		return "the repository policy does not allow it"
	}
	return "no " + string(d.Policy) + " allows it"
}

// Advice returns the next step: the statement that allows the denied action, and
// the policy and account in which it has to be allowed.
func (d Denial) Advice() string {
	switch {
	case d.Action == "":
		return "AWS encoded the reason, decode it: " + d.decode()
	case d.Explicit:
		return d.excludeAdvice()
	}
	switch d.Policy {
	case IdentityPolicy:
		return d.identityAdvice()
	case ResourcePolicy:
		return d.resourceAdvice()
	case SessionPolicy:
		return fmt.Sprintf("the session policy limits %s: whatever assumes the role has to pass a session policy that "+
			"has %s, or none; the role's own policies cannot add to it", d.caller(), d.Statement())
	case Boundary:
		place, _, name := d.identity()
		if name != d.caller() {
			name = "the " + name
		}
		return boundaryAdvice(place, name, d.Statement())
	case ServiceControl:
		return serviceControlAdvice(d.Account, d.Statement())
	case ResourceControl:
		return fmt.Sprintf("in the organization's management account, attach RCPFullAWSAccess again to account %s and "+
			"to every organizational unit above it, which has to let this through: %s",
			accountName(accountOf(d.Resource)), d.forPrincipal(true))
	case EndpointPolicy:
		return fmt.Sprintf("add to the policy of the VPC endpoint for %s through which the call goes: %s; list the "+
			"endpoints%s", d.service(), d.forPrincipal(true), d.listEndpoints())
	case TrustPolicy:
		return d.trustAdvice()
	case "":
		return d.unnamedAdvice()
	}
	return fmt.Sprintf("AWS names %s, which has to let this through: %s; the policies of %s cannot do this",
		d.Policy.withArticle(), d.forPrincipal(true), d.caller())
}

func boundaryAdvice(place, name, statements string) string {
	return fmt.Sprintf("%sadd to the policy that is the permissions boundary of %s: %s; no other policy "+
		"can exceed the boundary", place, name, statements)
}

func serviceControlAdvice(account, statements string) string {
	return fmt.Sprintf("in the organization's management account, add to a service control policy of account %s, "+
		"and of every organizational unit above it that does not allow the action: %s; no policy within the "+
		"account can do this", accountName(account), statements)
}

// IfStillDenied returns what follows the advice when the resource is of another
// account, whose policy AWS checks after the caller's own; else "".
func (d Denial) IfStillDenied() string {
	if d.Explicit || d.Policy != IdentityPolicy || !d.acrossAccounts() {
		return ""
	}
	return "; if it is still denied then, " + d.resourceAdvice()
}

// unnamedAdvice is the advice when AWS does not name the policy. Within an account
// the caller's policy suffices; across accounts the resource's has to allow it too.
func (d Denial) unnamedAdvice() string {
	advice := d.identityAdvice()
	switch {
	case d.acrossAccounts():
		advice += "; and " + d.resourceAdvice()
	case d.service() == "kms":
		advice += "; the policy of the KMS key has to let the account's policies allow it"
	}
	if d.Encoded != "" {
		advice += "; AWS's reason: " + d.decode()
	}
	return advice
}

// identityAdvice says where the caller's own policy is.
func (d Denial) identityAdvice() string {
	place, policy, name := d.identity()
	return place + "add to the " + policy + name + ": " + d.Statement()
}

// trustAdvice says where the policy of a role is that is to be assumed. It has no
// Resource.
func (d Denial) trustAdvice() string {
	return fmt.Sprintf("%sadd to the trust policy of %s: %s", inAccount(accountOf(d.Resource)), d.resourceName(),
		d.forPrincipal(false))
}

// assumes reports whether the denied action is to assume a role: then the resource's
// policy is the trust policy.
func (d Denial) assumes() bool {
	return d.service() == "sts" && strings.Contains(d.Resource, ":role/")
}

// ssoRole is the name of a role that IAM Identity Center makes in an account for a
// permission set ("Permission sets" in the IAM Identity Center user guide). Nothing else
// may change the role.
var ssoRole = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[/:]AWSReservedSSO_([A-Za-z0-9+=,.@_-]+)_[0-9a-f]{16}(?:/|$)`)
})

// identity returns where the caller's own policies are: how a step there begins, what
// comes before the name of the identity in a sentence about its policy, and that name.
func (d Denial) identity() (place, policy, name string) {
	if m := ssoRole().FindStringSubmatch(d.Principal); m != nil {
		name = "permission set " + m[1]
		if d.Account != "" {
			name += " (account " + d.Account + ")"
		}
		return "in IAM Identity Center, ", "", name
	}
	return inAccount(d.Account), "policy of ", d.caller()
}

// resourceAdvice says where the resource's policy is.
func (d Denial) resourceAdvice() string {
	if d.assumes() {
		return d.trustAdvice()
	}
	service := d.service()
	return fmt.Sprintf("%sadd to the policy of %s: %s", inAccount(accountOf(d.Resource)), d.resourceName(),
		d.forPrincipal(service != "ecr")) // ECR's repository policies have no Resource
}

// Statement returns the statement that allows the denied action on the resource
// that AWS named, as JSON for an identity's policy. A resource that is no ARN
// cannot be written in a policy, so it is "*".
func (d Denial) Statement() string {
	return iam.Identity(d.statementResource(), d.Action).String()
}

// forPrincipal is [Denial.Statement] for a policy that names principals: the
// caller's account.
func (d Denial) forPrincipal(withResource bool) string {
	grant := iam.Identity("", d.Action)
	if withResource {
		grant.Resource = d.statementResource()
	}
	if d.Account != "" {
		grant.Principal = map[string]string{"AWS": "arn:" + d.partition() + ":iam::" + d.Account + ":root"}
	}
	return grant.String()
}

func (d Denial) statementResource() string {
	if arnFields(d.Resource) == nil {
		return "*"
	}
	return d.Resource
}

// acrossAccounts reports whether the resource is of another account than the caller.
func (d Denial) acrossAccounts() bool {
	from, to := d.Account, accountOf(d.Resource)
	return from != "" && to != "" && from != to
}

// resourceName returns how people name the resource, such as "repository
// myproject_backend in us-east-1".
func (d Denial) resourceName() string {
	f := arnFields(d.Resource)
	unnamed := d.Resource == "" || d.Resource == "*"
	switch {
	case unnamed && d.service() == "sts":
		return "the role"
	case unnamed:
		return "the resource"
	case f != nil && d.assumes():
		return "role " + f[5][strings.LastIndexByte(f[5], '/')+1:]
	case f == nil || f[3] == "":
		return d.Resource
	}
	name := f[5]
	for _, kind := range []string{"repository", "event-bus", "parameter", "secret", "key"} {
		if rest, ok := strings.CutPrefix(name, kind+"/"); ok {
			name = kind + " " + rest
		}
	}
	switch f[2] {
	case "sns":
		name = "topic " + name
	case "sqs":
		name = "queue " + name
	}
	return name + " in " + f[3]
}

func accountName(account string) string {
	if account == "" {
		return "(unknown)"
	}
	return account
}

// service returns the prefix of the action in lower case: SNS writes SNS:Publish.
func (d Denial) service() string {
	service, _, _ := strings.Cut(d.Action, ":")
	return strings.ToLower(service)
}

func (d Denial) partition() string {
	for _, arn := range []string{d.Principal, d.Resource} {
		if f := arnFields(arn); f != nil {
			return f[1]
		}
	}
	return "aws"
}

// listEndpoints returns the command that lists the VPC endpoints of the call's region,
// after what it lists. Only the resource's ARN has the region.
func (d Denial) listEndpoints() string {
	const command = ": aws ec2 describe-vpc-endpoints --region "
	if f := arnFields(d.Resource); f != nil && f[3] != "" {
		return command + f[3]
	}
	return ", in the region of the call" + command + "REGION"
}

func (d Denial) decode() string {
	return "aws sts decode-authorization-message --query DecodedMessage --output text --encoded-message " + d.Encoded
}

// inAccount begins a step that is made in an account.
func inAccount(account string) string {
	if account == "" {
		return ""
	}
	return "in account " + account + ", "
}
