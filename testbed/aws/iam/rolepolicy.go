package iam

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// A policyKey names an inline policy of a role.
type policyKey struct {
	role roleKey
	name string
}

// policies returns the identity policies of a role: those of SetRolePolicy, and those that calls put.
func (s *Server) policies(role roleKey) []*iam.Document {
	var documents []*iam.Document
	for _, policy := range s.named(role) {
		documents = append(documents, policy.document)
	}
	return documents
}

// A namedPolicy is an identity policy, with the id that IAM's simulator gives it.
type namedPolicy struct {
	id       string
	document *iam.Document
}

// named returns the identity policies of a role. IAM calls an inline policy role_ROLE_POLICY, and a managed policy by
// its name (output of "aws iam simulate-principal-policy"). Those of SetRolePolicy are policy1, policy2 and so on.
func (s *Server) named(role roleKey) []namedPolicy {
	var policies []namedPolicy
	for i, document := range s.roles[role] {
		policies = append(policies, namedPolicy{fmt.Sprintf("role_%s_policy%d", role.role, i+1), document})
	}
	for key, document := range s.inline {
		if key.role == role {
			policies = append(policies, namedPolicy{"role_" + role.role + "_" + key.name, document})
		}
	}
	slices.SortFunc(policies, func(a, b namedPolicy) int { return strings.Compare(a.id, b.id) })
	return policies
}

// putRolePolicy adds an inline policy to a role of the caller's account, or replaces that of its name (IAM API
// reference, "PutRolePolicy").
func (s *Server) putRolePolicy(r *api.Request) (any, *api.Error) {
	form, err := r.Form("RoleName", "PolicyName", "PolicyDocument")
	if err != nil {
		return nil, err
	}
	key, err := s.inlinePolicy(r, form)
	if err != nil {
		return nil, err
	}
	document, malformed := iam.Parse([]byte(form.Get("PolicyDocument")))
	if malformed != nil {
		return nil, &api.Error{Status: http.StatusBadRequest, Code: "MalformedPolicyDocument",
			Message: malformed.Error()}
	}
	s.inline[key] = document
	return struct {
		XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ PutRolePolicyResponse"`
	}{}, nil
}

// deleteRolePolicy deletes an inline policy that a call put (IAM API reference, "DeleteRolePolicy").
func (s *Server) deleteRolePolicy(r *api.Request) (any, *api.Error) {
	form, err := r.Form("RoleName", "PolicyName")
	if err != nil {
		return nil, err
	}
	key, err := s.inlinePolicy(r, form)
	if err != nil {
		return nil, err
	}
	if _, known := s.inline[key]; !known {
		return nil, noSuchEntity("The role policy with name " + key.name + " cannot be found.")
	}
	delete(s.inline, key)
	return struct {
		XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ DeleteRolePolicyResponse"`
	}{}, nil
}

// inlinePolicy returns the policy that a call names. The caller must be allowed to make it, and the role must exist.
func (s *Server) inlinePolicy(r *api.Request, form api.Form) (policyKey, *api.Error) {
	name := form.Get("RoleName")
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: r.Scope().RoleARN(name)}); err != nil {
		return policyKey{}, err
	}
	role, err := s.findRole(r, name)
	return policyKey{role, form.Get("PolicyName")}, err
}

// findRole returns a role of the caller's account.
func (s *Server) findRole(r *api.Request, name string) (roleKey, *api.Error) {
	role := roleKey{r.Caller.Account, name}
	if _, known := s.roles[role]; !known {
		return role, noSuchEntity("The role with name " + name + " cannot be found.")
	}
	return role, nil
}

func noSuchEntity(message string) *api.Error {
	return &api.Error{Status: http.StatusNotFound, Code: "NoSuchEntity", Message: message}
}
