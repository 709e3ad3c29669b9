package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"deployer/internal/iam"
)

// An access is what a call needs leave for.
type access struct {
	action   string
	resource string            // an ARN, or "*" where the action knows no resources
	context  map[string]string // condition keys beyond the global ones
	untagged []string          // the keys of tags that the call removes
	policy   *iam.Document     // the resource's own, where there is one
}

// authorize asks for access in the request's name and notes the resource.
func (e *Emulator) authorize(r *request, a access) *Error {
	r.resources = append(r.resources, a.resource)
	return e.decide(r.caller, a)
}

// decide is IAM's evaluation: a denial anywhere is final; in the resource's own account
// the caller's policies or the resource's must allow the action, from another account
// both must.
func (e *Emulator) decide(c caller, a access) *Error {
	owner := c.account
	if _, key, _, ok := splitARN(a.resource); ok && key.account != "" {
		owner = key.account
	}
	pr := e.policyRequest(c, a, owner)
	identity := e.identityDecision(c, pr)
	resource := iam.NoMatch
	if a.policy != nil {
		resource = a.policy.Evaluate(pr)
	}
	cross := owner != c.account
	switch {
	case identity == iam.Deny:
		return denied(c, a, "with an explicit deny in an identity-based policy")
	case resource == iam.Deny:
		return denied(c, a, "with an explicit deny in a resource-based policy")
	case cross && resource != iam.Allow:
		return denied(c, a, fmt.Sprintf("because no resource-based policy allows the %s action", a.action))
	case identity != iam.Allow && (cross || resource != iam.Allow):
		return denied(c, a, fmt.Sprintf("because no identity-based policy allows the %s action", a.action))
	}
	return nil
}

// identityDecision is what the caller's own policies say.
func (e *Emulator) identityDecision(c caller, pr iam.Request) iam.Decision {
	if c.role == "" {
		return iam.Allow
	}
	decision := iam.NoMatch
	for _, document := range e.roles[roleKey{c.account, c.role}] {
		decision = max(decision, document.Evaluate(pr))
	}
	return decision
}

// policyRequest puts the access in the form that policies are written for.
func (e *Emulator) policyRequest(c caller, a access, owner string) iam.Request {
	context := map[string]string{
		"aws:PrincipalArn":     c.principal(),
		"aws:PrincipalAccount": c.account,
		"aws:RequestedRegion":  c.region,
		"aws:ResourceAccount":  owner,
		"aws:SecureTransport":  "true",
	}
	organization := e.organizations[c.account]
	if organization != "" {
		context["aws:PrincipalOrgID"] = organization
	}
	maps.Copy(context, a.context)
	return iam.Request{
		Principal: c.principal(), Account: c.account, Organization: organization,
		Action: a.action, Resource: a.resource, Context: context, TagKeys: a.tagKeys(),
	}
}

// tagKeys are the keys of the tags that the call sets or removes.
func (a access) tagKeys() []string {
	keys := slices.Clone(a.untagged)
	for name := range a.context {
		if key, ok := strings.CutPrefix(name, requestTag); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func denied(c caller, a access, why string) *Error {
	return AccessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", c.arn(), a.action, a.resource, why))
}

// requestTag begins the condition keys that have the tags of a request.
const requestTag = "aws:RequestTag/"

// addRequestTags adds the condition keys of the tags that a request sends.
func addRequestTags(context map[string]string, tags []tag) map[string]string {
	if context == nil {
		context = map[string]string{}
	}
	for _, t := range tags {
		context[requestTag+t.Key] = t.Value
	}
	return context
}
