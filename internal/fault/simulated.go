package fault

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/iam"
)

// Cause is why IAM's policy simulator does not allow an action to a role. The zero value
// says that no statement of the role's policies allows it.
type Cause struct {
	Policy   PolicyType // [ServiceControl], [Boundary] or [IdentityPolicy]; "" if an Allow is missing
	Explicit bool       // a statement denies the action
	Names    string     // ids of the policies that deny it, as the simulator names them, with spaces between them
}

// Matched is a statement that decides a simulation, by its policy.
type Matched struct{ ID, Type string }

// Simulated returns the cause of a decision that is not "allowed". Whether the boundary and
// the organization allow the action is nil if the simulator does not say it. When a policy
// of the organization denies it, the simulation ends ("EvaluationResult" in the IAM API
// reference).
func Simulated(decision string, boundary, organization *bool, matched []Matched) Cause {
	explicit := decision == "explicitDeny"
	limits := boundary != nil && !*boundary
	switch {
	case organization != nil && !*organization:
		return Cause{Policy: ServiceControl, Explicit: explicit}
	case !explicit && limits:
		return Cause{Policy: Boundary}
	case !explicit:
		return Cause{}
	}
	// IAM writes "IAM Policy" and "Permissions Boundary Policy", and not what its reference lists.
	var own, ofBoundary []string
	for _, m := range matched {
		if strings.Contains(strings.ToLower(m.Type), "boundary") {
			ofBoundary = append(ofBoundary, m.ID)
		} else {
			own = append(own, m.ID)
		}
	}
	join := func(ids []string) string { return strings.Join(slices.Compact(slices.Sorted(slices.Values(ids))), " ") }
	if len(own) == 0 && (limits || len(ofBoundary) > 0) {
		return Cause{Boundary, true, join(ofBoundary)}
	}
	return Cause{IdentityPolicy, true, join(own)}
}

// Refused are calls that a role is not allowed, all for one cause, which is not only a
// missing Allow.
type Refused struct {
	Role  string // its ARN
	Cause Cause
	Calls []iam.Grant // each actions on a resource
}

// Refuse adds a call of a role to those that are refused for the same cause.
func Refuse(all []Refused, role string, cause Cause, call iam.Grant) []Refused {
	i := slices.IndexFunc(all, func(r Refused) bool { return r.Role == role && r.Cause == cause })
	if i < 0 {
		return append(all, Refused{role, cause, []iam.Grant{call}})
	}
	same := slices.IndexFunc(all[i].Calls, func(g iam.Grant) bool { return g.Resource == call.Resource })
	if same < 0 {
		all[i].Calls = append(all[i].Calls, call)
		return all
	}
	for _, action := range call.Action {
		if !slices.Contains(all[i].Calls[same].Action, action) {
			all[i].Calls[same].Action = append(all[i].Calls[same].Action, action)
		}
	}
	return all
}

// Actions returns the actions that are refused, with commas between them.
func (r Refused) Actions() string {
	var actions []string
	for _, call := range r.Calls {
		for _, action := range call.Action {
			if !slices.Contains(actions, action) {
				actions = append(actions, action)
			}
		}
	}
	return strings.Join(actions, ", ")
}

// Reason returns which policy refuses the calls.
func (r Refused) Reason() string {
	switch {
	case r.Cause.Policy == ServiceControl && r.Cause.Explicit:
		return "explicit deny in a service control policy of the organization"
	case r.Cause.Policy == ServiceControl:
		return "the service control policies of the organization do not allow it"
	case r.Cause.Policy == Boundary && r.Cause.Explicit:
		return "explicit deny in its permissions boundary" + space(r.Cause.Names)
	case r.Cause.Policy == Boundary:
		return "its permissions boundary does not allow it"
	case r.Cause.Names == "":
		return "explicit deny in one of its policies"
	}
	var policies []string
	for _, id := range strings.Fields(r.Cause.Names) {
		policies = append(policies, "its "+r.policy(id))
	}
	return "explicit deny in " + strings.Join(policies, " and ")
}

// Advice returns the next step, which is never another Allow in the role's own policies.
func (r Refused) Advice() string {
	account, name := accountOf(r.Role), r.name()
	var statements, denies []string
	for _, call := range r.Calls {
		statements = append(statements, call.String())
		denies = append(denies, strings.Join(call.Action, ", ")+" on "+call.Resource)
	}
	exclude := ", exclude role " + name + " from the Deny for " + strings.Join(denies, ", and for ")
	add := strings.Join(statements, ", ")
	switch {
	case r.Cause.Policy == ServiceControl && r.Cause.Explicit:
		return Denial{Policy: ServiceControl}.placeOfDeny() + exclude
	case r.Cause.Policy == ServiceControl:
		return serviceControlAdvice(account, add) + "; if one of them has a Deny, exclude role " + name + " from it"
	case r.Cause.Policy == Boundary && r.Cause.Explicit:
		return inAccount(account) + "in the permissions boundary of role " + name + exclude + "; " + r.boundary()
	case r.Cause.Policy == Boundary:
		return boundaryAdvice(inAccount(account), "role "+name, add) + "; " + r.boundary()
	case r.Cause.Names == "":
		return inAccount(account) + "in the policies of role " + name + exclude +
			"; list them: aws iam list-role-policies --role-name " + name +
			"; aws iam list-attached-role-policies --role-name " + name
	}
	var places, commands []string
	for _, id := range strings.Fields(r.Cause.Names) {
		places = append(places, "in the "+r.policy(id)+" of role "+name)
		commands = append(commands, r.show(id))
	}
	read := "; read it: "
	if len(commands) > 1 {
		read = "; read them: "
	}
	return inAccount(account) + strings.Join(places, " and ") + exclude + read + strings.Join(commands, "; ")
}

// boundary names the command that prints which policy is the role's permissions boundary.
func (r Refused) boundary() string {
	return "which it is: aws iam get-role --role-name " + r.name() + " --query Role.PermissionsBoundary"
}

func (r Refused) name() string { return r.Role[strings.LastIndexByte(r.Role, '/')+1:] }

// inline returns the name of an inline policy of the role. The simulator calls it
// role_ROLE_POLICY, and a managed policy by its name alone.
func (r Refused) inline(id string) (name string, ok bool) {
	return strings.CutPrefix(id, "role_"+r.name()+"_")
}

// policy returns how people name a policy of the role.
func (r Refused) policy(id string) string {
	if name, ok := r.inline(id); ok {
		return "inline policy " + name
	}
	return "managed policy " + id
}

// show returns the command that prints a policy of the role.
func (r Refused) show(id string) string {
	if name, ok := r.inline(id); ok {
		return "aws iam get-role-policy --role-name " + r.name() + " --policy-name " + name
	}
	return fmt.Sprintf(`aws iam get-account-authorization-details --filter LocalManagedPolicy AWSManagedPolicy `+
		`--query "Policies[?PolicyName=='%s'].PolicyVersionList[] | [?IsDefaultVersion].Document"`, id)
}

func space(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
