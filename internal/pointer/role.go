package pointer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"deployer/internal/fault"
	"deployer/internal/iam"
)

// need is what a pointer's role has to be allowed, in a call with condition keys.
type need struct {
	action    string
	resources []string // that are asked for
	context   map[string]string
	allow     []string // the resources of a statement that allows it, one for each of those
	without   []string // condition keys of its service that the call does not have
}

// mayHave reports whether the call may have a condition key, which is not one of n.context. IAM's policy simulator
// reports the keys of all statements of a role as missing, also of those about other actions (boto/boto3#3111,
// aws/aws-sdk-java-v2#1751), and a key that the call never has leaves no doubt. Other services' keys are only of calls
// of these services; what calls of ECS have is in the Service Authorization Reference.
func (n need) mayHave(key string) bool {
	service, _, _ := strings.Cut(n.action, ":")
	of, _, _ := strings.Cut(strings.ToLower(key), ":")
	return of == "aws" || of == service && !slices.Contains(n.without, strings.ToLower(key))
}

// Rights are what IAM's policy simulator says about the role of a pointer.
type Rights struct {
	// Lacking are the statements that its policies lack to start the pointer's task.
	Lacking []iam.Grant
	// Refused is what a policy denies, or what its permissions boundary or its organization
	// does not allow: no Allow in its policies changes that.
	Refused []fault.Refused
	// Unclear are condition keys of its policies: whether they allow it depends on values
	// that are not known here.
	Unclear []string
	// Missing says that the role does not exist.
	Missing bool
}

// Rights asks IAM whether the roles of pointers may start the task: run the revision with
// a number, in the cluster; pass the roles of the task to ECS; and tag the task if it gets
// tags. ECS authorizes the revision that it starts, so that a role that may run another
// revision only is denied, and a denied run is silent. Roles are those of the
// revision, as ARNs or names. The policies of the role and its permissions boundary are
// evaluated ("SimulatePrincipalPolicy" in the IAM API reference).
//
// Everything is asked at the same time, and what several pointers have in common once. IAM
// would simulate these actions together, but with one context for all of them: a condition on
// the context of one action would count for the other. (It refuses to simulate only actions
// whose resources it knows together with others: "require different authorization information".)
//
// The result has one answer for each pointer.
func (c *Client) Rights(ctx context.Context, pointers []Pointer, number int, roles []string) []Answer {
	asked := map[string]*Answer{} // by question
	var all sync.WaitGroup
	for _, p := range pointers {
		for _, n := range p.needs(number, roles) {
			question := n.of(p.Role)
			if asked[question] != nil {
				continue
			}
			one := new(Answer)
			asked[question] = one
			all.Go(func() { one.Rights, one.Err = c.simulate(ctx, p.Role, n) })
		}
	}
	all.Wait()
	answers := make([]Answer, len(pointers))
	for i, p := range pointers {
		for _, n := range p.needs(number, roles) {
			answers[i].add(*asked[n.of(p.Role)])
		}
	}
	return answers
}

// Answer is what IAM says about the role of one pointer, or why it does not say that.
type Answer struct {
	Rights
	Err error
}

// add adds the answer about another action.
func (a *Answer) add(one Answer) {
	switch {
	case fault.HasCode(one.Err, "NoSuchEntity"):
		a.Rights, a.Err = Rights{Missing: true}, nil
	case a.Missing || a.Err != nil:
	case one.Err != nil:
		a.Rights, a.Err = Rights{}, one.Err
	default:
		a.Lacking = append(a.Lacking, one.Lacking...)
		for _, r := range one.Refused {
			for _, call := range r.Calls {
				a.Refused = fault.Refuse(a.Refused, r.Role, r.Cause, call)
			}
		}
		a.Unclear = slices.Compact(slices.Sorted(slices.Values(append(a.Unclear, one.Unclear...))))
	}
}

// of returns the question whether a role has what is needed.
func (n need) of(role string) string { return fmt.Sprint(role, n.action, n.resources, n.context) }

// needs returns what the role of a pointer has to be allowed.
func (p Pointer) needs(number int, roles []string) []need {
	parts := strings.SplitN(p.Cluster, ":", 6) // checked by Owner.starts
	prefix, account := strings.Join(parts[:min(5, len(parts))], ":"), ""
	if len(parts) == 6 {
		account = strings.Join([]string{"arn", parts[1], "iam", "", parts[4]}, ":")
	}
	family := prefix + ":task-definition/" + p.Family() + ":"
	needs := []need{{"ecs:RunTask", []string{fmt.Sprintf("%s%d", family, number)},
		map[string]string{"ecs:cluster": p.Cluster}, []string{family + "*"}, []string{"ecs:createaction"}}}
	var input struct{ TaskRoleArn, ExecutionRoleArn string }
	_ = json.Unmarshal([]byte(p.Input), &input) // of a rule it may be anything
	var passed []string
	for _, role := range append(slices.Clone(roles), input.TaskRoleArn, input.ExecutionRoleArn) {
		if role != "" && !strings.HasPrefix(role, "arn:") {
			role = account + ":role/" + role
		}
		if role != "" && !slices.Contains(passed, role) {
			passed = append(passed, role)
		}
	}
	if len(passed) > 0 {
		needs = append(needs, need{"iam:PassRole", passed,
			map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, passed, nil})
	}
	if p.tags() {
		_, name, _ := strings.Cut(p.Cluster, ":cluster/")
		task := prefix + ":task/" + name + "/"
		needs = append(needs, need{"ecs:TagResource", []string{task + "any"},
			map[string]string{"ecs:CreateAction": "RunTask", "ecs:cluster": p.Cluster}, []string{task + "*"}, nil})
	}
	return needs
}

// tags reports whether the pointer gives the task tags, for which its role needs a right.
func (p Pointer) tags() bool {
	var how struct {
		PropagateTags        string
		EnableECSManagedTags bool
		Tags                 []json.RawMessage
	}
	_ = json.Unmarshal(p.EcsParameters, &how) // it was read before
	return how.PropagateTags != "" || how.EnableECSManagedTags || len(how.Tags) > 0
}

// decision is what the simulator says about an action on all resources, or on one.
type decision struct {
	Decision string   `xml:"EvalDecision"`
	Missing  []string `xml:"MissingContextValues>member"`
	Matched  []struct {
		ID   string `xml:"SourcePolicyId"`
		Type string `xml:"SourcePolicyType"`
	} `xml:"MatchedStatements>member"`
	Boundary *bool `xml:"PermissionsBoundaryDecisionDetail>AllowedByPermissionsBoundary"`
}

// resourceDecision is the decision about one resource.
type resourceDecision struct {
	decision
	Resource   string `xml:"EvalResourceName"`
	OfResource string `xml:"EvalResourceDecision"`
}

// simulated is what the simulator says about one action.
type simulated struct {
	decision                        // about all resources
	Organization *bool              `xml:"OrganizationsDecisionDetail>AllowedByOrganizations"`
	Resources    []resourceDecision `xml:"ResourceSpecificResults>member"`
}

// about returns the decision about a resource: its own, else that about all.
func (s simulated) about(resource string) decision {
	one := s.decision
	for _, of := range s.Resources {
		if of.Resource != resource {
			continue
		}
		one = of.decision
		one.Decision = of.OfResource
		if one.Boundary == nil {
			one.Boundary = s.Boundary
		}
	}
	return one
}

// cause returns why the action is not allowed.
func (d decision) cause(organization *bool) fault.Cause {
	var matched []fault.Matched
	for _, m := range d.Matched {
		matched = append(matched, fault.Matched{ID: m.ID, Type: m.Type})
	}
	return fault.Simulated(d.Decision, d.Boundary, organization, matched)
}

// simulate asks IAM about one action of a role.
func (c *Client) simulate(ctx context.Context, role string, n need) (Rights, error) {
	in := url.Values{"Action": {"SimulatePrincipalPolicy"}, "Version": {"2010-05-08"}, "PolicySourceArn": {role},
		"ActionNames.member.1": {n.action}}
	for i, resource := range n.resources {
		in.Set(fmt.Sprintf("ResourceArns.member.%d", i+1), resource)
	}
	for i, key := range slices.Sorted(maps.Keys(n.context)) {
		entry := fmt.Sprintf("ContextEntries.member.%d.", i+1)
		in.Set(entry+"ContextKeyName", key)
		in.Set(entry+"ContextKeyType", "string")
		in.Set(entry+"ContextKeyValues.member.1", n.context[key])
	}
	var out struct {
		Results []simulated `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	doing := fmt.Sprintf("asking IAM whether %s is allowed %s", role, n.action)
	if err := c.client.Query(ctx, "iam", doing, in, &out); err != nil {
		return Rights{}, err
	}
	if len(out.Results) == 0 {
		return Rights{}, fault.Incomplete(doing, "result")
	}
	var all Rights
	result := out.Results[0]
	for i, resource := range n.resources {
		one := result.about(resource)
		unclear := slices.DeleteFunc(one.Missing, func(key string) bool { return !n.mayHave(key) })
		switch why := one.cause(result.Organization); {
		case one.Decision == "allowed":
		case len(unclear) > 0:
			all.Unclear = append(all.Unclear, unclear...)
		case why == fault.Cause{}:
			all.Lacking = append(all.Lacking, iam.Identity(n.allow[i], n.action))
		default:
			all.Refused = fault.Refuse(all.Refused, role, why, iam.Identity(n.allow[i], n.action))
		}
	}
	return all, nil
}

// IsRole reports whether a text is the ARN of a role.
func IsRole(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":role/")
}

// Refusal returns why the role of a pointer may not start its task, and what to do about
// it; "" if it may, or if that is not known.
func (r Rights) Refusal(p Pointer) (why, fix string) {
	if r.Missing {
		return fmt.Sprintf("the role that starts it by %s, %s, does not exist", p, p.Role),
			"create it with the infrastructure"
	}
	var causes, steps []string
	if len(r.Lacking) > 0 {
		why, fix := r.lacks(p)
		causes, steps = append(causes, why), append(steps, fix)
	}
	for _, refused := range r.Refused {
		causes = append(causes, fmt.Sprintf("%s, which starts it by %s, is denied %s: %s", p.Role, p,
			refused.Actions(), refused.Reason()))
		steps = append(steps, refused.Advice())
	}
	return strings.Join(causes, "; "), strings.Join(steps, "; and ")
}

// lacks is the refusal for a missing Allow.
func (r Rights) lacks(p Pointer) (why, fix string) {
	var actions, statements []string
	for _, grant := range r.Lacking {
		actions = append(actions, grant.Action...)
		statements = append(statements, grant.String())
	}
	account := ""
	if parts := strings.Split(p.Role, ":"); len(parts) > 4 {
		account = "in account " + parts[4] + ", "
	}
	return fmt.Sprintf("the policies of %s, which starts it by %s, do not allow %s", p.Role, p,
			strings.Join(slices.Compact(actions), ", ")),
		account + "add to the policy of " + p.Role + ": " + strings.Join(statements, ", ")
}

// Doubt returns why it is not known whether the role may start the task, "" if it is.
func (r Rights) Doubt(p Pointer) string {
	if len(r.Unclear) == 0 || r.Missing || len(r.Lacking) > 0 || len(r.Refused) > 0 {
		return ""
	}
	return fmt.Sprintf("the policies of %s, which starts it by %s, have conditions on %s", p.Role, p,
		strings.Join(r.Unclear, ", "))
}
