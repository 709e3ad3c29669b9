package stack

import (
	"fmt"
	"slices"
	"strings"
)

// everything is what the function's role may use, by kind.
type everything struct {
	families, roles, schedules, rules, repositories []string
}

// maxPolicies is how many managed policies a role may have by default, and maxParameters how many parameters hold their
// ARNs. As many hold all of ten policies, because an ARN has two more characters in a policy than in a parameter.
const maxPolicies, maxParameters = 10, 14

// restOfPolicy is what such a policy has beside the list, without the names of the cluster, region and partition.
const restOfPolicy = 500

// longRole is the number of characters that further roles are counted with, which Terraform may not know.
const longRole = 130

// pack distributes ARNs over policies. Roles, families, schedules and rules are always of the role's own account, to
// which their actions apply alone: a wildcard for it is no wider, and shorter.
func (s policySize) pack(all everything, extraRoles string) (policies [][]string) {
	var arns []string
	for _, arn := range slices.Concat(all.families, all.roles, all.schedules, all.rules) {
		arns = append(arns, anyAccount(arn))
	}
	arns = append(distinct(arns), all.repositories...)
	sizes := make([]int, 0, len(arns))
	for _, arn := range arns {
		sizes = append(sizes, len(arn)+len(`"",`))
	}
	if extraRoles != "" {
		for arn := range strings.SplitSeq(extraRoles, ",") {
			arns, sizes = append(arns, arn), append(sizes, max(longRole, len(arn))+len(`"",`))
		}
	}
	if len(arns) == 0 {
		return nil
	}
	// The first ARN of a policy is the one that begins after a whole number of windows. The last may exceed its window,
	// by less than the longest.
	window, at := maxManaged-restOfPolicy-s.cluster-s.region-s.partition-slices.Max(sizes), 0
	for i, arn := range arns {
		if n := at/window + 1; n > len(policies) {
			policies = append(policies, nil)
		}
		policies[len(policies)-1] = append(policies[len(policies)-1], arn)
		at += sizes[i]
	}
	return policies
}

// anyAccount returns an ARN with a wildcard for the account.
func anyAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	parts[4] = "*"
	return strings.Join(parts, ":")
}

// resourceParameters returns the parameters that hold the ARNs of policies: parts of one text.
func resourceParameters(policies [][]string) (all []Parameter) {
	lists := make([]string, 0, len(policies))
	for _, arns := range policies {
		lists = append(lists, strings.Join(arns, ","))
	}
	text := strings.Join(lists, ",,")
	for i := range maxParameters {
		n := min(len(text), maxParameter)
		all = append(all, Parameter{fmt.Sprintf("ResourceArns%d", i+1), text[:n]})
		text = text[n:]
	}
	return all
}

// resourceText returns the text that the parameters hold.
func resourceText(parameters []Parameter) (text string) {
	for _, p := range parameters {
		if strings.HasPrefix(p.Name, "ResourceArns") {
			text += p.Value
		}
	}
	return text
}
