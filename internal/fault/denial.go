package fault

import (
	"cmp"
	"regexp"
	"strings"
	"sync"

	"deployer/internal/image"
)

// Denial is what AWS says about a request that it did not allow. A part that
// AWS's message does not have is "".
type Denial struct {
	Principal string // usually an ARN, such as arn:aws:sts::333333333333:assumed-role/NAME/SESSION
	Account   string // of the principal
	Action    string // such as ecs:UpdateService
	Resource  string // an ARN, "*" or a name
	Policy    PolicyType
	Explicit  bool   // a statement denies the action; otherwise none allows it
	PolicyARN string // of the policy that denies it
	Encoded   string // the message for sts:DecodeAuthorizationMessage
}

// PolicyType is the type of a policy, as AWS's message names it.
type PolicyType string

// The types of policies that AWS evaluates. It may name another one, which is kept as it is.
const (
	IdentityPolicy  PolicyType = "identity-based policy"
	ResourcePolicy  PolicyType = "resource-based policy"
	SessionPolicy   PolicyType = "session policy"
	Boundary        PolicyType = "permissions boundary"
	ServiceControl  PolicyType = "service control policy"
	ResourceControl PolicyType = "resource control policy"
	EndpointPolicy  PolicyType = "VPC endpoint policy"
	TrustPolicy     PolicyType = "role trust policy"
)

// The parts of AWS's message: see "Troubleshoot access denied error messages" in
// the IAM user guide. Services put their own text before and after it, and some
// quote the resource. A type of policy that AWS adds is read as well.
var denialForms = sync.OnceValue(func() (f struct{ denied, missing, explicit, encoded *regexp.Regexp }) {
	const policy = `((?:[A-Za-z-]+ ){1,4}?(?:policy|boundary))`
	f.denied = regexp.MustCompile(`(?:^|[ :"(])(?i:User|Role|Principal):? (\S+) is not authorized to perform:? ` +
		`"?([A-Za-z0-9-]+:[A-Za-z0-9*]+)"?[.,;]?(?: on (?:the )?resource(?:: (?:"([^" ]+)"|([^" ]+))|` +
		` "?(arn:[^" ]+)"?| associated with this ciphertext))?`)
	f.missing = regexp.MustCompile(`^[ ,.;]*because no ([A-Za-z-]+(?: [A-Za-z-]+){0,4}?) allows `)
	f.explicit = regexp.MustCompile(`^[ ,.;]*with an explicit deny(?: in (?:an?|the) ` + policy +
		`(?: transitively through (?:an?|the) ` + policy + `)?(?:: "?(arn:[^ "]+)"?)?)?`)
	f.encoded = regexp.MustCompile(`Encoded authorization failure message: ([A-Za-z0-9_-]+)`)
	return f
})

// withArticle returns the type after its article: "an identity-based policy".
func (p PolicyType) withArticle() string {
	if p != "" && strings.Contains("AEIOaeio", string(p[:1])) {
		return "an " + string(p)
	}
	return "a " + string(p)
}

// policyType returns the type of policy that AWS names.
func policyType(name string) PolicyType {
	switch name {
	case "sessions policy": // as the IAM user guide has it for an explicit deny
		return SessionPolicy
	case "policy": // of no type
		return ""
	}
	return PolicyType(name)
}

// punctuation may follow a name in AWS's message, and ends no ARN.
const punctuation = ".,;)"

// ParseDenial reads AWS's message about a denied request. It reports false if the
// message has neither principal and action nor an encoded message. Of several
// denials in one message it reads the first. If a policy denies it "transitively through"
// another one, that other one has the Deny, and is the denial's policy.
func ParseDenial(message string) (Denial, bool) {
	message = strings.Join(strings.Fields(message), " ") // some are broken into lines
	var d Denial
	form := denialForms()
	if m := form.encoded.FindStringSubmatch(message); m != nil {
		d.Encoded = m[1]
	}
	m := form.denied.FindStringSubmatchIndex(message)
	if m == nil {
		return d, d.Encoded != ""
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return message[m[2*i]:m[2*i+1]]
	}
	d.Principal, d.Account, d.Action = group(1), accountOf(group(1)), group(2)
	d.Resource = group(3) + strings.TrimRight(group(4)+group(5), punctuation)
	rest := message[m[1]:]
	if p := form.missing.FindStringSubmatch(rest); p != nil {
		d.Policy = policyType(p[1])
	} else if p := form.explicit.FindStringSubmatch(rest); p != nil {
		d.Explicit, d.Policy = true, policyType(cmp.Or(p[2], p[1]))
		d.PolicyARN = strings.TrimRight(p[3], punctuation)
	}
	return d, true
}

// arnFields returns the six fields of an ARN; nil if it is none.
func arnFields(arn string) []string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[0] != "arn" || fields[1] == "" || fields[5] == "" {
		return nil
	}
	return fields
}

// accountOf returns the account in an ARN, "" if it has none.
func accountOf(arn string) string {
	if f := arnFields(arn); f != nil && image.ValidAccountID(f[4]) {
		return f[4]
	}
	return ""
}

// caller returns how people name the principal: the role of a session, the name of a role,
// else its ARN.
func (d Denial) caller() string {
	if d.Principal == "" {
		return "the caller"
	}
	if f := arnFields(d.Principal); f != nil {
		if role, ok := strings.CutPrefix(f[5], "assumed-role/"); ok {
			role, _, _ = strings.Cut(role, "/")
			return "role " + role
		}
		if role, ok := strings.CutPrefix(f[5], "role/"); ok {
			return "role " + role[strings.LastIndexByte(role, '/')+1:]
		}
	}
	return d.Principal
}
