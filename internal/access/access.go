// Package access generates the policies that the accounts of a project, and GitHub's
// workflows, need for access to images and event buses. It is pure: a policy depends
// on an environment file and on the callers that it allows.
package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Policy is a policy in the forms in which it can be applied.
type Policy struct {
	JSON      string   // the document, with a final newline
	Terraform string   // Terraform resources with the same document
	Steps     []string // the aws commands that apply the JSON, saved as policy.json
	Notes     []string // where to apply it and what it replaces, one sentence each
}

// ErrUnnamed is wrapped by the error of [Repository] and [Bus] if no caller is named
// and the file does not name one either.
var ErrUnnamed = errors.New("no caller is named")

// document is a policy in IAM's language.
type document struct {
	Version   string
	Statement []statement
}

// statement is a statement of a policy. A list of one is written as a string, as AWS
// does when it shows a policy.
type statement struct {
	Sid       string
	Effect    string
	Principal any `json:",omitempty"` // "*", or map[string]any
	Action    any
	Resource  any       `json:",omitempty"` // omitted in a repository's policy
	Condition condition `json:",omitempty"`
}

// condition holds the values by operator and key.
type condition map[string]map[string]any

func newDocument(statements ...statement) document {
	for i := range statements {
		statements[i].Effect = "Allow"
	}
	return document{"2012-10-17", statements}
}

// text returns v as indented JSON. Each line starts with a prefix.
func text(v any, prefix string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // every type that is passed encodes
	}
	return b.String()
}

// repository is an ECR repository of the environment's images.
type repository struct {
	registry image.Registry
	name     string
}

// repositories returns the repositories of the environment's workloads in wanted
// registries, each once, in the file's order.
func repositories(env *environment.Environment, wanted func(image.Registry) bool) []repository {
	var all []repository
	seen := map[repository]bool{}
	for _, w := range env.Workloads {
		r := repository{w.Registry, w.Repository}
		if w.Repository == "" || seen[r] || !wanted(r.registry) {
			continue
		}
		seen[r] = true
		all = append(all, r)
	}
	return all
}

// foreign reports whether a registry belongs to another account. A file that does not
// name its own account names that of a registry only if it is another.
func foreign(env *environment.Environment, r image.Registry) bool {
	return r.AccountID != env.AccountID
}

// registries returns the registries of repositories, each once.
func registries(all []repository) []image.Registry {
	var each []image.Registry
	seen := map[image.Registry]bool{}
	for _, r := range all {
		if !seen[r.registry] {
			seen[r.registry] = true
			each = append(each, r.registry)
		}
	}
	return each
}

// of names the account and region of a registry in notes.
func of(r image.Registry) string {
	if r.AccountID == "" {
		return "the environment's own account in " + r.Region
	}
	return r.String()
}

// busARN returns the ARN of the bus that DEPLOY events are put on.
func busARN(env *environment.Environment) (string, error) {
	if env.AccountID == "" {
		return "", fmt.Errorf(
			"%s does not name the account of the environment, which is part of the ARN of its event bus (add "+
				"account_id to the file, or use --account)", env.File)
	}
	return "arn:" + image.PartitionOf(env.Region).Name + ":events:" + env.Region + ":" + env.AccountID +
		":event-bus/default", nil
}

// named returns a list of one as a string, and other lists as they are.
func named(words []string) any {
	if len(words) == 1 {
		return words[0]
	}
	return words
}
