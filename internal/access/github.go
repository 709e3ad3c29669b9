package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// issuer is the OpenID Connect provider of GitHub's workflows.
const issuer = "token.actions.githubusercontent.com"

// pushes are the actions that `docker push` needs on a repository.
var pushes = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
	"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"}

// Source is a GitHub repository whose workflows may assume a role.
type Source struct {
	Owner, Name string
	OwnerID, ID string // GitHub's numeric ids, which are never reused; both or none
}

var (
	ownerForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	numberForm = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)
)

// ParseSource reads "OWNER/NAME" and the two ids, which may be empty.
func ParseSource(repo, ownerID, id string) (Source, error) {
	if repo == "" {
		return Source{}, errors.New("--repo OWNER/NAME is missing: name the GitHub repository whose workflows deploy")
	}
	owner, name, _ := strings.Cut(repo, "/")
	if !ownerForm.MatchString(owner) || !nameForm.MatchString(name) || strings.Trim(name, ".") == "" {
		return Source{}, fmt.Errorf("--repo %q is not a GitHub repository: write it like octocat/shop", repo)
	}
	if (ownerID == "") != (id == "") {
		return Source{}, errors.New("--owner-id and --repo-id go together: give both or none")
	}
	for _, number := range []string{ownerID, id} {
		if number != "" && !numberForm.MatchString(number) {
			return Source{}, fmt.Errorf("%q is not a GitHub id: write a number (gh api repos/%s --jq .owner.id,.id)",
				number, repo)
		}
	}
	return Source{owner, name, ownerID, id}, nil
}

// subjects returns the "sub" claims of a job of the repository that runs in a GitHub
// environment. Since July 2026 those of new, renamed and moved repositories contain
// the ids, so that a name that was given up cannot be taken over ("Immutable subject
// claims" in GitHub's "OpenID Connect reference"). Those of others do not.
func (s Source) subjects(env string) []string {
	all := []string{"repo:" + s.Owner + "/" + s.Name + ":environment:" + env}
	if s.ID != "" {
		all = append(all, "repo:"+s.Owner+"@"+s.OwnerID+"/"+s.Name+"@"+s.ID+":environment:"+env)
	}
	return all
}

// role holds the two policies of an IAM role, by the names that CloudFormation and the
// aws command use.
type role struct {
	Trust  document `json:"AssumeRolePolicyDocument"`
	Rights document `json:"PolicyDocument"`
}

// GitHub returns the role with which workflows of a repository deploy an environment.
// Only jobs that run in the GitHub environment of the same name can assume it. They
// may send the DEPLOY events that the environment accepts and, if its strategy is
// local, push images to its registry.
func GitHub(env *environment.Environment, from Source) (Policy, error) {
	s, err := newScope(env)
	if err != nil {
		return Policy{}, err
	}
	rights := s.sending()
	if rights != nil {
		rights = append(rights, s.following()...)
	}
	if own := s.own(); len(own) > 0 {
		rights = append(rights, pushing(own)...)
	}
	if len(rights) == 0 {
		return Policy{}, noSources(env)
	}
	r := role{trusting(env, from), newDocument(rights...)}
	name := env.Project + "_github_" + env.Name
	return Policy{JSON: text(r, ""), Terraform: roleResources(env, name, r), Notes: r.notes(env, from),
		Steps: r.steps(name, "")}, nil
}

// trusting returns the policy by which a role trusts the jobs of a repository that run in
// the GitHub environment with the environment's name.
func trusting(env *environment.Environment, from Source) document {
	return newDocument(statement{
		Sid: "DeployFromGitHub",
		Principal: map[string]any{"Federated": "arn:" + image.PartitionOf(env.Region).Name + ":iam::" + env.AccountID +
			":oidc-provider/" + issuer},
		Action: "sts:AssumeRoleWithWebIdentity",
		Condition: condition{"StringEquals": {issuer + ":aud": "sts.amazonaws.com",
			issuer + ":sub": named(from.subjects(env.Name))}},
	})
}

// steps returns the commands that create the role from policy.json: the object, or that
// at an index of a list, such as [0].
func (r role) steps(name, index string) []string {
	part := func(member string) string {
		if index == "" {
			return "." + member
		}
		return "'." + index + "." + member + "'" // brackets are patterns to a shell
	}
	return []string{
		"aws iam create-role --role-name " + name +
			` --assume-role-policy-document "$(jq ` + part("AssumeRolePolicyDocument") + ` policy.json)"`,
		"aws iam put-role-policy --role-name " + name +
			` --policy-name deploy --policy-document "$(jq ` + part("PolicyDocument") + ` policy.json)"`,
	}
}

func (r role) notes(env *environment.Environment, from Source) []string {
	notes := []string{
		"create this role in account " + env.AccountID + ", which needs GitHub's identity provider, https://" + issuer +
			" for sts.amazonaws.com",
		"a job can assume it that has `environment: " + env.Name +
			"` and `permissions: id-token: write`; protect that environment in GitHub",
	}
	if len(env.DeploySources) > 0 {
		notes = append(notes, fmt.Sprintf(
			"name the project in the detail of the event: \"project\": %q; IAM does not see it, so the role can "+
				"deploy "+
				"every project of the account whose deploy_sources have %s: to separate the senders of projects, "+
				"give each project sources of its own", env.Project, strings.Join(env.DeploySources, " or ")))
	}
	return append(notes, from.note())
}

// note says which tokens the role trusts, and what to do about the others.
func (s Source) note() string {
	if s.ID == "" {
		return fmt.Sprintf(
			"without --owner-id and --repo-id the role trusts the repository by name only; tokens of repositories "+
				"that were created, renamed or moved since July 2026 contain the ids, and are not trusted then"+
				": gh api repos/%s/%s --jq .owner.id,.id", s.Owner, s.Name)
	}
	return fmt.Sprintf(
		"the role trusts the repository with and without its ids; remove the subject without ids if the tokens "+
			"contain them: gh api repos/%s/%s/actions/oidc/customization/sub", s.Owner, s.Name)
}
