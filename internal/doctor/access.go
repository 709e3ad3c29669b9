package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"deployer/internal/fault"
	"deployer/internal/iam"
)

// pulling are the actions that a pull of an image makes on its repository.
var pulling = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// tempting are the actions on a repository that strangers would want.
var tempting = slices.Concat(pulling, []string{"ecr:DescribeImages", "ecr:ListImages", "ecr:PutImage", "ecr:BatchDeleteImage", "ecr:DeleteRepository", "ecr:SetRepositoryPolicy"})

// pull reports whether the registry lets the caller's account read the
// repository, as it has to let the deployer.
func (c *chart) pull(x *exam, r *repository, err error) {
	message, denied := fault.Denied(err)
	switch {
	case err == nil:
		c.ok("pull", "ecr:BatchGetImage is allowed from here on %s of %s", r.name, r.Registry)
	case denied && strings.Contains(message, "no resource-based policy"):
		c.add("pull", Problem, "access denied: the repository policy does not allow it: "+message, inRepositoryPolicy(r.arn, x.env.AccountID, pulling...))
	default:
		c.blind(x, "pull", "ecr:BatchGetImage", r.arn.String(), err)
	}
}

// openness reports whether strangers may use the repository.
func (c *chart) openness(x *exam, r *repository) {
	text, err := r.policy()
	if err != nil {
		c.blind(x, "repository policy", "ecr:GetRepositoryPolicy", r.arn.String(), err)
		return
	}
	if text == "" {
		c.ok("repository policy", "none: nobody outside account %s has access", r.AccountID)
		return
	}
	document, err := iam.Parse([]byte(text))
	if err != nil {
		c.add("repository policy", Unknown, "not checked: "+err.Error(), "read it: aws ecr get-repository-policy --registry-id "+r.AccountID+" --region "+r.Region+" --repository-name "+r.name)
		return
	}
	var open []string
	for _, action := range tempting {
		if document.Evaluate(stranger(r, action)) == iam.Allow {
			open = append(open, action)
		}
	}
	if len(open) > 0 {
		c.add("repository policy", Problem, fmt.Sprintf("critical: it is open to every AWS account in the world: %s", strings.Join(open, ", ")),
			"put one on the repository that names who may: deployer policy repository -f FILE -org o-… or -accounts …, in account "+r.AccountID)
		return
	}
	c.ok("repository policy", "closed to strangers")
}

// stranger is a request of somebody who belongs to nobody here.
func stranger(r *repository, action string) iam.Request {
	const account = "000000000000"
	return iam.Request{Principal: "arn:" + r.arn.Partition + ":iam::" + account + ":role/stranger", Account: account, Organization: "o-stranger00",
		Action: action, Resource: r.arn.String()}
}

// execution reports whether the tasks' execution role may pull, by its own
// policy and, from another account, by the repository's. Pulled says that the
// caller, of the same account as the role, could read the repository.
func (c *chart) execution(ctx context.Context, x *exam, r *repository, td *types.TaskDefinition, pulled bool) {
	role := aws.ToString(td.ExecutionRoleArn)
	switch {
	case role == "" && slices.Contains(td.RequiresCompatibilities, types.CompatibilityFargate):
		c.add("execution role", Problem, "the task definition has none, and on Fargate nobody else can pull from ECR", "give the task definition an executionRoleArn in the infrastructure")
		return
	case role == "":
		c.add("execution role", Unknown, "not checked: the task definition has none, so the role of the container instance pulls", "see that the instance's role may pull: "+strings.Join(pulling, ", "))
		return
	}
	across := r.AccountID != x.env.AccountID
	byRepository, why := c.byRepository(x, r, role, pulled)
	lacking, err := x.simulate(ctx, role, r)
	if across && byRepository == Problem {
		c.add("execution role", Problem, fmt.Sprintf("the policy of repository %s of %s does not let %s pull: %s", r.name, r.Registry, role, why), inRepositoryPolicy(r.arn, x.env.AccountID, pulling...))
		return
	}
	const token = "ecr:GetAuthorizationToken"
	if !across && byRepository == OK { // in one account either side's leave is enough
		lacking = slices.DeleteFunc(lacking, func(action string) bool { return action != token })
	}
	var grants []string
	if slices.Contains(lacking, token) {
		grants = append(grants, iam.Identity("*", token).String())
	}
	if onIt := slices.DeleteFunc(slices.Clone(lacking), func(action string) bool { return action == token }); len(onIt) > 0 {
		grants = append(grants, iam.Identity(r.arn.String(), onIt...).String())
	}
	own, fix := fmt.Sprintf("the policies of %s do not allow %s", role, strings.Join(lacking, ", ")), "in account "+x.env.AccountID+", add to the policy of "+role+": "+strings.Join(grants, ", ")
	switch {
	case fault.HasCode(err, "NoSuchEntity"):
		c.add("execution role", Problem, role+" does not exist: no task can start", "create it with the infrastructure")
	case err != nil:
		c.blind(x, "execution role", "iam:SimulatePrincipalPolicy", role, err)
	case len(lacking) > 0 && !across && byRepository == Unknown && !slices.Contains(lacking, token):
		c.add("execution role", Unknown, own+"; whether the repository's does is not known: "+why, fix)
	case len(lacking) > 0:
		c.add("execution role", Problem, own, fix)
	case across && byRepository == Unknown:
		c.add("execution role", Unknown, role+" may pull by its own policies; whether the repository's policy lets it is not known: "+why, "let the repository's policy be read, or look at it in account "+r.AccountID)
	default:
		c.ok("execution role", "%s may pull from %s", role, r.Registry)
	}
}

// organization finds the ids of organisations in a policy's conditions.
var organization = regexp.MustCompile(`o-[a-z0-9]{10,32}`)

// byRepository says whether the repository's policy lets a role pull.
func (c *chart) byRepository(x *exam, r *repository, role string, pulled bool) (level Level, why string) {
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
			return document.Evaluate(iam.Request{Principal: role, Account: x.env.AccountID, Organization: org, Action: action, Resource: r.arn.String()}) != iam.Allow
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
		return Unknown, "it lets the accounts of organisation " + org + " pull; aws organizations describe-organization says whether account " + x.env.AccountID + " is one"
	}
	return Problem, "none of its statements is about account " + x.env.AccountID
}

// simulate returns which of the actions of a pull a role's own policies do not allow.
func (x *exam) simulate(ctx context.Context, role string, r *repository) (lacking []string, err error) {
	ask := func(resource string, actions ...string) error {
		out, err := x.iam.SimulatePrincipalPolicy(ctx, &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role), ActionNames: actions, ResourceArns: []string{resource}})
		if err != nil {
			return err
		}
		for _, result := range out.EvaluationResults {
			if result.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
				lacking = append(lacking, aws.ToString(result.EvalActionName))
			}
		}
		return nil
	}
	if err := ask("*", "ecr:GetAuthorizationToken"); err != nil {
		return nil, err
	}
	return lacking, ask(r.arn.String(), pulling...)
}

// principal returns the ARN under which policies know who is calling: of an
// assumed role's session, the role's.
func principal(caller arn.ARN) string {
	role, ok := strings.CutPrefix(caller.Resource, "assumed-role/")
	if caller.Service != "sts" || !ok {
		return caller.String()
	}
	role, _, _ = strings.Cut(role, "/")
	return "arn:" + caller.Partition + ":iam::" + caller.AccountID + ":role/" + role
}
