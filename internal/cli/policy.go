package cli

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/access"
	"deployer/internal/environment"
)

// policyFlags are the flags that say something to only some of the policies.
var policyFlags = map[string][]string{
	"org": {"repository", "bus"}, "accounts": {"repository", "bus"},
	"repo": {"github"}, "owner-id": {"github"}, "repo-id": {"github"},
}

// policy is `deployer policy`: what accounts have to give each other.
func (c *cli) policy() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	org := c.flags.String("org", "", "repository, bus: let in all accounts of the organisation with this `ID`")
	accounts := c.flags.String("accounts", "", "repository, bus: let in these accounts, `A,B`; for repository by default the environment's own,\nif its images are another's")
	repo := c.flags.String("repo", "", "github: the repository whose workflows deploy, `OWNER/NAME`")
	ownerID := c.flags.String("owner-id", "", "github: the `number` of the repository's owner, which the tokens of newer repositories carry")
	repoID := c.flags.String("repo-id", "", "github: the `number` of the repository itself")
	format := c.flags.String("format", "json", "`json` or terraform. The JSON of github is one object with the role's two documents,\nAssumeRolePolicyDocument and PolicyDocument")
	args, err := c.parse("repository|lifecycle|bus|github")
	if err != nil {
		return err
	}
	kind := args[0]
	if err := c.policyUsage(kind, *format); err != nil {
		return err
	}
	env, err := c.load(*file)
	if err != nil {
		return err
	}
	var p access.Policy
	switch kind {
	case "lifecycle":
		p, err = access.Lifecycle(env)
	case "github":
		from, wrong := access.ParseSource(*repo, *ownerID, *repoID)
		if wrong != nil {
			return usageError(wrong.Error())
		}
		p, err = access.GitHub(env, from)
	default:
		who, wrong := access.ParseCallers(*org, *accounts)
		if wrong != nil {
			return usageError(wrong.Error())
		}
		write := map[string]func(*environment.Environment, access.Callers) (access.Policy, error){"repository": access.Repository, "bus": access.Bus}
		p, err = write[kind](env, who)
	}
	if errors.Is(err, access.ErrUnnamed) {
		return usageError(err.Error())
	}
	if err != nil {
		return err
	}
	c.printPolicy(p, *format)
	return nil
}

// policyUsage refuses what no policy, or not this one, knows.
func (c *cli) policyUsage(kind, format string) error {
	if kinds := []string{"repository", "lifecycle", "bus", "github"}; !slices.Contains(kinds, kind) {
		return usageError(fmt.Sprintf("there is no policy %q: write one of %s", kind, strings.Join(kinds, ", ")))
	}
	if format != "json" && format != "terraform" {
		return usageError(fmt.Sprintf("-format %q is not known: write json or terraform", format))
	}
	var wrong error
	c.flags.Visit(func(f *flag.Flag) {
		switch kinds := policyFlags[f.Name]; {
		case kinds == nil:
		case !slices.Contains(kinds, kind):
			wrong = usageError(fmt.Sprintf("-%s says nothing to %s: it is for %s", f.Name, kind, strings.Join(kinds, " and ")))
		case f.Value.String() == "": // which is not the same as not to say who
			wrong = usageError(fmt.Sprintf("-%s is empty: did a variable expand to nothing?", f.Name))
		}
	})
	return wrong
}

// printPolicy prints the document, and how to put it in place on standard error.
func (c *cli) printPolicy(p access.Policy, format string) {
	for _, note := range p.Notes {
		fmt.Fprintf(c.err, "deployer: %s\n", note)
	}
	if format == "terraform" {
		fmt.Fprint(c.out, p.Terraform)
		return
	}
	fmt.Fprintln(c.err, "deployer: with the document in policy.json:")
	for _, step := range p.Steps {
		fmt.Fprintf(c.err, "  %s\n", step) // to be copied
	}
	fmt.Fprint(c.out, p.JSON)
}
