package iam

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// Authorize decides as IAM does (IAM user guide, "Policy evaluation logic"): a denial in any policy is final; in the
// resource's own account the identity policies or the resource policy must allow the action, from another account both.
func (s *Server) Authorize(c api.Caller, a api.Access) *api.Error {
	owner := c.Account
	if _, scope, _, ok := api.SplitARN(a.Resource); ok && scope.Account != "" {
		owner = scope.Account
	}
	request := s.request(c, a, owner)
	err := s.decide(c, a, request, owner)
	s.note(request, err == nil)
	return err
}

// AuthorizeService reports whether the policy of a resource lets an AWS service do something.
func (s *Server) AuthorizeService(service string, a api.Access) bool {
	request := iam.Request{Principal: service, Action: a.Action, Resource: a.Resource, Context: a.Context}
	allowed := a.Policy != nil && a.Policy.Evaluate(request) == iam.Allow
	s.note(request, allowed)
	return allowed
}

// decide is Authorize for a request, whose resource belongs to the account owner.
func (s *Server) decide(c api.Caller, a api.Access, request iam.Request, owner string) *api.Error {
	identity := s.identityDecision(c, request)
	resource := iam.NoMatch
	if a.Policy != nil {
		resource = a.Policy.Evaluate(request)
	}
	cross := owner != c.Account
	switch {
	case identity == iam.Deny:
		return denied(c, a, "with an explicit deny in an identity-based policy")
	case resource == iam.Deny:
		return denied(c, a, "with an explicit deny in a resource-based policy")
	case cross && resource != iam.Allow:
		return denied(c, a, fmt.Sprintf("because no resource-based policy allows the %s action", a.Action))
	case identity != iam.Allow && (cross || resource != iam.Allow):
		return denied(c, a, fmt.Sprintf("because no identity-based policy allows the %s action", a.Action))
	}
	return nil
}

// identityDecision evaluates the caller's own policies.
func (s *Server) identityDecision(c api.Caller, request iam.Request) iam.Decision {
	if c.Role == "" {
		return iam.Allow
	}
	return evaluate(s.policies(roleKey{c.Account, c.Role}), request)
}

func evaluate(documents []*iam.Document, request iam.Request) iam.Decision {
	decision := iam.NoMatch
	for _, document := range documents {
		decision = max(decision, document.Evaluate(request))
	}
	return decision
}

// request returns what policies are evaluated against (IAM user guide, "AWS global condition context keys").
func (s *Server) request(c api.Caller, a api.Access, owner string) iam.Request {
	context := map[string]string{
		"aws:PrincipalArn":     c.Principal(),
		"aws:PrincipalAccount": c.Account,
		"aws:RequestedRegion":  c.Region,
		"aws:ResourceAccount":  owner,
		"aws:SecureTransport":  strconv.FormatBool(!c.Plain),

		"aws:PrincipalIsAWSService": "false",
	}
	organization := s.organizations[c.Account]
	if organization != "" {
		context["aws:PrincipalOrgID"] = organization
	}
	maps.Copy(context, a.Context)
	return iam.Request{
		Principal: c.Principal(), Account: c.Account, Organization: organization,
		Action: a.Action, Resource: a.Resource, Context: context, TagKeys: tagKeys(a),
	}
}

// tagKeys returns the keys of the tags that a call sends.
func tagKeys(a api.Access) []string {
	var keys []string
	for name := range a.Context {
		if key, ok := strings.CutPrefix(name, api.RequestTagPrefix); ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func denied(c api.Caller, a api.Access, why string) *api.Error {
	return api.AccessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s",
		c.ARN(), a.Action, a.Resource, why))
}
