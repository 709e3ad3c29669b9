package iam

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// decisions are the values of EvalDecision (IAM API reference, "EvaluationResult").
var decisions = map[iam.Decision]string{iam.NoMatch: "implicitDeny", iam.Allow: "allowed", iam.Deny: "explicitDeny"}

// A result is the result for one action (IAM API reference, "EvaluationResult"). Its decision is that of all resources
// together: only if the action is allowed on each of them it is allowed.
type result struct {
	EvalActionName, EvalResourceName, EvalDecision string

	Matched   []statement      `xml:"MatchedStatements>member"`
	Missing   []string         `xml:"MissingContextValues>member"`
	Resources []resourceResult `xml:"ResourceSpecificResults>member"`
}

// A resourceResult is the result for one resource (IAM API reference, "ResourceSpecificResult").
type resourceResult struct {
	EvalResourceName, EvalResourceDecision string

	Matched []statement `xml:"MatchedStatements>member"`
	Missing []string    `xml:"MissingContextValues>member"`
}

// A statement decides a result: one that denies, else those that allow (IAM API reference, "Statement"). The type is
// what IAM answers, "IAM Policy", and not a value of the reference.
type statement struct {
	ID   string `xml:"SourcePolicyId"`
	Type string `xml:"SourcePolicyType"`
}

// simulate evaluates the policies of a role for one action on resources.
func simulate(policies []namedPolicy, request iam.Request, resources []string) result {
	all := result{EvalActionName: request.Action, EvalResourceName: resources[0], EvalDecision: "allowed"}
	for _, resource := range resources {
		request.Resource = resource
		decision, matched := decide(policies, request)
		one := resourceResult{EvalResourceName: resource, EvalResourceDecision: decisions[decision], Matched: matched}
		for _, policy := range policies {
			one.Missing = append(one.Missing, policy.document.Missing(request)...)
		}
		if all.EvalDecision == "allowed" || one.EvalResourceDecision == "explicitDeny" {
			all.EvalDecision = one.EvalResourceDecision
		}
		all.Missing = append(all.Missing, one.Missing...)
		all.Resources = append(all.Resources, one)
	}
	for _, one := range all.Resources { // those that contributed to the reported decision
		for _, of := range one.Matched {
			if one.EvalResourceDecision == all.EvalDecision && !slices.Contains(all.Matched, of) {
				all.Matched = append(all.Matched, of)
			}
		}
	}
	slices.Sort(all.Missing)
	all.Missing = slices.Compact(all.Missing)
	return all
}

// decide evaluates policies, and returns the statements that decide.
func decide(policies []namedPolicy, request iam.Request) (decision iam.Decision, matched []statement) {
	for _, policy := range policies {
		one := policy.document.Evaluate(request)
		if one > decision {
			decision, matched = one, nil
		}
		if one == decision && one != iam.NoMatch {
			matched = append(matched, statement{policy.id, "IAM Policy"})
		}
	}
	return decision, matched
}

// simulatePrincipalPolicy evaluates the identity policies of a role. As in IAM, resource policies are not evaluated for
// roles.
func (s *Server) simulatePrincipalPolicy(r *api.Request) (any, *api.Error) {
	form, err := r.Form("PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries")
	if err != nil {
		return nil, err
	}
	source := form.Get("PolicySourceArn")
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: source}); err != nil {
		return nil, err
	}
	_, owner, name, _ := api.SplitARN(source)
	name = name[strings.LastIndexByte(name, '/')+1:]
	role, err := s.findRole(r, name)
	if err != nil || owner.Account != r.Caller.Account {
		return nil, noSuchEntity("The role with name " + name + " cannot be found.")
	}
	policies := s.named(role)
	resources := form.Members("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	context := map[string]string{} // of each key, the first value
	for n := 1; form.Has(fmt.Sprintf("ContextEntries.member.%d.ContextKeyName", n)); n++ {
		entry := fmt.Sprintf("ContextEntries.member.%d.", n)
		context[form.Get(entry+"ContextKeyName")] = form.Get(entry + "ContextKeyValues.member.1")
	}
	var results []result
	for _, action := range form.Members("ActionNames") {
		results = append(results, simulate(policies, iam.Request{Principal: source, Account: owner.Account,
			Action: action, Context: context}, resources))
	}
	return struct {
		XMLName     xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ SimulatePrincipalPolicyResponse"`
		IsTruncated bool     `xml:"SimulatePrincipalPolicyResult>IsTruncated"`
		Results     []result `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}{Results: results}, nil
}
