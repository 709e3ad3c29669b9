// Package iam evaluates IAM policy documents, of identities and of resources, for one request at a time. It knows
// the part of the policy language that deployments meet and refuses the rest when a document is parsed, so that no
// statement is ever understood by halves.
package iam

import (
	"slices"
	"strings"
)

// Decision is what one document says about one request. It is not yet the answer to the request: across accounts both
// the identity's and the resource's documents have to allow it, and anything not allowed is denied.
type Decision int

const (
	// NoMatch means that no statement of the document is about the request.
	NoMatch Decision = iota
	// Allow means that a statement allows the request and none denies it.
	Allow
	// Deny means that a statement denies the request, which no other document can undo.
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

// Request is what a document is asked about.
type Request struct {
	// Principal is the ARN of the calling role, user or account root, or the name of an AWS service such as
	// events.amazonaws.com.
	Principal string
	// Account and Organization are the caller's: a 12-digit id and an id like o-a1b2c3d4e5, either empty when there is none.
	Account, Organization string
	// Action is the IAM action, such as ecs:UpdateService.
	Action string
	// Resource is the ARN of what is acted upon, or * for an action that knows no resources.
	Resource string
	// Context holds the other condition keys of the request. aws:PrincipalArn, aws:PrincipalAccount and
	// aws:PrincipalOrgID come from the fields above unless they are here.
	Context map[string]string
	// TagKeys are the values of aws:TagKeys, the one condition key here that may have several: the keys of the tags
	// that the request sets or removes.
	TagKeys []string
}

// Document is a parsed policy. It never changes, so it may be used from several goroutines at once.
type Document struct {
	statements []statement
}

// Evaluate returns what the document says about the request. A statement without a Principal, as all are in an
// identity's policy, is about every caller, and one without a Resource, as in a repository's policy, about whatever it
// is attached to.
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

type statement struct {
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
		!slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.holds(r) })
}

// patterns are the values of Action or Resource, or, turned round, of NotAction or NotResource.
type patterns struct {
	globs []string
	not   bool
	fold  bool
}

func (p patterns) match(value string) bool {
	if p.fold {
		value = strings.ToLower(value)
	}
	return slices.ContainsFunc(p.globs, func(g string) bool { return glob(g, value) }) != p.not
}
