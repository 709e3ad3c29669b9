package access

import (
	"fmt"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// pulls are what another account does with a repository. The first, second and
// fourth are a pull, by a service's execution role. ecr:BatchGetImage is also
// how the deployer finds an image; ecr:DescribeImages tells it when the image
// was pushed, without which it cannot make up for push events that were lost.
var pulls = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"}

// Repository returns the policy of the repositories that an environment's
// images are in. Without callers it lets in the environment's own account, if
// the images are another's.
func Repository(env *environment.Environment, who Callers) (Policy, error) {
	all := repositories(env, func(image.Registry) bool { return true })
	if who.nobody() {
		all = repositories(env, func(r image.Registry) bool { return foreign(env, r) })
		switch {
		case len(all) == 0:
			return Policy{}, fmt.Errorf("%s runs images of its own account (%s: %s), so nobody else needs access to them (to let other accounts in, name them: -accounts A,B or -org ID)", env.Name, env.Strategy.Name, env.Strategy.Why)
		case env.AccountID == "":
			return Policy{}, fmt.Errorf("%w: %s does not say which account %s is (give -accounts A,B or -org ID, or add account_id to the file)", ErrUnnamed, env.File, env.Name)
		}
		who.Accounts = []string{env.AccountID}
	}
	if len(all) == 0 {
		return Policy{}, noRepository(env)
	}
	doc := newDocument(who.admit(env, statement{Sid: "PullFromOtherAccounts", Action: pulls}))
	p := Policy{JSON: text(doc, "")}
	for _, r := range registries(all) {
		p.Notes = append(p.Notes, "put it on the repositories of "+of(r)+", with that account's credentials")
	}
	p.Notes = append(p.Notes, "a repository has one policy, which this replaces: name all that need access at once",
		"this is the registry's side; the policies of the roles that pull have to allow it too")
	p.Steps = each(all, "aws ecr set-repository-policy", "--policy-text")
	p.Terraform = repositoryResources("aws_ecr_repository_policy", all, doc)
	return p, nil
}

// noRepository says that there is nothing to put a policy on.
func noRepository(env *environment.Environment) error {
	return fmt.Errorf("no workload of %s runs an image from ECR: there is no repository that a policy could be put on", env.File)
}

// each returns the command that puts policy.json on each repository.
func each(all []repository, command, flag string) []string {
	lines := make([]string, len(all))
	for i, r := range all {
		lines[i] = fmt.Sprintf("%s --region %s --repository-name %s %s file://policy.json", command, r.Region, r.name, flag)
	}
	return lines
}
