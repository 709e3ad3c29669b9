package ecr

import (
	"regexp"
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

// A mutability says which tags of a repository can move to another image (ECR API reference, PutImageTagMutability).
type mutability struct {
	Setting string            `json:"imageTagMutability"`
	Filters []exclusionFilter `json:"imageTagMutabilityExclusionFilters"`
}

// An exclusionFilter names the tags to which the opposite of the setting applies.
type exclusionFilter struct {
	Type  string `json:"filterType"`
	Value string `json:"filter"`
}

var (
	mutabilities = []string{"IMMUTABLE", "MUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"}
	filterForm   = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)
)

// The limits of filters: botocore's ecr/2015-09-21/service-2.json has the first, hashicorp/terraform-provider-aws#43642
// both.
const (
	maxFilters   = 5
	maxWildcards = 2
)

// check returns ECR's error for a setting that it does not accept. The texts about missing and needless filters are
// those of aws/aws-cdk#35246 and of moto's ecr/models.py; those about a filter's form are not known.
func (m mutability) check() *api.Error {
	if !slices.Contains(mutabilities, m.Setting) {
		return constraintError("imageTagMutability", "Member must satisfy enum value set: ["+
			strings.Join(mutabilities, ", ")+"]")
	}
	if strings.HasSuffix(m.Setting, "_WITH_EXCLUSION") != (len(m.Filters) > 0) {
		return constraintError("imageTagMutabilityExclusionFilters",
			"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as "+m.Setting)
	}
	if len(m.Filters) > maxFilters {
		return constraintError("imageTagMutabilityExclusionFilters", "Member must have length less than or equal to 5")
	}
	for _, f := range m.Filters {
		if f.Type != "WILDCARD" || !filterForm.MatchString(f.Value) || strings.Count(f.Value, "*") > maxWildcards {
			return constraintError("imageTagMutabilityExclusionFilters", "Invalid filter '"+f.Value+"'")
		}
	}
	return nil
}

// fixes reports whether a tag cannot move to another image.
func (m mutability) fixes(tag string) bool {
	excluded := slices.ContainsFunc(m.Filters, func(f exclusionFilter) bool { return wildcard(f.Value, tag) })
	return strings.HasPrefix(m.Setting, "IMMUTABLE") != excluded
}

// wildcard reports whether a text matches a pattern in which * stands for any text.
func wildcard(pattern, text string) bool {
	form := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	return regexp.MustCompile(form).MatchString(text)
}

// describe adds the members of the setting to an answer.
func (m mutability) describe(answer api.Object) {
	answer["imageTagMutability"] = m.Setting
	if len(m.Filters) > 0 {
		answer["imageTagMutabilityExclusionFilters"] = m.Filters
	}
}

type putImageTagMutabilityInput struct {
	repositoryID
	mutability
}

func (e *Server) putImageTagMutability(r *api.Request, in putImageTagMutabilityInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if err := in.mutability.check(); err != nil {
		return nil, err
	}
	repo.mutability = in.mutability
	answer := api.Object{"registryId": repo.scope.Account, "repositoryName": repo.name}
	repo.mutability.describe(answer)
	return answer, nil
}
