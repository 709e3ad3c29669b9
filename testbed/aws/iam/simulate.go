package iam

import (
	"encoding/xml"
	"fmt"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// decisions are the values of EvalDecision (IAM API reference, "EvaluationResult").
var decisions = map[iam.Decision]string{iam.NoMatch: "implicitDeny", iam.Allow: "allowed", iam.Deny: "explicitDeny"}

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
	documents := s.policies(role)
	resources := form.Members("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	context := map[string]string{} // of each key, the first value
	for n := 1; form.Has(fmt.Sprintf("ContextEntries.member.%d.ContextKeyName", n)); n++ {
		entry := fmt.Sprintf("ContextEntries.member.%d.", n)
		context[form.Get(entry+"ContextKeyName")] = form.Get(entry + "ContextKeyValues.member.1")
	}
	type result struct{ EvalActionName, EvalResourceName, EvalDecision string }
	var results []result
	for _, action := range form.Members("ActionNames") {
		for _, resource := range resources {
			decision := evaluate(documents, iam.Request{
				Principal: source, Account: owner.Account, Action: action, Resource: resource,
				Context: context,
			})
			results = append(results, result{action, resource, decisions[decision]})
		}
	}
	return struct {
		XMLName     xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ SimulatePrincipalPolicyResponse"`
		IsTruncated bool     `xml:"SimulatePrincipalPolicyResult>IsTruncated"`
		Results     []result `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}{Results: results}, nil
}
