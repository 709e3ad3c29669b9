package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// issuer is who signs the tokens of GitHub's workflows.
const issuer = "token.actions.githubusercontent.com"

// pushes are what `docker push` does with a repository.
var pushes = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"}

// Source is a repository of GitHub's, whose workflows may take a role.
type Source struct {
	Owner, Name string
	OwnerID, ID string // the numbers that GitHub never gives to another; both or none
}

var (
	ownerForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	numberForm = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)
)

// ParseSource reads "OWNER/NAME" and the two ids, which may be empty.
func ParseSource(repo, ownerID, id string) (Source, error) {
	if repo == "" {
		return Source{}, errors.New("-repo OWNER/NAME is missing: the GitHub repository whose workflows deploy")
	}
	owner, name, _ := strings.Cut(repo, "/")
	if !ownerForm.MatchString(owner) || !nameForm.MatchString(name) || strings.Trim(name, ".") == "" {
		return Source{}, fmt.Errorf("-repo %q is not a GitHub repository: write it like octocat/shop", repo)
	}
	if (ownerID == "") != (id == "") {
		return Source{}, errors.New("-owner-id and -repo-id go together: give both or none")
	}
	for _, number := range []string{ownerID, id} {
		if number != "" && !numberForm.MatchString(number) {
			return Source{}, fmt.Errorf("%q is not an id of GitHub's: write a number (gh api repos/%s --jq .owner.id,.id)", number, repo)
		}
	}
	return Source{owner, name, ownerID, id}, nil
}

// subjects are what GitHub calls a job of the repository that runs in one of
// its environments. Since July 2026 the names of new, renamed and moved
// repositories carry their ids, so that nobody can take over a name that was
// given up ("Immutable subject claims" in GitHub's "OpenID Connect reference");
// the others' do not.
func (s Source) subjects(env string) []string {
	all := []string{"repo:" + s.Owner + "/" + s.Name + ":environment:" + env}
	if s.ID != "" {
		all = append(all, "repo:"+s.Owner+"@"+s.OwnerID+"/"+s.Name+"@"+s.ID+":environment:"+env)
	}
	return all
}

// role is what an IAM role is made of, under the names that CloudFormation and
// the aws command have for it.
type role struct {
	Trust  document `json:"AssumeRolePolicyDocument"`
	Rights document `json:"PolicyDocument"`
}

// GitHub returns the role by which workflows of a repository deploy an
// environment, from jobs that run in the GitHub environment of the same name
// and no others. They may send the DEPLOY events that the environment obeys,
// and push images if its strategy is local: the registry is its own then.
func GitHub(env *environment.Environment, from Source) (Policy, error) {
	bus, err := busARN(env)
	if err != nil {
		return Policy{}, err
	}
	trust := newDocument(statement{
		Sid:       "DeployFromGitHub",
		Principal: map[string]any{"Federated": "arn:" + image.PartitionOf(env.Region).Name + ":iam::" + env.AccountID + ":oidc-provider/" + issuer},
		Action:    "sts:AssumeRoleWithWebIdentity",
		Condition: condition{"StringEquals": {issuer + ":aud": "sts.amazonaws.com", issuer + ":sub": named(from.subjects(env.Name))}},
	})
	var rights []statement
	if len(env.DeploySources) > 0 {
		rights = append(rights, putting("SendDeployEvents", bus, "DEPLOY", env.DeploySources...))
	}
	own := repositories(env, func(r image.Registry) bool { return !foreign(env, r) })
	if env.Strategy.Name == environment.Local && len(own) > 0 {
		arns := make([]string, len(own))
		for i, r := range own {
			arns[i] = r.RepositoryARN(r.name)
		}
		rights = append(rights,
			statement{Sid: "LogInToRegistry", Action: "ecr:GetAuthorizationToken", Resource: "*"}, // it knows no resources
			statement{Sid: "PushImages", Action: pushes, Resource: named(arns)})
	}
	if len(rights) == 0 {
		return Policy{}, noSources(env)
	}
	r := role{trust, newDocument(rights...)}
	name := env.Project + "_github_" + env.Name
	return Policy{JSON: text(r, ""), Terraform: roleResources(env, name, r), Notes: r.notes(env, from), Steps: []string{
		"aws iam create-role --role-name " + name + ` --assume-role-policy-document "$(jq .AssumeRolePolicyDocument policy.json)"`,
		"aws iam put-role-policy --role-name " + name + ` --policy-name deploy --policy-document "$(jq .PolicyDocument policy.json)"`,
	}}, nil
}

func (r role) notes(env *environment.Environment, from Source) []string {
	notes := []string{
		"make this role in account " + env.AccountID + ", which needs GitHub's identity provider, https://" + issuer + " for sts.amazonaws.com",
		"a job can take it that has `environment: " + env.Name + "` and `permissions: id-token: write`; protect that environment in GitHub",
	}
	const find = ": gh api repos/%s/%s --jq .owner.id,.id"
	if from.ID == "" {
		return append(notes, fmt.Sprintf("without -owner-id and -repo-id the role trusts the repository by its name alone, and not at all if its tokens carry the ids, as those of repositories made, renamed or moved since July 2026 do"+find, from.Owner, from.Name))
	}
	return append(notes, fmt.Sprintf("the role trusts the repository with and without its ids; take the subject without them away if its tokens carry them: gh api repos/%s/%s/actions/oidc/customization/sub", from.Owner, from.Name))
}
