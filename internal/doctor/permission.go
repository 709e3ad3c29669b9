package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
	"deployer/internal/iam"
)

// pulling are the IAM actions on a repository that pulling an image needs.
var pulling = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// pull reports whether the caller, and so the deployer's account, may read images
// from the repository.
func (f *findings) pull(c *checker, r *repository, err error) {
	message, denied := fault.Denied(err)
	switch {
	case err == nil:
		f.ok("pull", "ecr:BatchGetImage is allowed on %s of %s", r.name, r.registry)
	case denied && strings.Contains(message, "no resource-based policy"):
		f.add("pull", Problem, "access denied: the repository policy does not allow it: "+message,
			inRepositoryPolicy(r.arn, c.env.AccountID, pulling...))
	default:
		f.notChecked(c, "pull", "ecr:BatchGetImage", r.arn.String(), err)
	}
}

// execution reports whether the tasks' execution role may pull, by its own policies
// and by the repository's. Pulled means that the caller could read the repository;
// its account is the role's.
func (f *findings) execution(ctx context.Context, c *checker, r *repository, td *types.TaskDefinition, pulled bool) {
	role := aws.ToString(td.ExecutionRoleArn)
	switch {
	case role == "" && slices.Contains(td.RequiresCompatibilities, types.CompatibilityFargate):
		f.add("execution role", Problem, "the task definition has none, without which Fargate cannot pull from ECR",
			"give the task definition an executionRoleArn in the infrastructure")
		return
	case role == "":
		f.add("execution role", Unknown,
			"not checked: the task definition has none, so the role of the container instance pulls",
			"make sure that the instance's role may pull: "+strings.Join(pulling, ", "))
		return
	}
	across := r.registry.AccountID != c.env.AccountID
	byRepository, why := f.byRepository(c, r, role, pulled)
	may, err := c.mayPull(ctx, role, r)
	f.refused("execution role", role, may.refused, "pulling")
	switch {
	case across && byRepository == Problem:
		f.add("execution role", Problem,
			fmt.Sprintf("the policy of repository %s of %s does not allow %s to pull: %s", r.name, r.registry, role,
				why),
			inRepositoryPolicy(r.arn, c.env.AccountID, pulling...))
	case fault.HasCode(err, "NoSuchEntity"):
		f.add("execution role", Problem, role+" does not exist: no task can start", "create it with the infrastructure")
	case err != nil:
		f.notChecked(c, "execution role", "iam:SimulatePrincipalPolicy", role, err)
	case len(may.refused) > 0 && len(may.lacking) == 0: // no policy of the repository helps
	case across:
		f.acrossAccounts(c, r, role, may.lacking, byRepository, why)
	default:
		f.withinAccount(c, r, role, may, byRepository, why)
	}
}

// login is the action that a pull needs in addition to those on the repository.
const login = "ecr:GetAuthorizationToken"

// withinAccount reports whether a role may pull from a repository of its own account:
// its own policies or the repository's must allow what is not refused.
func (f *findings) withinAccount(c *checker, r *repository, role string, may rights, byRepository Level, why string) {
	lacking := may.lacking
	if byRepository == OK {
		lacking = slices.DeleteFunc(lacking, func(action string) bool { return action != login })
	}
	switch {
	case len(lacking) == 0 && len(may.refused) > 0:
	case len(lacking) == 0:
		f.ok("execution role", "%s may pull from %s", role, r.registry)
	case byRepository == Unknown && !slices.Contains(lacking, login):
		f.add("execution role", Unknown,
			notAllowed(role, lacking)+"; whether the repository's policy does is unknown: "+why,
			c.grant(r, role, lacking))
	default:
		f.add("execution role", Problem, notAllowed(role, lacking), c.grant(r, role, lacking))
	}
}

// acrossAccounts reports whether a role may pull from a repository of another account:
// its own policies and the repository's must allow it. Lacking are the actions that
// its own do not allow.
func (f *findings) acrossAccounts(c *checker, r *repository, role string, lacking []string, byRepository Level,
	why string) {
	switch {
	case len(lacking) > 0:
		f.add("execution role", Problem, notAllowed(role, lacking), c.grant(r, role, lacking))
	case byRepository == Unknown:
		f.add("execution role", Unknown,
			role+" may pull by its own policies; whether the repository's policy allows it is unknown: "+why,
			"read the repository's policy in account "+r.registry.AccountID)
	default:
		f.ok("execution role", "%s may pull from %s", role, r.registry)
	}
}

func notAllowed(role string, actions []string) string {
	return fmt.Sprintf("the policies of %s do not allow %s", role, strings.Join(actions, ", "))
}

// grant returns the fix for a role whose own policies lack actions.
func (c *checker) grant(r *repository, role string, lacking []string) string {
	var statements, onRepository []string
	for _, action := range lacking {
		if action == login {
			statements = append(statements, iam.Identity("*", login).String())
		} else {
			onRepository = append(onRepository, action)
		}
	}
	if len(onRepository) > 0 {
		statements = append(statements, iam.Identity(r.arn.String(), onRepository...).String())
	}
	return "in account " + c.env.AccountID + ", add to the policy of " + role + ": " + strings.Join(statements, ", ")
}

// organization matches ids of organizations in the conditions of a policy.
var organization = regexp.MustCompile(`o-[a-z0-9]{10,32}`)

// byRepository returns whether the repository's policy allows a role to pull, and why not.
func (f *findings) byRepository(c *checker, r *repository, role string, pulled bool) (level Level, why string) {
	text, err := r.policy()
	if err != nil {
		return Unknown, "it could not be read"
	}
	if text == "" {
		return Problem, "it has no policy"
	}
	document, err := iam.Parse([]byte(text))
	if err != nil {
		return Unknown, err.Error()
	}
	allows := func(org string) bool {
		return !slices.ContainsFunc(pulling, func(action string) bool {
			return document.Evaluate(iam.Request{Principal: role, Account: c.env.AccountID, Organization: org,
				Action: action, Resource: r.arn.String()}) != iam.Allow
		})
	}
	if allows("") {
		return OK, ""
	}
	for _, org := range organization.FindAllString(text, -1) {
		if !allows(org) {
			continue
		}
		if pulled {
			return OK, ""
		}
		return Unknown, "it allows the accounts of organization " + org + " to pull; check whether account " +
			c.env.AccountID + " is one: aws organizations list-accounts"
	}
	return Problem, "none of its statements is about account " + c.env.AccountID
}

// mayPull asks which actions of a pull a role's own policies do not allow, or others refuse.
func (c *checker) mayPull(ctx context.Context, role string, r *repository) (rights, error) {
	var all rights
	if err := all.simulate(ctx, c, role, permission{[]string{login}, "*", nil}); err != nil {
		return all, err
	}
	return all, all.simulate(ctx, c, role, permission{pulling, r.arn.String(), nil})
}
