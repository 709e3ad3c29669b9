// Package access writes the policies by which the accounts of a project let
// each other in, and GitHub's workflows: to images and to event buses. It is
// pure: a policy follows from an environment file and from who is named.
package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Policy is one policy, in the forms that it is put in place with.
type Policy struct {
	JSON      string   // the document alone, with a newline at its end
	Terraform string   // the same as Terraform's resources
	Steps     []string // the commands that put the JSON in place, saved as policy.json
	Notes     []string // where it belongs and what it replaces, one sentence each
}

// ErrUnnamed is wrapped by the error of [Repository] and [Bus] when whom to let
// in was not said and does not follow from the file either.
var ErrUnnamed = errors.New("nobody is named")

// document is a policy in IAM's language.
type document struct {
	Version   string
	Statement []statement
}

// statement has no list where one word does: so AWS shows it again.
type statement struct {
	Sid       string
	Effect    string
	Principal any `json:",omitempty"` // "*", or map[string]any
	Action    any
	Resource  any       `json:",omitempty"` // none in the policy of a repository, which is its own resource
	Condition condition `json:",omitempty"`
}

// condition is an operator's keys, and each key's values.
type condition map[string]map[string]any

func newDocument(statements ...statement) document {
	for i := range statements {
		statements[i].Effect = "Allow"
	}
	return document{"2012-10-17", statements}
}

// text returns v as JSON for people, indented behind a prefix.
func text(v any, prefix string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // of a type of ours, which always encodes
	}
	return b.String()
}

// repository is an ECR repository of the environment's images.
type repository struct {
	image.Registry
	name string
}

// repositories returns those that the environment's workloads use, each once,
// in the file's order.
func repositories(env *environment.Environment, wanted func(image.Registry) bool) []repository {
	var all []repository
	seen := map[repository]bool{}
	for _, w := range env.Workloads {
		r := repository{w.Registry, w.Repository}
		if w.Repository == "" || seen[r] || !wanted(r.Registry) {
			continue
		}
		seen[r] = true
		all = append(all, r)
	}
	return all
}

// foreign reports whether a registry is another account's than the
// environment's. A file that is silent about its account names that of a
// repository only where it is another's.
func foreign(env *environment.Environment, r image.Registry) bool {
	return r.AccountID != env.AccountID
}

// registries returns where repositories are, for people, each once.
func registries(all []repository) []image.Registry {
	var each []image.Registry
	seen := map[image.Registry]bool{}
	for _, r := range all {
		if !seen[r.Registry] {
			seen[r.Registry] = true
			each = append(each, r.Registry)
		}
	}
	return each
}

// of says whose a registry is.
func of(r image.Registry) string {
	if r.AccountID == "" {
		return "the environment's own account in " + r.Region
	}
	return r.String()
}

// busARN returns the ARN of the bus that DEPLOY events are put on.
func busARN(env *environment.Environment) (string, error) {
	if env.AccountID == "" {
		return "", fmt.Errorf("%s does not say which account the environment is, and the ARN of its event bus has it (add account_id to it)", env.File)
	}
	return "arn:" + image.PartitionOf(env.Region).Name + ":events:" + env.Region + ":" + env.AccountID + ":event-bus/default", nil
}

// named is one word where there is one, and else a list.
func named(words []string) any {
	if len(words) == 1 {
		return words[0]
	}
	return words
}
