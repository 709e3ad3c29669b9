// Package iam evaluates IAM policy documents of identities and resources for a
// request, and writes statements. It supports the part of the policy language that
// deployments use. [Parse] rejects everything else, so that no statement is evaluated
// in part.
package iam

import (
	"slices"
	"strings"
)

// Decision is the result of evaluating one document for a request. Whether the request
// is allowed depends on all documents: across accounts, those of the identity and of
// the resource must both allow it; what no document allows is denied.
type Decision int

const (
	// NoMatch means that no statement applies to the request.
	NoMatch Decision = iota
	// Allow means that a statement allows the request and none denies it.
	Allow
	// Deny means that a statement denies the request, whatever other documents allow.
	Deny
)

// String returns the decision in words.
func (d Decision) String() string {
	switch d {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	default:
		return "no match"
	}
}

// Request is a call to AWS.
type Request struct {
	// Principal is the ARN of the calling role, user or account root, or the name of an AWS service such as
	// events.amazonaws.com.
	Principal string
	// Account and Organization are the ids of the caller's, such as 111111111111 and
	// o-a1b2c3d4e5; "" if there is none.
	Account, Organization string
	// Action is the IAM action, such as ecs:UpdateService.
	Action string
	// Resource is the ARN of the resource, or * for an action without one.
	Resource string
	// Context holds the other condition keys. aws:PrincipalArn, aws:PrincipalAccount and
	// aws:PrincipalOrgID come from the fields above, unless they are here.
	Context map[string]string
	// TagKeys are the values of aws:TagKeys: the keys of the tags that the request sets
	// or removes.
	TagKeys []string
	// Anyone asks whether a caller like this one can make the request so that it is allowed: a condition on a key that
	// every caller can satisfy, such as aws:SecureTransport, holds in a statement that allows, and not in one that
	// denies. Conditions on who calls and from where are evaluated.
	Anyone bool
}

// Document is a parsed policy. It is safe for concurrent use.
type Document struct {
	statements []statement
}

// Evaluate returns the decision for a request. A statement without a Principal, as in
// an identity's policy, applies to every caller. One without a Resource, as in a
// repository's policy, applies to every resource.
func (d *Document) Evaluate(r Request) Decision {
	decision := NoMatch
	for _, s := range d.statements {
		if !s.matches(r) {
			continue
		}
		if s.effect == Deny {
			return Deny
		}
		decision = Allow
	}
	return decision
}

// Missing returns the condition keys of all statements that a request does not have. IAM's policy simulator reports
// them so, whether or not a statement is about the simulated action (boto/boto3#3111, aws/aws-sdk-java-v2#1751).
func (d *Document) Missing(r Request) (keys []string) {
	for _, s := range d.statements {
		for _, c := range s.conditions {
			if len(r.contextValues(c.key)) == 0 && !slices.Contains(keys, c.key) {
				keys = append(keys, c.key)
			}
		}
	}
	return keys
}

// Statement is one statement of a document, as a document of its own.
type Statement struct {
	Sid string // "" if it has none
	*Document
}

// Statements returns the statements of the document, in order.
func (d *Document) Statements() []Statement {
	var all []Statement
	for _, s := range d.statements {
		all = append(all, Statement{s.sid, &Document{statements: []statement{s}}})
	}
	return all
}

type statement struct {
	sid        string
	effect     Decision
	principals []principal // nil for everyone
	actions    patterns
	resources  patterns
	conditions []condition
}

func (s statement) matches(r Request) bool {
	if s.principals != nil && !slices.ContainsFunc(s.principals, func(p principal) bool { return p.matches(r) }) {
		return false
	}
	return s.actions.match(r.Action) && s.resources.match(r.Resource) &&
		!slices.ContainsFunc(s.conditions, func(c condition) bool {
			if r.Anyone && !c.aboutCaller() {
				return s.effect == Deny
			}
			return !c.holds(r)
		})
}

// patterns are the values of Action or Resource, or of NotAction or NotResource.
type patterns struct {
	globs []glob
	not   bool
	fold  bool
}

func (p patterns) match(value string) bool {
	if p.fold {
		value = strings.ToLower(value)
	}
	return slices.ContainsFunc(p.globs, func(g glob) bool { return g.match(value) }) != p.not
}
