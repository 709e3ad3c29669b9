package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"deployer/internal/fault"
	"deployer/internal/iam"
)

// rights are what IAM's policy simulator does not allow to a role.
type rights struct {
	lacking []string        // actions that no statement of its policies allows
	refused []fault.Refused // what a policy denies, or what a policy that is not the role's own does not allow
}

// simulate asks IAM's policy simulator about a permission, and adds what a role's own
// policies, its permissions boundary and its organization do not allow.
func (r *rights) simulate(ctx context.Context, c *checker, role string, p permission) error {
	in := &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role), ActionNames: p.actions,
		ResourceArns: []string{p.resource}}
	for key, value := range p.context {
		in.ContextEntries = append(in.ContextEntries, iamtypes.ContextEntry{ContextKeyName: aws.String(key),
			ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{value}})
	}
	out, err := c.iam.SimulatePrincipalPolicy(ctx, in)
	if err != nil {
		return err
	}
	for _, result := range out.EvaluationResults {
		action := aws.ToString(result.EvalActionName)
		switch why := cause(result); {
		case result.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed:
		case why == fault.Cause{}:
			r.lacking = append(r.lacking, action)
		default:
			r.refused = fault.Refuse(r.refused, role, why, iam.Identity(inPolicy(p.resource), action))
		}
	}
	return nil
}

// inPolicy returns a resource as a statement of a policy names it.
func inPolicy(resource string) string { return strings.Replace(resource, secretSuffix, "-??????", 1) }

// cause returns why a result for one resource is not allowed. The details may be those of
// the resource only.
func cause(result iamtypes.EvaluationResult) fault.Cause {
	boundary, matched := result.PermissionsBoundaryDecisionDetail, result.MatchedStatements
	for _, one := range result.ResourceSpecificResults { // there is one
		if boundary == nil {
			boundary = one.PermissionsBoundaryDecisionDetail
		}
		if len(matched) == 0 {
			matched = one.MatchedStatements
		}
	}
	var byBoundary, byOrganization *bool
	if boundary != nil {
		byBoundary = &boundary.AllowedByPermissionsBoundary
	}
	if detail := result.OrganizationsDecisionDetail; detail != nil {
		byOrganization = &detail.AllowedByOrganizations
	}
	statements := make([]fault.Matched, 0, len(matched))
	for _, m := range matched {
		statements = append(statements, fault.Matched{ID: aws.ToString(m.SourcePolicyId),
			Type: string(m.SourcePolicyType)})
	}
	return fault.Simulated(string(result.EvalDecision), byBoundary, byOrganization, statements)
}

// refused reports what a role is not allowed for another cause than a missing Allow.
func (f *findings) refused(check, role string, all []fault.Refused, what string) {
	for _, r := range all {
		f.add(check, Problem, fmt.Sprintf("%s is denied %s for %s: %s", role, r.Actions(), what, r.Reason()),
			r.Advice())
	}
}
