package access

import (
	"fmt"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// pulls are the actions that another account needs on a repository. A service's
// execution role pulls with the first, second and fourth. The deployer finds an image
// with ecr:BatchGetImage, and the time of its push with ecr:DescribeImages, which the
// search for lost pushes needs.
var pulls = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages",
	"ecr:GetDownloadUrlForLayer"}

// Repository returns the policy for the repositories of an environment's images.
// Without callers it allows the accounts of ecr_trusted_accounts to pull from the
// environment's own registry; without these, the environment's own account, if the
// images are in another.
func Repository(env *environment.Environment, callers Callers) (Policy, error) {
	all := repositories(env, func(image.Registry) bool { return true })
	own := repositories(env, func(r image.Registry) bool { return !foreign(env, r) })
	trusted := trusted(env)
	if callers.empty() && len(own) > 0 && len(trusted) > 0 {
		all, callers.Accounts = own, trusted
	}
	if callers.empty() {
		all = repositories(env, func(r image.Registry) bool { return foreign(env, r) })
		switch {
		case len(all) == 0:
			return Policy{}, fmt.Errorf(
				"%s runs images from its own account (%s: %s), so no other account needs access (to allow others, "+
					"name them: --accounts 111111111111,222222222222 or --org o-a1b2c3d4e5)", env.Name,
				env.Strategy.Name, env.Strategy.Why)
		case env.AccountID == "":
			return Policy{}, fmt.Errorf(
				"%w: %s does not name the account of %s (use --account, give --accounts or --org, or "+
					"add account_id to the file)",
				ErrUnnamed, env.File, env.Name)
		}
		callers.Accounts = []string{env.AccountID}
	}
	if len(all) == 0 {
		return Policy{}, noRepository(env)
	}
	doc := newDocument(callers.admit(env, statement{Sid: "PullFromOtherAccounts", Action: pulls}))
	p := Policy{JSON: text(doc, "")}
	for _, r := range registries(all) {
		p.Notes = append(p.Notes, "put it on the repositories of "+of(r)+", with that account's credentials")
	}
	p.Notes = append(p.Notes, "a repository has one policy, which this replaces: name every account that needs access",
		"the policies of the pulling roles must allow it too")
	p.Steps = each(all, "aws ecr set-repository-policy", "--policy-text")
	p.Terraform = repositoryResources("aws_ecr_repository_policy", all, doc)
	return p, nil
}

// trusted returns the accounts of ecr_trusted_accounts, each once.
func trusted(env *environment.Environment) []string {
	var accounts []string
	for _, t := range env.TrustedAccounts {
		if t.ID != env.AccountID && !slices.Contains(accounts, t.ID) {
			accounts = append(accounts, t.ID)
		}
	}
	return accounts
}

// noRepository is the error of an environment without a repository in ECR.
func noRepository(env *environment.Environment) error {
	return fmt.Errorf("no workload of %s runs an image from ECR, so there is no repository for a policy", env.File)
}

// each returns, for each repository, the command that sets policy.json on it.
func each(all []repository, command, flag string) []string {
	lines := make([]string, len(all))
	for i, r := range all {
		lines[i] = fmt.Sprintf("%s --region %s --repository-name %s %s file://policy.json", command, r.registry.Region,
			r.name, flag)
	}
	return lines
}
