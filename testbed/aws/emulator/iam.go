package emulator

import (
	"encoding/xml"
	"net/http"
	"strings"

	"deployer/internal/iam"
)

// simulatePrincipalPolicy says what the policies of a role allow, without the
// resource's own: IAM does not take those into account for roles.
func (e *Emulator) simulatePrincipalPolicy(r *request) (any, *Error) {
	form, err := r.form("PolicySourceArn", "ActionNames", "ResourceArns")
	if err != nil {
		return nil, err
	}
	source := form.Get("PolicySourceArn")
	if err := e.authorize(r, access{action: r.name(), resource: source}); err != nil {
		return nil, err
	}
	_, key, name, _ := splitARN(source)
	name = name[strings.LastIndexByte(name, '/')+1:]
	documents, known := e.roles[roleKey{key.account, name}]
	if !known || key.account != r.account {
		return nil, &Error{http.StatusNotFound, "NoSuchEntity", "The role with name " + name + " cannot be found."}
	}
	resources := form.members("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	type result struct{ EvalActionName, EvalResourceName, EvalDecision string }
	var results []result
	for _, action := range form.members("ActionNames") {
		for _, resource := range resources {
			decision := iam.NoMatch
			for _, document := range documents {
				decision = max(decision, document.Evaluate(iam.Request{Principal: source, Account: key.account, Action: action, Resource: resource}))
			}
			words := map[iam.Decision]string{iam.NoMatch: "implicitDeny", iam.Allow: "allowed", iam.Deny: "explicitDeny"}
			results = append(results, result{action, resource, words[decision]})
		}
	}
	return struct {
		XMLName     xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ SimulatePrincipalPolicyResponse"`
		IsTruncated bool     `xml:"SimulatePrincipalPolicyResult>IsTruncated"`
		Results     []result `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}{Results: results}, nil
}
